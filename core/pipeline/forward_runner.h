// A transformer by itself on a device, with random latents and words: for benchmarks. Words are those of a long
// prompt, kBenchPromptTokens, filled up with zeros as pipelines do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/backend/arena.h"
#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/method/attention_method.h"
#include "core/model/video_model.h"

namespace fw::pipeline {

inline constexpr std::int64_t kBenchPromptTokens = 120;

// What one pass costs.
struct ForwardCost {
    std::int64_t tokens = 0, flops = 0;
    std::int64_t weights = 0, scratch = 0;  // bytes
    [[nodiscard]] std::int64_t bytes() const { return weights + scratch; }
};

// Borrows device and operations.
class ForwardRunner {
 public:
    // As model::loadTransformer(). `method` is never null; models with a mixer of their own do not ask it.
    [[nodiscard]] static Result<ForwardRunner> load(const std::filesystem::path& folder, backend::Device& device,
                                                    backend::Ops& ops, DType dtype,
                                                    std::unique_ptr<method::AttentionMethod> method);
    // On a Meta device: the cost of a pass over latents [C, T, h, w] with words in so many rows.
    [[nodiscard]] Result<ForwardCost> forecast(const Shape& latents, std::int64_t words);
    // Makes the operands of the passes to come. OutOfMemory as Device::allocate().
    [[nodiscard]] Status prepare(const Shape& latents, std::int64_t words);
    // Seconds of one pass, from before its first operation until the device has finished its last. `arena` holds
    // ForwardCost::scratch; prepare() came before.
    [[nodiscard]] Result<double> run(backend::Arena& arena);
    // Gives the operands back.
    void clear() { m_latents = {}, m_words = {}, m_velocity = {}; }

 private:
    ForwardRunner(backend::Device& device, backend::Ops& ops, std::unique_ptr<method::AttentionMethod> method)
        : m_device(&device), m_ops(&ops), m_method(std::move(method)) {}
    // The first `rows` of it; the others are zeros.
    [[nodiscard]] Result<backend::OwnedTensor> drawOperand(const Shape& shape, std::int64_t rows);
    [[nodiscard]] Status forward(backend::Arena& arena);

    backend::Device* m_device;
    backend::Ops* m_ops;
    std::unique_ptr<method::AttentionMethod> m_method;
    std::unique_ptr<model::VideoTransformer> m_transformer;
    backend::OwnedTensor m_latents, m_words, m_velocity;
    std::int64_t m_tokens = 0;  // of the words' rows
};

// The cost of a pass of the transformer in `folder` by dense attention, from a dry run.
[[nodiscard]] Result<ForwardCost> forecastForward(const std::filesystem::path& folder, DType dtype,
                                                  const Shape& latents, std::int64_t words);

}  // namespace fw::pipeline
