// Sums over rows of a softmax: a warp for each sum of a row, a thread for each key of all rows. No atomics, so that
// the bits depend on the operands alone.
#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

__host__ __device__ __forceinline__ std::int64_t boxesAlong(const RowSumsArgs& args, int axis) {
    return (args.grid[axis] + args.pool[axis] - 1) / args.pool[axis];
}

// The tokens [begin, end) along each axis that sum `index` of a row is made of.
struct Box {
    std::int64_t begin[3], extent[3];
};

__device__ __forceinline__ Box boxOf(const RowSumsArgs& args, std::int64_t index) {
    Box box{{0, 0, 0}, {args.grid[0], args.grid[1], args.grid[2]}};
    const std::int64_t lines = boxesAlong(args, 1), columns = boxesAlong(args, 2);
    const std::int64_t boxes = boxesAlong(args, 0) * lines * columns;
    if (index < boxes) {
        const std::int64_t place[3] = {index / (lines * columns), index / columns % lines, index % columns};
        for (int axis = 0; axis < 3; ++axis) {
            box.begin[axis] = place[axis] * args.pool[axis];
            const std::int64_t left = args.grid[axis] - box.begin[axis];
            box.extent[axis] = left < args.pool[axis] ? left : args.pool[axis];
        }
        return box;
    }
    index -= boxes;
    for (int axis = 0; axis < 3; ++axis) {
        if (index < args.grid[axis]) {
            box.begin[axis] = index;
            box.extent[axis] = 1;
            return box;
        }
        index -= args.grid[axis];
    }
    return box;
}

// number / divisor, whose reciprocal is given: a third of the instructions of a division. Exact for numbers below
// kSmall: half a unit away from the next quotient is at least 2^-21 of the number, and both roundings are 2^-23.
constexpr std::uint32_t kSmall = 1U << 20U;
__device__ __forceinline__ std::uint32_t quotient(std::uint32_t number, std::uint32_t divisor, float reciprocal) {
    return number < kSmall ? static_cast<std::uint32_t>((static_cast<float>(number) + 0.5F) * reciprocal)
                           : number / divisor;
}

__global__ __launch_bounds__(kThreads) void sumRow(const RowSumsArgs args, std::int64_t sums) {
    const std::int64_t keys = args.grid[0] * args.grid[1] * args.grid[2];
    const std::int64_t at = static_cast<std::int64_t>(blockIdx.y) * args.count + blockIdx.x;
    const float* row = args.rows + at * keys;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (std::int64_t index = static_cast<int>(threadIdx.x) / 32; index < sums; index += kWarps) {
        const Box box = boxOf(args, index);
        const auto columns = static_cast<std::uint32_t>(box.extent[2]),
                   lines = static_cast<std::uint32_t>(box.extent[1]);
        const std::uint32_t items = static_cast<std::uint32_t>(box.extent[0]) * lines * columns;
        const float* const corner =
            row + (box.begin[0] * args.grid[1] + box.begin[1]) * args.grid[2] + box.begin[2];
        const float perColumn = 1.0F / static_cast<float>(columns), perLine = 1.0F / static_cast<float>(lines);
        const auto height = static_cast<std::uint32_t>(args.grid[1]), width = static_cast<std::uint32_t>(args.grid[2]);
        float sum = 0.0F;
        for (auto i = static_cast<std::uint32_t>(lane); i < items; i += 32) {
            const std::uint32_t line = quotient(i, columns, perColumn);
            const std::uint32_t frame = quotient(line, lines, perLine);
            // A row has fewer than 2^31 keys.
            sum += corner[(frame * height + line - frame * lines) * width + i - line * columns];
        }
        sum = groupSum<32>(sum, nullptr);
        if (lane == 0) {
            args.sums[at * sums + index] = sum;
        }
    }
}

__global__ __launch_bounds__(kThreads) void sumColumn(const RowSumsArgs args) {
    const std::int64_t keys = args.grid[0] * args.grid[1] * args.grid[2];
    const std::int64_t key = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (key >= keys) {
        return;
    }
    const float* rows = args.rows + blockIdx.y * args.count * keys + key;
    float sum = 0.0F;
    for (std::int64_t row = 0; row < args.count; ++row) {
        sum += rows[row * keys];
    }
    args.columns[blockIdx.y * keys + key] = sum;
}

}  // namespace

Code rowSums(Queue* queue, const RowSumsArgs& args) {
    const std::int64_t keys = args.grid[0] * args.grid[1] * args.grid[2];
    const std::int64_t boxes = boxesAlong(args, 0) * boxesAlong(args, 1) * boxesAlong(args, 2);
    LaunchShape shape;
    shape.threads = kThreads;
    shape.grid = dim3(static_cast<unsigned>(args.count), static_cast<unsigned>(args.heads));
    const Code code = launch(*queue, sumRow, shape, args, boxes + args.grid[0] + args.grid[1] + args.grid[2]);
    if (code != Code::Ok) {
        return code;
    }
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(keys, kThreads)), static_cast<unsigned>(args.heads));
    return launch(*queue, sumColumn, shape, args);
}

}  // namespace fw::kernels::cuda
