#include "core/model/rotary.h"

#include <algorithm>
#include <cmath>

namespace fw::model {

namespace {

struct Axis {
    std::int64_t positions, channels, firstPair;
};

void fillAxis(std::vector<float>& values, const Axis& axis, std::int64_t pairs, bool sine) {
    for (std::int64_t position = 0; position < axis.positions; ++position) {
        for (std::int64_t m = 0; m < axis.channels / 2; ++m) {
            const double exponent = static_cast<double>(2 * m) / static_cast<double>(axis.channels);
            const double angle = static_cast<double>(position) * (1.0 / std::pow(10000.0, exponent));
            const double value = sine ? std::sin(angle) : std::cos(angle);
            values[static_cast<std::size_t>(position * pairs + axis.firstPair + m)] = static_cast<float>(value);
        }
    }
}

// The tables of one function (cosine or sine), composed from one short table per axis.
std::vector<float> gridTable(const method::TokenGrid& grid, std::int64_t headDim, bool sine) {
    const std::int64_t pairs = headDim / 2;
    const std::int64_t space = 2 * (headDim / 6);
    const std::int64_t time = headDim - 2 * space;
    const Axis axes[] = {
        {grid.frames, time, 0}, {grid.height, space, time / 2}, {grid.width, space, time / 2 + space / 2}};
    std::vector<float> byAxis[3];
    for (std::size_t a = 0; a < 3; ++a) {
        byAxis[a].resize(static_cast<std::size_t>(axes[a].positions * pairs));
        fillAxis(byAxis[a], axes[a], pairs, sine);
    }
    std::vector<float> table(static_cast<std::size_t>(grid.tokens() * pairs));
    auto row = table.begin();
    for (std::int64_t token = 0; token < grid.tokens(); ++token) {
        const std::int64_t position[] = {token / (grid.height * grid.width), token / grid.width % grid.height,
                                         token % grid.width};
        for (std::size_t a = 0; a < 3; ++a) {
            const auto from = byAxis[a].begin() + position[a] * pairs + axes[a].firstPair;
            row = std::copy(from, from + axes[a].channels / 2, row);
        }
    }
    return table;
}

}  // namespace

RopeValues ropeValues(const method::TokenGrid& grid, std::int64_t headDim) {
    return {gridTable(grid, headDim, false), gridTable(grid, headDim, true)};
}

Status RotaryTables::prepare(backend::Ops& ops, const method::TokenGrid& grid) {
    if (m_grid == grid) {
        return {};
    }
    const std::int64_t longest = std::max({grid.frames, grid.height, grid.width});
    if (longest > m_longestAxis) {
        return fail(
            ErrorCode::InvalidArgument,
            "the clip is {} x {} x {} tokens (frames, height, width); the model knows {} positions per axis",
            grid.frames, grid.height, grid.width, m_longestAxis);
    }
    const Shape shape{grid.tokens(), m_headDim / 2};
    m_grid = {};
    FW_ASSIGN(m_cosine, backend::createTensor(*m_device, DType::F32, shape));
    FW_ASSIGN(m_sine, backend::createTensor(*m_device, DType::F32, shape));
    if (ops.deviceKind() != DeviceKind::Meta) {
        const RopeValues values = ropeValues(grid, m_headDim);
        ops.upload(ConstTensorView(values.cosine.data(), DType::F32, shape), m_cosine.view);
        ops.upload(ConstTensorView(values.sine.data(), DType::F32, shape), m_sine.view);
        FW_TRY(ops.synchronize());
    }
    m_grid = grid;
    return {};
}

}  // namespace fw::model
