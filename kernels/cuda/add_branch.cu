// Adding the linear branch to the sparse one through its gate: memory in, memory out.
#include "kernels/cuda/platform.cuh"
#include "kernels/cuda/sparse_args.h"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;

__device__ __forceinline__ float sigmoidOf(float x) {
    return 1.0F / (1.0F + __expf(-x));
}

// gates[batch] = sigmoid(mean logit), one thread block each.
__global__ __launch_bounds__(kThreads) void meanGateKernel(const AddBranchArgs args, float* gates) {
    __shared__ float shared[kThreads / 32];
    const float* logits = args.logits + blockIdx.x * args.logitBatch;
    float sum = 0.0F;
    for (std::int64_t row = threadIdx.x; row < args.extents.rows; row += kThreads) {
        sum += logits[row * args.logitRow];
    }
    sum = groupSum<kThreads>(sum, shared);
    if (threadIdx.x == 0) {
        gates[blockIdx.x] = sigmoidOf(sum / static_cast<float>(args.extents.rows));
    }
}

// A thread block computes rows blockIdx.x, blockIdx.x + gridDim.x …; kWide neighbours a thread, 1 or 8.
template <class T, int kWide>
__global__ __launch_bounds__(kThreads) void addBranchKernel(const AddBranchArgs args, const float* gates) {
    const std::int64_t rows = args.extents.batch * args.extents.rows;
    for (std::int64_t index = blockIdx.x; index < rows; index += gridDim.x) {
        const std::int64_t batch = index / args.extents.rows;
        const std::int64_t row = index % args.extents.rows;
        float gate = args.scale;
        if (gates != nullptr) {
            gate *= gates[batch];
        } else if (args.logits != nullptr) {
            gate *= sigmoidOf(args.logits[batch * args.logitBatch + row * args.logitRow]);
        }
        T* target = rowOf<T>(args.target, batch, row);
        const T* branch = rowOf<T>(args.branch, batch, row);
        for (std::int64_t c = static_cast<std::int64_t>(threadIdx.x) * kWide; c < args.extents.channels;
             c += kThreads * kWide) {
            if constexpr (kWide == 8) {
                float sums[8];
                float added[8];
                load8(static_cast<const T*>(target + c), sums);
                load8(branch + c, added);
#pragma unroll
                for (int i = 0; i < 8; ++i) {
                    sums[i] += gate * added[i];
                }
                store8(target + c, sums);
            } else {
                store(target + c, toFloat(target[c]) + gate * toFloat(branch[c]));
            }
        }
    }
}

}  // namespace

Code addBranch(Queue* queue, const AddBranchArgs& args) {
    float* gates = nullptr;
    if (args.logits != nullptr && args.meanGate) {
        gates = static_cast<float*>(
            queue->sparse.take(queue->stream, args.extents.batch * static_cast<std::int64_t>(sizeof(float))));
        if (gates == nullptr) {
            return queue->fail(Code::OutOfMemory, "no device memory for the gates of a branch");
        }
        LaunchShape shape;
        shape.grid = dim3(static_cast<unsigned>(args.extents.batch));
        shape.threads = kThreads;
        if (const Code code = launch(*queue, meanGateKernel, shape, args, gates); code != Code::Ok) {
            return code;
        }
    }
    constexpr std::int64_t kMostBlocks = 1 << 20;
    const std::int64_t rows = args.extents.batch * args.extents.rows;
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(rows < kMostBlocks ? rows : kMostBlocks));
    shape.threads = kThreads;
    const float* given = gates;
    return withAct(args.target.element, [&](auto t) {
        using T = decltype(t);
        const bool wide =
            isVectorisable(args.target) && isVectorisable(args.branch) && args.extents.channels % 8 == 0;
        return wide ? launch(*queue, addBranchKernel<T, 8>, shape, args, given)
                    : launch(*queue, addBranchKernel<T, 1>, shape, args, given);
    });
}

}  // namespace fw::kernels::cuda
