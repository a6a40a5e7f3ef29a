#include "attention_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <sstream>

namespace fw::kernels::cpu {

float fromBf16(std::uint16_t value) {
    const std::uint32_t bits = static_cast<std::uint32_t>(value) << 16;
    float result = 0.0F;
    std::memcpy(&result, &bits, sizeof(result));
    return result;
}

std::uint16_t toBf16(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

Operand::Operand(const Shape& shape, Element element)
    : m_shape(shape), m_element(element), m_size(element == Element::F32 ? 4 : 2) {
    m_bytes.assign((static_cast<std::size_t>(shape.batch * batchStride()) + 2 * kGuard) * m_size, kGuardByte);
}

std::size_t Operand::index(std::int64_t b, std::int64_t token, std::int64_t head, std::int64_t d) const {
    const std::int64_t element = b * batchStride() + token * tokenStride() + head * headStride() + d;
    return (static_cast<std::size_t>(element) + kGuard) * m_size;
}

void Operand::set(std::int64_t b, std::int64_t token, std::int64_t head, std::int64_t d, float value) {
    std::uint8_t* target = m_bytes.data() + index(b, token, head, d);
    if (m_element == Element::F32) {
        std::memcpy(target, &value, sizeof(value));
    } else {
        const std::uint16_t half = toBf16(value);
        std::memcpy(target, &half, sizeof(half));
    }
}

float Operand::at(std::int64_t b, std::int64_t token, std::int64_t head, std::int64_t d) const {
    const std::uint8_t* source = m_bytes.data() + index(b, token, head, d);
    if (m_element == Element::F32) {
        float value = 0.0F;
        std::memcpy(&value, source, sizeof(value));
        return value;
    }
    std::uint16_t half = 0;
    std::memcpy(&half, source, sizeof(half));
    return fromBf16(half);
}

void Operand::fillRandom(std::uint32_t seed, double magnitude) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal(0.0, magnitude);
    for (std::int64_t b = 0; b < m_shape.batch; ++b) {
        for (std::int64_t token = 0; token < m_shape.tokens; ++token) {
            for (std::int64_t head = 0; head < m_shape.heads; ++head) {
                for (std::int64_t d = 0; d < m_shape.headDim; ++d) {
                    set(b, token, head, d, static_cast<float>(normal(generator)));
                }
            }
        }
    }
}

bool Operand::gapsUntouched() const {
    std::vector<bool> used(m_bytes.size(), false);
    for (std::int64_t b = 0; b < m_shape.batch; ++b) {
        for (std::int64_t token = 0; token < m_shape.tokens; ++token) {
            for (std::int64_t head = 0; head < m_shape.heads; ++head) {
                const auto row = used.begin() + static_cast<std::ptrdiff_t>(index(b, token, head, 0));
                std::fill(row, row + m_shape.headDim * static_cast<std::ptrdiff_t>(m_size), true);
            }
        }
    }
    for (std::size_t i = 0; i < m_bytes.size(); ++i) {
        if (!used[i] && m_bytes[i] != kGuardByte) {
            return false;
        }
    }
    return true;
}

std::string AttentionCase::name() const {
    std::ostringstream text;
    text << (element == Element::F32 ? "f32" : "bf16") << " B" << batch << " H" << heads << " N" << queries << " M"
         << keys << " D" << headDim << " gap" << gap << (bias ? " bias" : "") << " magnitude" << magnitude
         << " threads" << threads << " scale" << scale;
    return text.str();
}

AttentionProblem::AttentionProblem(const AttentionCase& wanted)
    : parameters(wanted),
      q({wanted.batch, wanted.queries, wanted.heads, wanted.headDim, wanted.gap}, wanted.element),
      k({wanted.batch, wanted.keys, wanted.heads, wanted.headDim, 2 * wanted.gap}, wanted.element),
      v({wanted.batch, wanted.keys, wanted.heads, wanted.headDim, 3 * wanted.gap}, wanted.element),
      out({wanted.batch, wanted.queries, wanted.heads, wanted.headDim, wanted.gap}, wanted.element) {
    q.fillRandom(1, wanted.magnitude);
    k.fillRandom(2, wanted.magnitude);
    v.fillRandom(3, 1.0);
    if (parameters.scale == 0.0F) {
        parameters.scale = 1.0F / std::sqrt(static_cast<float>(wanted.headDim));
    }
    args.q = q.data();
    args.k = k.data();
    args.v = v.data();
    args.out = out.data();
    args.qBatch = q.batchStride(), args.qToken = q.tokenStride(), args.qHead = q.headStride();
    args.kBatch = k.batchStride(), args.kToken = k.tokenStride(), args.kHead = k.headStride();
    args.vBatch = v.batchStride(), args.vToken = v.tokenStride(), args.vHead = v.headStride();
    args.outBatch = out.batchStride(), args.outToken = out.tokenStride(), args.outHead = out.headStride();
    args.batch = wanted.batch, args.heads = wanted.heads;
    args.queries = wanted.queries, args.keys = wanted.keys, args.headDim = wanted.headDim;
    args.element = wanted.element;
    args.scale = parameters.scale;
    args.firstKeyBias = parameters.firstKeyBias;
    args.threads = wanted.threads;
    if (wanted.bias) {
        const std::int64_t row = wanted.queries + wanted.keys - 1;
        bias.resize(static_cast<std::size_t>(wanted.heads * row));
        std::mt19937 generator(4);
        std::normal_distribution<float> normal(0.0F, 2.0F);
        std::generate(bias.begin(), bias.end(), [&] { return normal(generator); });
        args.bias = bias.data() + wanted.queries - 1;
        args.biasHead = row;
        args.biasQuery = -1;
    }
}

double AttentionProblem::biasAt(std::int64_t head, std::int64_t query, std::int64_t key) const {
    const double own = key == 0 ? static_cast<double>(args.firstKeyBias) : 0.0;
    return args.bias == nullptr
               ? own
               : own + static_cast<double>(args.bias[head * args.biasHead + query * args.biasQuery + key]);
}

std::vector<double> AttentionProblem::reference() const {
    const AttentionCase& p = parameters;
    std::vector<double> result;
    std::vector<double> weights(static_cast<std::size_t>(p.keys));
    for (std::int64_t row = 0; row < p.batch * p.queries * p.heads; ++row) {
        const std::int64_t b = row / p.heads / p.queries;
        const std::int64_t query = row / p.heads % p.queries;
        const std::int64_t head = row % p.heads;
        double top = -std::numeric_limits<double>::infinity();
        for (std::int64_t key = 0; key < p.keys; ++key) {
            double dot = 0.0;
            for (std::int64_t d = 0; d < p.headDim; ++d) {
                dot += static_cast<double>(q.at(b, query, head, d)) * static_cast<double>(k.at(b, key, head, d));
            }
            const double score = static_cast<double>(p.scale) * dot + biasAt(head, query, key);
            weights[static_cast<std::size_t>(key)] = score;
            top = std::max(top, score);
        }
        double sum = 0.0;
        for (double& weight : weights) {
            weight = std::exp(weight - top);
            sum += weight;
        }
        for (std::int64_t d = 0; d < p.headDim; ++d) {
            double value = 0.0;
            for (std::int64_t key = 0; key < p.keys; ++key) {
                value += weights[static_cast<std::size_t>(key)] / sum * static_cast<double>(v.at(b, key, head, d));
            }
            result.push_back(value);
        }
    }
    return result;
}

double AttentionProblem::largestError() const {
    const std::vector<double> expected = reference();
    double largest = 0.0;
    std::size_t i = 0;
    for (std::int64_t b = 0; b < parameters.batch; ++b) {
        for (std::int64_t query = 0; query < parameters.queries; ++query) {
            for (std::int64_t head = 0; head < parameters.heads; ++head) {
                for (std::int64_t d = 0; d < parameters.headDim; ++d) {
                    const double error = std::abs(static_cast<double>(out.at(b, query, head, d)) - expected[i++]);
                    largest = std::isnan(error) ? error : std::max(largest, error);
                    if (std::isnan(error)) {
                        return error;
                    }
                }
            }
        }
    }
    return largest;
}

}  // namespace fw::kernels::cpu
