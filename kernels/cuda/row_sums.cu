// Sums over rows of a softmax, without atomics, so that the bits depend on the operands alone. A row is read once for
// all but the columns over all rows: a warp takes a stack of boxes, those that share their frames and lines of the grid, and leaves the sum of each line
// of it and, for each column, the sum over its lines. What is asked for are sums of those.
#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kColumnsEach = 4;  // of a lane at a time
constexpr int kLinesAtOnce = 4;  // on their way at a time

// What is left of every row.
struct RowParts {
    float* lines;   // [rows, T, H]
    float* stacks;  // [rows, stacks, W]
};

struct Boxes {
    int frames, lines, columns;  // how many along each axis
    __host__ __device__ __forceinline__ int stacks() const { return frames * lines; }
};
__host__ __device__ __forceinline__ Boxes boxesOf(const RowSumsArgs& args) {
    const auto along = [&](int axis) {
        return static_cast<int>((args.grid[axis] + args.pool[axis] - 1) / args.pool[axis]);
    };
    return {along(0), along(1), along(2)};
}

// Box `index` along an axis.
struct Along {
    int begin, extent;
};
__device__ __forceinline__ Along boxAlong(const RowSumsArgs& args, int axis, int index) {
    const int begin = index * static_cast<int>(args.pool[axis]);
    const int left = static_cast<int>(args.grid[axis]) - begin;
    return {begin, left < static_cast<int>(args.pool[axis]) ? left : static_cast<int>(args.pool[axis])};
}

__global__ __launch_bounds__(kThreads) void sumStacks(const RowSumsArgs args, const RowParts parts) {
    const Boxes boxes = boxesOf(args);
    const int blocksOfRow = (boxes.stacks() + kWarps - 1) / kWarps;
    const std::int64_t at = blockIdx.x / blocksOfRow;
    const int stack = static_cast<int>(blockIdx.x % blocksOfRow) * kWarps + static_cast<int>(threadIdx.x) / 32;
    if (stack >= boxes.stacks()) {
        return;
    }
    const Along frames = boxAlong(args, 0, stack / boxes.lines), lines = boxAlong(args, 1, stack % boxes.lines);
    const auto height = static_cast<int>(args.grid[1]), width = static_cast<int>(args.grid[2]);
    const std::int64_t linesOfRow = args.grid[0] * args.grid[1];
    const float* row = args.rows + at * linesOfRow * width;
    float* const lineSums = parts.lines + at * linesOfRow;
    float* const columnSums = parts.stacks + (at * boxes.stacks() + stack) * width;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (int begin = lane; begin - lane < width; begin += 32 * kColumnsEach) {
        float columns[kColumnsEach] = {};
        int frame = 0, line = 0;
        while (frame < frames.extent) {
            float values[kLinesAtOnce][kColumnsEach];
            int places[kLinesAtOnce];  // -1: there is none
#pragma unroll
            for (int l = 0; l < kLinesAtOnce; ++l) {
                const bool exists = frame < frames.extent;
                places[l] = exists ? (frames.begin + frame) * height + lines.begin + line : -1;
                const float* from = row + static_cast<std::int64_t>(exists ? places[l] : 0) * width + begin;
#pragma unroll
                for (int j = 0; j < kColumnsEach; ++j) {
                    values[l][j] = exists && begin + 32 * j < width ? from[32 * j] : 0.0F;
                }
                line = line + 1 < lines.extent ? line + 1 : 0;
                frame += line == 0 ? 1 : 0;
            }
#pragma unroll
            for (int l = 0; l < kLinesAtOnce; ++l) {
                float sum = 0.0F;
#pragma unroll
                for (int j = 0; j < kColumnsEach; ++j) {
                    columns[j] += values[l][j];
                    sum += values[l][j];
                }
                sum = groupSum<32>(sum, nullptr);
                if (lane == 0 && places[l] >= 0) {
                    lineSums[places[l]] = begin == 0 ? sum : lineSums[places[l]] + sum;
                }
            }
        }
#pragma unroll
        for (int j = 0; j < kColumnsEach; ++j) {
            if (begin + 32 * j < width) {
                columnSums[begin + 32 * j] = columns[j];
            }
        }
    }
}

__device__ __forceinline__ float sumOf(const float* first, int count, std::int64_t step) {
    float sum = 0.0F;
#pragma unroll 4
    for (int i = 0; i < count; ++i) {
        sum += first[i * step];
    }
    return sum;
}

// A block for each row, a thread for each of its sums.
__global__ __launch_bounds__(kThreads) void sumParts(const RowSumsArgs args, const RowParts parts) {
    const Boxes boxes = boxesOf(args);
    const auto frames = static_cast<int>(args.grid[0]), height = static_cast<int>(args.grid[1]),
               width = static_cast<int>(args.grid[2]);
    const std::int64_t at = blockIdx.x;
    const float* lines = parts.lines + at * frames * height;
    const float* stacks = parts.stacks + at * boxes.stacks() * width;
    const int inBoxes = boxes.stacks() * boxes.columns;
    const int all = inBoxes + frames + height + width;
    for (int index = static_cast<int>(threadIdx.x); index < all; index += kThreads) {
        float sum = 0.0F;
        if (index < inBoxes) {
            const Along columns = boxAlong(args, 2, index % boxes.columns);
            sum = sumOf(stacks + static_cast<std::int64_t>(index / boxes.columns) * width + columns.begin,
                        columns.extent, 1);
        } else if (const int frame = index - inBoxes; frame < frames) {
            sum = sumOf(lines + static_cast<std::int64_t>(frame) * height, height, 1);
        } else if (const int line = frame - frames; line < height) {
            sum = sumOf(lines + line, frames, height);
        } else {
            sum = sumOf(stacks + line - height, boxes.stacks(), width);
        }
        args.sums[at * all + index] = sum;
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
    const std::int64_t rows = args.heads * args.count;
    const std::int64_t stacks = boxesOf(args).stacks();
    const std::int64_t lines = rows * args.grid[0] * args.grid[1];
    const std::int64_t numbers = lines + rows * stacks * args.grid[2];
    auto* scratch = static_cast<float*>(
        queue->sums.take(queue->stream, numbers * static_cast<std::int64_t>(sizeof(float))));
    if (scratch == nullptr) {
        return queue->fail(Code::OutOfMemory, "no device memory for the sums of rows");
    }
    const RowParts parts{scratch, scratch + lines};
    LaunchShape shape;
    shape.threads = kThreads;
    shape.grid = dim3(static_cast<unsigned>(rows * ceilDiv(stacks, kWarps)));
    Code code = launch(*queue, sumStacks, shape, args, parts);
    if (code == Code::Ok) {
        shape.grid = dim3(static_cast<unsigned>(rows));
        code = launch(*queue, sumParts, shape, args, parts);
    }
    if (code == Code::Ok) {
        shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.grid[0] * args.grid[1] * args.grid[2], kThreads)),
                          static_cast<unsigned>(args.heads));
        code = launch(*queue, sumColumn, shape, args);
    }
    return code;
}

}  // namespace fw::kernels::cuda
