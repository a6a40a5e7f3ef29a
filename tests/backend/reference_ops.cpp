#include "reference_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <vector>

namespace fw::backend {

namespace {

// Weights as the device holds them: rounded to the compute type, then exact.
struct ReferenceLinear final : PackedLinear {
    std::vector<double> weights;  // [out, in]
    std::vector<double> bias;     // [out]
};
struct ReferenceConv final : PackedConv3d {
    std::vector<double> weights;  // [outC, inC, kT, kH, kW]
    std::vector<double> bias;     // [outC]
};

std::int64_t offsetOf(const ConstTensorView& view, const Dims& index) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < view.rank(); ++i) {
        offset += index[i] * view.strides()[i];
    }
    return offset;
}

double roundedTo(DType dtype, double value) {
    return dtype == DType::BF16 ? static_cast<double>(static_cast<float>(BFloat16(static_cast<float>(value))))
                                : static_cast<double>(static_cast<float>(value));
}

std::uint16_t halfFrom(double value) {
    // Nearest of all 65536 patterns, ties to even: slow and beyond doubt. Infinity counts as 65536.
    if (std::isnan(value)) {
        return 0x7e00;
    }
    const double magnitude = std::fabs(value);
    std::uint16_t best = 0;
    double bestDistance = std::numeric_limits<double>::infinity();
    for (std::uint32_t bits = 0; bits <= 0x7c00; ++bits) {
        const double candidate =
            bits == 0x7c00 ? 65536.0 : static_cast<double>(halfToFloat(static_cast<std::uint16_t>(bits)));
        const double distance = std::fabs(candidate - std::min(magnitude, 65536.0));
        if (distance < bestDistance || (distance == bestDistance && bits % 2 == 0)) {
            best = static_cast<std::uint16_t>(bits);
            bestDistance = distance;
        }
    }
    return static_cast<std::uint16_t>(best | (std::signbit(value) ? 0x8000 : 0));
}

double sigmoid(double x) {
    return 1.0 / (1.0 + std::exp(-x));
}
double geluTanh(double x) {
    return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}
double activate(double x, Activation activation) {
    switch (activation) {
        case Activation::None:
            return x;
        case Activation::GeluTanh:
            return geluTanh(x);
        case Activation::Silu:
            return x * sigmoid(x);
    }
    return x;
}

// All values of one host tensor, rounded to `compute`, row-major.
std::vector<double> valuesOf(const ConstTensorView& view, DType compute) {
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(view.count()));
    Dims index = firstIndex(view.shape());
    do {
        values.push_back(roundedTo(compute, readElement(view, index)));
    } while (advance(index, view.shape()));
    return values;
}

// Calls body(index, row) for every row of a [..., C] tensor; `index` has its last position at 0, `row` holds x's
// values.
template <class Body>
void forRows(const ConstTensorView& x, const Body& body) {
    Shape leading = x.shape();
    const std::size_t last = x.rank() - 1;
    leading[last] = 1;
    Dims index = firstIndex(leading);
    std::vector<double> row(static_cast<std::size_t>(x.dim(-1)));
    do {
        Dims at = index;
        for (std::size_t c = 0; c < row.size(); ++c) {
            at[last] = static_cast<std::int64_t>(c);
            row[c] = readElement(x, at);
        }
        body(index, row);
    } while (advance(index, leading));
}

void writeRow(const TensorView& y, Dims index, const std::vector<double>& row) {
    for (std::size_t c = 0; c < row.size(); ++c) {
        index[y.rank() - 1] = static_cast<std::int64_t>(c);
        writeElement(y, index, row[c]);
    }
}

double vectorAt(const ConstTensorView& vector, std::size_t i) {
    return readElement(vector, {static_cast<std::int64_t>(i)});
}

double meanSquare(const std::vector<double>& row) {
    double sum = 0.0;
    for (const double value : row) {
        sum += value * value;
    }
    return sum / static_cast<double>(row.size());
}

struct Moments {
    double mean = 0.0, variance = 0.0;
};
Moments momentsOf(const std::vector<double>& row) {
    Moments moments;
    for (const double value : row) {
        moments.mean += value / static_cast<double>(row.size());
    }
    for (const double value : row) {
        moments.variance += (value - moments.mean) * (value - moments.mean) / static_cast<double>(row.size());
    }
    return moments;
}

}  // namespace

double readElement(const ConstTensorView& view, const Dims& index) {
    const auto* data = static_cast<const std::byte*>(view.data()) + offsetOf(view, index) * dtypeSize(view.dtype());
    const auto load = [&](auto value) {
        std::memcpy(&value, data, sizeof(value));
        return value;
    };
    switch (view.dtype()) {
        case DType::F32:
            return static_cast<double>(load(float{}));
        case DType::F64:
            return load(double{});
        case DType::BF16:
            return static_cast<double>(static_cast<float>(load(BFloat16{})));
        case DType::F16:
            return static_cast<double>(halfToFloat(load(std::uint16_t{})));
        case DType::I32:
            return load(std::int32_t{});
        case DType::I64:
            return static_cast<double>(load(std::int64_t{}));
        case DType::I8:
            return load(std::int8_t{});
        case DType::U8:
            return load(std::uint8_t{});
        case DType::F8E4M3:
            break;
    }
    return 0.0;
}

void writeElement(const TensorView& view, const Dims& index, double value) {
    auto* data = static_cast<std::byte*>(view.mutableData()) + offsetOf(view, index) * dtypeSize(view.dtype());
    const auto store = [&](auto element) { std::memcpy(data, &element, sizeof(element)); };
    switch (view.dtype()) {
        case DType::F32:
            store(static_cast<float>(value));
            return;
        case DType::F64:
            store(value);
            return;
        case DType::BF16:
            store(BFloat16(static_cast<float>(value)));
            return;
        case DType::F16:
            store(halfFrom(value));
            return;
        case DType::I32:
            store(static_cast<std::int32_t>(value));
            return;
        case DType::I64:
            store(static_cast<std::int64_t>(value));
            return;
        case DType::I8:
            store(static_cast<std::int8_t>(std::clamp(std::nearbyint(value), -128.0, 127.0)));
            return;
        case DType::U8:
            store(static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0, 255.0)));
            return;
        case DType::F8E4M3:
            return;
    }
}

bool advance(Dims& index, const Shape& shape) {
    for (std::size_t i = shape.rank(); i-- > 0;) {
        if (++index[i] < shape[i]) {
            return true;
        }
        index[i] = 0;
    }
    return false;
}

Dims firstIndex(const Shape& shape) {
    Dims index = shape;
    for (std::size_t i = 0; i < index.rank(); ++i) {
        index[i] = 0;
    }
    return index;
}

void ReferenceOps::doUpload(const ConstTensorView& host, const TensorView& device) {
    doCopy(host, device);
}
void ReferenceOps::doDownload(const ConstTensorView& device, const TensorView& host) {
    doCopy(device, host);
}

Result<std::unique_ptr<PackedLinear>> ReferenceOps::doPackLinear(const LinearSource& source, DType compute) {
    auto packed = std::make_unique<ReferenceLinear>();
    for (std::size_t i = 0; i < source.weights.size(); ++i) {
        const auto values = valuesOf(source.weights[i], compute);
        packed->weights.insert(packed->weights.end(), values.begin(), values.end());
        const auto rows = static_cast<std::size_t>(source.weights[i].dim(0));
        const auto bias =
            source.biases.empty() ? std::vector<double>(rows) : valuesOf(source.biases[i], DType::F32);
        packed->bias.insert(packed->bias.end(), bias.begin(), bias.end());
    }
    return packed;
}

Result<std::unique_ptr<PackedConv3d>> ReferenceOps::doPackConv3d(const ConstTensorView& weight,
                                                                 const ConstTensorView& bias, const Conv3dGeometry&,
                                                                 DType compute) {
    auto packed = std::make_unique<ReferenceConv>();
    packed->weights = valuesOf(weight, compute);
    packed->bias =
        bias.isNone() ? std::vector<double>(static_cast<std::size_t>(weight.dim(0))) : valuesOf(bias, DType::F32);
    return packed;
}

void ReferenceOps::doLinear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y,
                            Activation activation) {
    const auto& packed = dynamic_cast<const ReferenceLinear&>(weights);
    forRows(x, [&](const Dims& index, const std::vector<double>& row) {
        std::vector<double> result = packed.bias;
        for (std::size_t o = 0; o < result.size(); ++o) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                result[o] += packed.weights[o * row.size() + i] * row[i];
            }
            result[o] = activate(result[o], activation);
        }
        writeRow(y, index, result);
    });
}

void ReferenceOps::doAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                               const TensorView& out, const AttentionOptions& options) {
    const auto keys = static_cast<std::size_t>(options.keyCount);
    const std::int64_t width = q.dim(3);
    std::vector<double> scores(keys);
    Dims index = firstIndex({q.dim(0), q.dim(2), q.dim(1)});  // batch, head, query
    do {
        const std::int64_t b = index[0];
        const std::int64_t h = index[1];
        const std::int64_t n = index[2];
        for (std::size_t m = 0; m < keys; ++m) {
            const auto key = static_cast<std::int64_t>(m);
            double score = 0.0;
            for (std::int64_t d = 0; d < width; ++d) {
                score += readElement(q, {b, n, h, d}) * readElement(k, {b, key, h, d});
            }
            const double bias = options.bias.isNone() ? 0.0 : readElement(options.bias, {h, n, key});
            scores[m] = score * static_cast<double>(options.scale) + bias;
        }
        scores.front() += std::log(static_cast<double>(options.firstKeyWeight));
        const double maximum = *std::max_element(scores.begin(), scores.end());
        double sum = 0.0;
        for (double& score : scores) {
            score = std::exp(score - maximum);
            sum += score;
        }
        for (std::int64_t d = 0; d < width; ++d) {
            double value = 0.0;
            for (std::size_t m = 0; m < keys; ++m) {
                value += scores[m] / sum * readElement(v, {b, static_cast<std::int64_t>(m), h, d});
            }
            writeElement(out, {b, n, h, d}, value);
        }
    } while (advance(index, {q.dim(0), q.dim(2), q.dim(1)}));
}

void ReferenceOps::doRmsNormRope(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                                 const std::optional<RopeTables>& rope, std::int64_t headDim, const TensorView& y) {
    forRows(x, [&](const Dims& index, const std::vector<double>& row) {
        const double root = std::sqrt(meanSquare(row) + static_cast<double>(eps));
        std::vector<double> result = row;
        for (std::size_t c = 0; c < row.size(); ++c) {
            result[c] = row[c] / root * vectorAt(weight, c);
        }
        for (std::size_t c = 0; rope && c < row.size(); c += 2) {
            const std::int64_t pair = static_cast<std::int64_t>(c) % headDim / 2;
            const double cosine = readElement(rope->cosine, {index[1], pair});
            const double sine = readElement(rope->sine, {index[1], pair});
            const double even = result[c];
            const double odd = result[c + 1];
            result[c] = even * cosine - odd * sine;
            result[c + 1] = even * sine + odd * cosine;
        }
        writeRow(y, index, result);
    });
}

void ReferenceOps::doLayerNormModulate(const ConstTensorView& x, const ConstTensorView& scale,
                                       const ConstTensorView& shift, float eps, const TensorView& y) {
    forRows(x, [&](const Dims& index, std::vector<double> row) {
        const Moments moments = momentsOf(row);
        for (std::size_t c = 0; c < row.size(); ++c) {
            const Dims at{index[0], static_cast<std::int64_t>(c)};
            const double normal = (row[c] - moments.mean) / std::sqrt(moments.variance + static_cast<double>(eps));
            row[c] = normal * (1.0 + readElement(scale, at)) + readElement(shift, at);
        }
        writeRow(y, index, row);
    });
}

void ReferenceOps::doLayerNorm(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                               float eps, const TensorView& y, const GatedDelta& added) {
    forRows(x, [&](const Dims& index, std::vector<double> row) {
        for (std::size_t c = 0; c < row.size() && !added.delta.isNone(); ++c) {
            const auto channel = static_cast<std::int64_t>(c);
            const double gate = added.gate.isNone() ? 1.0 : readElement(added.gate, {index[0], channel});
            row[c] += gate * readElement(added.delta, {index[0], index[1], channel});
        }
        const Moments moments = momentsOf(row);
        for (std::size_t c = 0; c < row.size(); ++c) {
            const double normal = (row[c] - moments.mean) / std::sqrt(moments.variance + static_cast<double>(eps));
            row[c] = normal * vectorAt(weight, c) + vectorAt(bias, c);
        }
        writeRow(y, index, row);
    });
}

void ReferenceOps::doRmsNorm(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                             const TensorView& y) {
    forRows(x, [&](const Dims& index, std::vector<double> row) {
        const double root = std::sqrt(meanSquare(row) + static_cast<double>(eps));
        for (std::size_t c = 0; c < row.size(); ++c) {
            row[c] = row[c] / root * vectorAt(weight, c);
        }
        writeRow(y, index, row);
    });
}

void ReferenceOps::doChannelNorm(const ConstTensorView& x, const ConstTensorView& gamma, bool silu,
                                 const TensorView& y) {
    forRows(x, [&](const Dims& index, std::vector<double> row) {
        const auto channels = static_cast<double>(row.size());
        const double length = std::sqrt(meanSquare(row) * channels);
        const double divisor = length < 1e-12 ? 1e-12 : length;
        for (std::size_t c = 0; c < row.size(); ++c) {
            const double value = row[c] / divisor * std::sqrt(channels) * vectorAt(gamma, c);
            row[c] = silu ? value * sigmoid(value) : value;
        }
        writeRow(y, index, row);
    });
}

void ReferenceOps::doGatedAdd(const TensorView& residual, const ConstTensorView& delta,
                              const ConstTensorView& gate) {
    Dims index = firstIndex(residual.shape());
    do {
        const double factor = gate.isNone() ? 1.0 : readElement(gate, {index[0], index[2]});
        writeElement(residual, index, readElement(residual, index) + factor * readElement(delta, index));
    } while (advance(index, residual.shape()));
}

void ReferenceOps::doAdd(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y) {
    Dims index = firstIndex(y.shape());
    do {
        writeElement(y, index, readElement(a, index) + readElement(b, index));
    } while (advance(index, y.shape()));
}

void ReferenceOps::doSilu(const ConstTensorView& x, const TensorView& y) {
    Dims index = firstIndex(y.shape());
    do {
        writeElement(y, index, activate(readElement(x, index), Activation::Silu));
    } while (advance(index, y.shape()));
}

void ReferenceOps::doGatedGelu(const ConstTensorView& x, const TensorView& y) {
    forRows(x, [&](const Dims& index, const std::vector<double>& row) {
        std::vector<double> result(row.size() / 2);
        for (std::size_t c = 0; c < result.size(); ++c) {
            result[c] = geluTanh(row[c]) * row[result.size() + c];
        }
        writeRow(y, index, result);
    });
}

void ReferenceOps::doEmbed(const ConstTensorView& table, const ConstTensorView& ids, const TensorView& y) {
    Dims index = firstIndex(y.shape());
    do {
        const auto id = static_cast<std::int64_t>(readElement(ids, {index[0]}));
        writeElement(y, index, readElement(table, {id, index[1]}));
    } while (advance(index, y.shape()));
}

void ReferenceOps::doCopy(const ConstTensorView& x, const TensorView& y) {
    Dims index = firstIndex(y.shape());
    do {
        writeElement(y, index, readElement(x, index));
    } while (advance(index, y.shape()));
}

void ReferenceOps::doLinearCombination(std::span<const Term> terms, const TensorView& y) {
    Dims index = firstIndex(y.shape());
    do {
        double sum = 0.0;
        for (const Term& term : terms) {
            sum += term.coefficient * readElement(term.x, index);
        }
        writeElement(y, index, sum);
    } while (advance(index, y.shape()));
}

void ReferenceOps::doDifference(const ConstTensorView& a, const ConstTensorView& b, const TensorView& means) {
    double sums[4] = {};
    Dims index = firstIndex(a.shape());
    do {
        const double value = readElement(b, index);
        const double delta = readElement(a, index) - value;
        sums[0] += std::fabs(delta);
        sums[1] += std::fabs(value);
        sums[2] += delta * delta;
        sums[3] += value * value;
    } while (advance(index, a.shape()));
    for (std::int64_t i = 0; i < 4; ++i) {
        writeElement(means, Dims{i}, sums[i] / static_cast<double>(a.count()));
    }
}

void ReferenceOps::doConv3d(const ConstTensorView& x, const PackedConv3d& weights, const TensorView& y,
                            bool accumulate) {
    const auto& packed = dynamic_cast<const ReferenceConv&>(weights);
    const auto& [kT, kH, kW] = packed.kernel;
    Dims index = firstIndex(y.shape());
    do {
        const auto channel = static_cast<std::size_t>(index[4]);
        double sum = packed.bias[channel] + (accumulate ? readElement(y, index) : 0.0);
        Dims tap = firstIndex({packed.inChannels, kT, kH, kW});
        std::size_t weight = channel * static_cast<std::size_t>(packed.inChannels * kT * kH * kW);
        do {
            const std::int64_t t = index[1] * packed.stride[0] + tap[1];
            const std::int64_t h = index[2] * packed.stride[1] + tap[2] - packed.padding[0];
            const std::int64_t w = index[3] * packed.stride[2] + tap[3] - packed.padding[2];
            if (h >= 0 && h < x.dim(2) && w >= 0 && w < x.dim(3)) {
                sum += packed.weights[weight] * readElement(x, {index[0], t, h, w, tap[0]});
            }
            ++weight;
        } while (advance(tap, {packed.inChannels, kT, kH, kW}));
        writeElement(y, index, sum);
    } while (advance(index, y.shape()));
}

void ReferenceOps::doUpsample2x(const ConstTensorView& x, const TensorView& y) {
    Dims index = firstIndex(y.shape());
    do {
        writeElement(y, index, readElement(x, {index[0], index[1], index[2] / 2, index[3] / 2, index[4]}));
    } while (advance(index, y.shape()));
}

void ReferenceOps::doToBytes(const ConstTensorView& x, const TensorView& y) {
    Dims index = firstIndex(y.shape());
    do {
        writeElement(y, index, std::clamp(readElement(x, index), -1.0, 1.0) * 127.5 + 127.5);
    } while (advance(index, y.shape()));
}

}  // namespace fw::backend
