// A naive float64 attention and random operands to hold the fast kernels against.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/cpu/attention.h"

namespace fw::kernels::cpu {

float fromBf16(std::uint16_t value);
std::uint16_t toBf16(float value);

// One operand [batch, tokens, heads, headDim] with gaps between tokens and heads, in f32 or bf16.
class Operand {
 public:
    struct Shape {
        std::int64_t batch = 1, tokens = 1, heads = 1, headDim = 16;
        std::int64_t gap = 0;  // unused elements after each head and after each token
    };

    Operand(const Shape& shape, Element element);

    void fillRandom(std::uint32_t seed, double magnitude);
    void set(std::int64_t b, std::int64_t token, std::int64_t head, std::int64_t d, float value);
    [[nodiscard]] float at(std::int64_t b, std::int64_t token, std::int64_t head, std::int64_t d) const;
    // What lies between the heads and the tokens, and around them, is still as it was made.
    [[nodiscard]] bool gapsUntouched() const;

    [[nodiscard]] std::int64_t batchStride() const { return m_shape.tokens * tokenStride(); }
    [[nodiscard]] std::int64_t tokenStride() const { return m_shape.heads * headStride() + m_shape.gap; }
    [[nodiscard]] std::int64_t headStride() const { return m_shape.headDim + m_shape.gap; }
    [[nodiscard]] void* data() { return m_bytes.data() + kGuard * m_size; }
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return m_bytes; }

 private:
    static constexpr std::size_t kGuard = 64;  // elements before and after
    static constexpr std::uint8_t kGuardByte = 0xA5;

    [[nodiscard]] std::size_t index(std::int64_t b, std::int64_t token, std::int64_t head, std::int64_t d) const;

    Shape m_shape;
    Element m_element;
    std::size_t m_size;
    std::vector<std::uint8_t> m_bytes;
};

struct AttentionCase {
    std::int64_t batch = 1, heads = 1, queries = 1, keys = 1, headDim = 16;
    Element element = Element::F32;
    std::int64_t gap = 0;
    bool bias = false;
    double magnitude = 1.0;
    int threads = 1;
    float scale = 0.0F;  // 0: 1/sqrt(headDim)
    float firstKeyBias = 0.0F;

    [[nodiscard]] std::string name() const;
};

// Operands of a case and the arguments that view them. The bias is a view of one short row per head, as relative
// positions are: element (query, key) at key - query.
struct AttentionProblem {
    explicit AttentionProblem(const AttentionCase& parameters);
    AttentionProblem(const AttentionProblem&) = delete;
    AttentionProblem& operator=(const AttentionProblem&) = delete;

    // With the first key's own.
    [[nodiscard]] double biasAt(std::int64_t head, std::int64_t query, std::int64_t key) const;
    // softmax(scale · q kᵀ + bias) v in float64, [batch, queries, heads, headDim] contiguous.
    [[nodiscard]] std::vector<double> reference() const;
    // Largest |out - reference|, and NaN where out has one that the reference has not.
    [[nodiscard]] double largestError() const;

    AttentionCase parameters;
    Operand q, k, v, out;
    std::vector<float> bias;
    AttentionArgs args;
};

}  // namespace fw::kernels::cpu
