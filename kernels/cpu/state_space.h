// Selective state space models (Mamba2) on the CPU: the chunked form of the scan, linear in rows.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace fw::kernels::cpu {

// One direction. x, b and c are of the call's element type, stride 1 last; strides in elements.
struct StateSpaceDirection {
    const void* x = nullptr;  // [batch, rows, heads, headDim]
    const void* b = nullptr;  // [batch, rows, groups, stateDim]
    const void* c = nullptr;
    const void* step = nullptr;  // [batch, rows, heads]
    Element stepElement = Element::F32;
    std::int64_t xBatch = 0, xRow = 0, xHead = 0;
    std::int64_t bBatch = 0, bRow = 0, bGroup = 0;
    std::int64_t cBatch = 0, cRow = 0, cGroup = 0;
    std::int64_t stepBatch = 0, stepRow = 0;  // heads have stride 1
    const float* stepBias = nullptr;          // [heads] each
    const float* decay = nullptr;
    const float* skip = nullptr;
    const float* initialState = nullptr;  // [batch, heads, headDim, stateDim], or null: zeros
    float* finalState = nullptr;          // the same, or null
    bool reverse = false;
};

// y_t = S_t c_t + skip · x_t, S_t = exp(-Δ_t e^decay) S_{t-1} + Δ_t x_t b_tᵀ, Δ = softplus(step + stepBias), at
// every position t of the order; the sum over the directions.
struct StateSpaceArgs {
    const StateSpaceDirection* directions = nullptr;
    int directionCount = 1;
    void* y = nullptr;  // [batch, rows, heads, headDim], or null: only the final states are wanted
    std::int64_t yBatch = 0, yRow = 0, yHead = 0;
    std::int64_t batch = 0, rows = 0, heads = 0, headDim = 0, groups = 0, stateDim = 0;
    Element element = Element::F32;
    const std::int32_t* order = nullptr;  // [rows]: the row at each position; null: as they lie
    std::int64_t chunk = 64;
    int threads = 1;
    void* workspace = nullptr;  // 64-byte aligned
};

// Depends on sizes and threads, not on rows.
[[nodiscard]] std::int64_t stateSpaceWorkspaceBytes(const StateSpaceArgs& args);

// Follows the chunked form of Mamba2 (https://arxiv.org/abs/2405.21060): within a chunk as masked products, between
// chunks through the state, which stays with the thread. All arithmetic in f32; decays are exponentials of sums of
// equal sign, never quotients. Results do not depend on the number of threads. The recurrence in double precision
// is met within 1e-5 of the largest value in f32.
void stateSpaceScan(const StateSpaceArgs& args);

}  // namespace fw::kernels::cpu
