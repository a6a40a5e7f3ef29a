// Selective state space models as the plain recurrence in f32: any sizes and strides, one position after the other.
// For verification, and for shapes that no faster kernel takes.
#include "kernels/cuda/scan.h"
#include "kernels/cuda/scan_order.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kWarps = 4;
constexpr int kThreads = 32 * kWarps;
constexpr int kColumns = 4;  // of a head, for each warp
constexpr int kBlockColumns = kWarps * kColumns;
constexpr int kStaged = 8;  // positions whose operands lie in shared memory

template <int kState>
struct Staged {
    float b[kStaged][kState], c[kStaged][kState];
    float x[kStaged][kBlockColumns];
    float step[kStaged];   // Δ
    float decay[kStaged];  // exp(-Δ e^decay) - 1: as exact for a long memory as for a short one
    std::int64_t row[kStaged];
};

__device__ __forceinline__ float stepAt(const StateSpaceDirection& in, std::int64_t index) {
    return in.stepElement == Element::F32 ? static_cast<const float*>(in.step)[index]
                                          : toFloat(static_cast<const Bf16*>(in.step)[index]);
}

// Positions [first, first + count) of one direction and head.
template <class T, int kState>
__device__ __forceinline__ void stage(const StateSpaceArgs& args, const StateSpaceDirection& in,
                                      Staged<kState>& staged, std::int64_t first, int count) {
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const std::int64_t group = head * args.groups / args.heads;
    const int thread = static_cast<int>(threadIdx.x);
    if (thread < count) {
        const std::int64_t row = rowAt(args.order, in.reverse, args.rows, first + thread);
        const float step = softplus(stepAt(in, batch * in.stepBatch + row * in.stepRow + head) + in.stepBias[head]);
        staged.row[thread] = row;
        staged.step[thread] = step;
        staged.decay[thread] = expm1f(-step * expf(in.decay[head]));
    }
    __syncthreads();
    const T* b = static_cast<const T*>(in.b) + batch * in.bBatch + group * in.bGroup;
    const T* c = static_cast<const T*>(in.c) + batch * in.cBatch + group * in.cGroup;
    for (int i = thread; i < count * kState; i += kThreads) {
        const int position = i / kState;
        const int n = i % kState;
        const std::int64_t row = staged.row[position];
        const bool exists = n < args.stateDim;
        staged.b[position][n] = exists ? toFloat(b[row * in.bRow + n]) : 0.0F;
        staged.c[position][n] = exists ? toFloat(c[row * in.cRow + n]) : 0.0F;
    }
    const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kBlockColumns;
    const T* x = static_cast<const T*>(in.x) + batch * in.xBatch + head * in.xHead + column;
    for (int i = thread; i < count * kBlockColumns; i += kThreads) {
        const int position = i / kBlockColumns;
        const int p = i % kBlockColumns;
        staged.x[position][p] = column + p < args.headDim ? toFloat(x[staged.row[position] * in.xRow + p]) : 0.0F;
    }
    __syncthreads();
}

// blockIdx: {kBlockColumns columns of a head, head, batch}. A warp holds kColumns columns of the state, its lanes
// every 32nd number of each.
template <class T, int kPerLane>
__global__ __launch_bounds__(kThreads) void simpleScanKernel(const StateSpaceArgs args) {
    constexpr int kState = 32 * kPerLane;
    __shared__ Staged<kState> staged;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warpColumn = static_cast<int>(threadIdx.x) / 32 * kColumns;
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kBlockColumns + warpColumn;
    const std::int64_t stateOffset = ((batch * args.heads + head) * args.headDim + first) * args.stateDim + lane;
    for (int direction = 0; direction < args.directionCount; ++direction) {
        const StateSpaceDirection& in = args.directions[direction];
        const auto exists = [&](int column, int j) {
            return first + column < args.headDim && lane + 32 * j < args.stateDim;
        };
        float state[kColumns][kPerLane];
#pragma unroll
        for (int column = 0; column < kColumns; ++column) {
#pragma unroll
            for (int j = 0; j < kPerLane; ++j) {
                state[column][j] = in.initialState != nullptr && exists(column, j)
                                       ? in.initialState[stateOffset + column * args.stateDim + 32 * j]
                                       : 0.0F;
            }
        }
        for (std::int64_t begin = 0; begin < args.rows; begin += kStaged) {
            const int count = static_cast<int>(args.rows - begin < kStaged ? args.rows - begin : kStaged);
            __syncthreads();  // the last positions have been read
            stage<T, kState>(args, in, staged, begin, count);
            for (int position = 0; position < count; ++position) {
                const float step = staged.step[position];
                const float decay = staged.decay[position];
                float b[kPerLane];
                float c[kPerLane];
#pragma unroll
                for (int j = 0; j < kPerLane; ++j) {
                    b[j] = staged.b[position][lane + 32 * j];
                    c[j] = staged.c[position][lane + 32 * j];
                }
#pragma unroll
                for (int column = 0; column < kColumns; ++column) {
                    const float x = staged.x[position][warpColumn + column];
                    const float added = step * x;
                    float sum = 0.0F;
#pragma unroll
                    for (int j = 0; j < kPerLane; ++j) {
                        float& value = state[column][j];
                        // What is kept, rounded once, and only then what is new: a decay of exactly -1 leaves
                        // nothing.
                        value = fmaf(value, decay, value) + added * b[j];
                        sum += value * c[j];
                    }
                    sum = groupSum<32>(sum, nullptr);
                    if (args.y != nullptr && lane == column && first + column < args.headDim) {
                        T* y = static_cast<T*>(args.y) + batch * args.yBatch + staged.row[position] * args.yRow +
                               head * args.yHead + first + column;
                        const float value = sum + in.skip[head] * x;
                        store(y, direction > 0 ? value + toFloat(*y) : value);
                    }
                }
            }
        }
#pragma unroll
        for (int column = 0; column < kColumns; ++column) {
#pragma unroll
            for (int j = 0; j < kPerLane; ++j) {
                if (in.finalState != nullptr && exists(column, j)) {
                    in.finalState[stateOffset + column * args.stateDim + 32 * j] = state[column][j];
                }
            }
        }
    }
}

}  // namespace

Code simpleScan(Queue& queue, const StateSpaceArgs& args) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.headDim, kBlockColumns)),
                      static_cast<unsigned>(args.heads), static_cast<unsigned>(args.batch));
    shape.threads = kThreads;
    return withAct(args.element, [&](auto t) {
        using T = decltype(t);
        if (args.stateDim <= 32) {
            return launch(queue, simpleScanKernel<T, 1>, shape, args);
        }
        if (args.stateDim <= 64) {
            return launch(queue, simpleScanKernel<T, 2>, shape, args);
        }
        if (args.stateDim <= 128) {
            return launch(queue, simpleScanKernel<T, 4>, shape, args);
        }
        return launch(queue, simpleScanKernel<T, 8>, shape, args);
    });
}

}  // namespace fw::kernels::cuda
