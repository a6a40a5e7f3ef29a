// What rows of a softmax over a clip's tokens come down to.
#pragma once

#include <array>
#include <cstdint>

namespace fw::kernels::cpu {

// Keys are the tokens of grid [T, H, W]; boxes of `pool` tokens cut it into [BT, BH, BW], smaller at the far ends.
struct RowSumsArgs {
    const float* rows = nullptr;  // [heads, rows, T·H·W]
    std::int64_t heads = 0, count = 0;
    std::array<std::int64_t, 3> grid{}, pool{};
    float* sums = nullptr;     // [heads, rows, BT·BH·BW + T + H + W]: by box, frame, line and column of the grid
    float* columns = nullptr;  // [heads, T·H·W]: of all rows of a head
    int threads = 1;
};

// In f32; results do not depend on the number of threads.
void rowSums(const RowSumsArgs& args);

}  // namespace fw::kernels::cpu
