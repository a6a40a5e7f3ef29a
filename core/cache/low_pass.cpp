#include "core/cache/low_pass.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fw::cache {

namespace {

// Function i of the basis: 0 is the mean, 2k - 1 and 2k are cosine and sine of k periods.
std::int64_t frequencyOf(std::int64_t wave) {
    return (wave + 1) / 2;
}

float basisValue(std::int64_t wave, std::int64_t position, std::int64_t size) {
    const auto n = static_cast<double>(size);
    if (wave == 0) {
        return static_cast<float>(1.0 / std::sqrt(n));
    }
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(frequencyOf(wave) * position) / n;
    const double value = wave % 2 == 1 ? std::cos(angle) : std::sin(angle);
    return static_cast<float>(value * std::sqrt(2.0 / n));
}

Result<std::unique_ptr<backend::PackedLinear>> pack(backend::Ops& ops, const std::vector<float>& values,
                                                    const Shape& shape) {
    const ConstTensorView view(values.data(), DType::F32, shape);
    return ops.packLinear({{&view, 1}, {}}, DType::F32);
}

}  // namespace

Result<LowPass::Axis> LowPass::createAxis(backend::Ops& ops, std::int64_t size, std::int64_t radius) {
    Axis axis;
    axis.size = size;
    axis.waves = 2 * radius + 1;
    std::vector<float> forward;
    std::vector<float> back(static_cast<std::size_t>(size * axis.waves));
    for (std::int64_t wave = 0; wave < axis.waves; ++wave) {
        for (std::int64_t position = 0; position < size; ++position) {
            forward.push_back(basisValue(wave, position, size));
            back[static_cast<std::size_t>(position * axis.waves + wave)] = forward.back();
        }
    }
    FW_ASSIGN(axis.analyse, pack(ops, forward, {axis.waves, size}));
    FW_ASSIGN(axis.synthesise, pack(ops, back, {size, axis.waves}));
    return axis;
}

Result<LowPass> LowPass::create(backend::Ops& ops, std::int64_t height, std::int64_t width,
                                const Allocate& allocate) {
    const std::int64_t radius = std::min(height, width) / 5;
    LowPass pass;
    FW_ASSIGN(pass.m_height, createAxis(ops, height, radius));
    FW_ASSIGN(pass.m_width, createAxis(ops, width, radius));
    std::vector<float> mask;
    for (std::int64_t column = 0; column < pass.m_width.waves; ++column) {
        for (std::int64_t row = 0; row < pass.m_height.waves; ++row) {
            const std::int64_t x = frequencyOf(column);
            const std::int64_t y = frequencyOf(row);
            mask.push_back(x * x + y * y <= radius * radius ? 1.0F : 0.0F);
        }
    }
    FW_ASSIGN(pass.m_mask, allocate(DType::F32, {1, static_cast<std::int64_t>(mask.size())}));
    ops.upload(ConstTensorView(mask.data(), DType::F32, pass.m_mask.shape()), pass.m_mask);
    FW_TRY(ops.synchronize());
    return pass;
}

void LowPass::apply(method::RunContext& context, const ConstTensorView& x, const TensorView& y) const {
    backend::Ops& ops = context.ops;
    const backend::ArenaScope scope(context.arena);
    const std::int64_t pictures = x.dim(0) * x.dim(1);
    const std::int64_t h = m_height.size;
    const std::int64_t w = m_width.size;
    const auto take = [&](std::int64_t rows, std::int64_t columns) {
        return context.arena.take(DType::F32, {pictures, rows, columns});
    };
    const TensorView alongWidth = take(h, m_width.waves);
    const TensorView turned = take(m_width.waves, h);
    const TensorView waves = take(m_width.waves, m_height.waves);
    const TensorView masked = take(m_width.waves, m_height.waves);
    ops.linear(x.reshape({pictures, h, w}), *m_width.analyse, alongWidth);
    ops.copy(alongWidth.permute({0, 2, 1}), turned);
    ops.linear(turned, *m_height.analyse, waves);
    const backend::Ops::Term nothing[] = {{0.0, waves}};
    ops.linearCombination(nothing, masked);
    const Shape flat{1, pictures, m_width.waves * m_height.waves};
    ops.gatedAdd(masked.reshape(flat), waves.reshape(flat), m_mask);
    ops.linear(masked, *m_height.synthesise, turned);
    ops.copy(turned.permute({0, 2, 1}), alongWidth);
    ops.linear(alongWidth, *m_width.synthesise, y.reshape({pictures, h, w}));
}

}  // namespace fw::cache
