// Rows of eight bits on the CPU.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/backend/cpu_ops.h"
#include "core/tensor/fp8.h"
#include "kernels/cpu/parallel.h"

namespace fw::backend {

namespace {

constexpr std::int64_t kRowsPerTask = 16;

// body(row) for all rows.
template <class Body>
void forRows(std::int64_t rows, int threads, const Body& body) {
    kernels::cpu::parallelFor((rows + kRowsPerTask - 1) / kRowsPerTask, threads, [&](std::int64_t task, int) {
        const std::int64_t end = std::min(rows, (task + 1) * kRowsPerTask);
        for (std::int64_t row = task * kRowsPerTask; row < end; ++row) {
            body(row);
        }
    });
}

// As on the GPU (kernels/cuda/fp8.cuh): rows of nothing are divided by 1, an infinity makes its row NaN.
template <class T>
void packRow(const T* x, std::int64_t channels, std::uint8_t* bytes, float& scale) {
    constexpr float kNothing = 1e-30F;  // whose reciprocal would be no number
    float largest = 0.0F;
    for (std::int64_t i = 0; i < channels; ++i) {
        largest = std::fmax(largest, std::fabs(static_cast<float>(x[i])));
    }
    scale = largest > kNothing ? largest / kLargestFp8 : 1.0F;
    const float factor = 1.0F / scale;
    for (std::int64_t i = 0; i < channels; ++i) {
        bytes[i] = floatToFp8(static_cast<float>(x[i]) * factor);
    }
}

constexpr std::array<float, 256> kFp8Values = [] {
    std::array<float, 256> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = fp8ToFloat(static_cast<std::uint8_t>(i));
    }
    return all;
}();

template <class T>
void unpackRow(const std::uint8_t* bytes, float scale, std::int64_t channels, T* x) {
    for (std::int64_t i = 0; i < channels; ++i) {
        x[i] = T(kFp8Values[bytes[i]] * scale);
    }
}

}  // namespace

void CpuOps::doPackRows(const ConstTensorView& x, const TensorView& bytes, const TensorView& scales) {
    const std::int64_t channels = x.dim(2);
    auto* to = bytes.mutableAs<std::uint8_t>();
    auto* scale = scales.mutableAs<float>();
    forRows(scales.count(), m_threads, [&](std::int64_t row) {
        if (x.dtype() == DType::F32) {
            packRow(x.as<float>() + row * channels, channels, to + row * channels, scale[row]);
        } else {
            packRow(x.as<BFloat16>() + row * channels, channels, to + row * channels, scale[row]);
        }
    });
}

void CpuOps::doUnpackRows(const ConstTensorView& bytes, const ConstTensorView& scales, const TensorView& x) {
    const std::int64_t channels = x.dim(2);
    const auto* from = bytes.as<std::uint8_t>();
    const auto* scale = scales.as<float>();
    forRows(scales.count(), m_threads, [&](std::int64_t row) {
        if (x.dtype() == DType::F32) {
            unpackRow(from + row * channels, scale[row], channels, x.mutableAs<float>() + row * channels);
        } else {
            unpackRow(from + row * channels, scale[row], channels, x.mutableAs<BFloat16>() + row * channels);
        }
    });
}

}  // namespace fw::backend
