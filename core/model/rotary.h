// 3-D rotary position embedding of a clip's tokens (https://arxiv.org/abs/2104.09864, in the form of Wan2.1).
#pragma once

#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/method/attention_method.h"

namespace fw::model {

// Cosines and sines for every token of a grid: f32 [tokens, headDim / 2] each.
// Of a head's pairs, the first belong to time, then to rows, then to columns: h = w = 2·(headDim / 6) channels, the
// rest time. Angles are float64, position · 10000^(-2m / channels of the axis), positions counted from 0.
struct RopeValues {
    std::vector<float> cosine, sine;
};
[[nodiscard]] RopeValues ropeValues(const method::TokenGrid& grid, std::int64_t headDim);

// The same on a device, made anew when the grid changes. The device must outlive the object.
class RotaryTables {
 public:
    RotaryTables(backend::Device& device, std::int64_t headDim, std::int64_t longestAxis)
        : m_device(&device), m_headDim(headDim), m_longestAxis(longestAxis) {}
    // InvalidArgument when an axis is longer than the model's range of positions. Waits for the device.
    [[nodiscard]] Status prepare(backend::Ops& ops, const method::TokenGrid& grid);
    // Of the grid prepared last.
    [[nodiscard]] backend::RopeTables tables() const { return {m_cosine.view, m_sine.view}; }

 private:
    backend::Device* m_device;
    std::int64_t m_headDim, m_longestAxis;
    method::TokenGrid m_grid;
    backend::OwnedTensor m_cosine, m_sine;
};

}  // namespace fw::model
