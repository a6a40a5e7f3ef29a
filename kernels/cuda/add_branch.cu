// Adding the linear branch to the sparse one through its gate: memory in, memory out.
#include "kernels/cuda/sparse_branch.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kItems = 2;

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

// A thread computes kItems units of kWide neighbours, 1 or 8, all loads before the first use.
template <class T, int kWide>
__global__ __launch_bounds__(kThreads) void addBranchKernel(const AddBranchArgs args) {
    const std::int64_t perRow = args.extents.channels / kWide;
    const std::int64_t items = args.extents.batch * args.extents.rows * perRow;
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * (kThreads * kItems) + threadIdx.x;
    T* targets[kItems];
    float sums[kItems][kWide];
    float added[kItems][kWide];
    float factors[kItems];
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
        const std::int64_t item = first + i * kThreads;
        targets[i] = nullptr;
        if (item < items) {
            // 64-bit division is several times slower, and nearly every tensor has fewer elements.
            const std::int64_t index = items <= 0x7fffffff
                                           ? static_cast<std::uint32_t>(item) / static_cast<std::uint32_t>(perRow)
                                           : item / perRow;
            const std::int64_t batch = args.extents.batch == 1 ? 0 : index / args.extents.rows;
            const std::int64_t row = index - batch * args.extents.rows;
            const std::int64_t channel = (item - index * perRow) * kWide;
            targets[i] = rowOf<T>(args.target, batch, row) + channel;
            const T* branch = rowOf<T>(args.branch, batch, row) + channel;
            if constexpr (kWide == 8) {
                load8(static_cast<const T*>(targets[i]), sums[i]);
                load8(branch, added[i]);
            } else {
                sums[i][0] = toFloat(*targets[i]);
                added[i][0] = toFloat(*branch);
            }
            factors[i] = branchFactor(args, batch, row);
        }
    }
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
        if (targets[i] != nullptr) {
#pragma unroll
            for (int c = 0; c < kWide; ++c) {
                sums[i][c] += factors[i] * added[i][c];
            }
            if constexpr (kWide == 8) {
                store8(targets[i], sums[i]);
            } else {
                store(targets[i], sums[i][0]);
            }
        }
    }
}

}  // namespace

bool branchHasUnits(const AddBranchArgs& args) {
    return args.branch.data != nullptr && args.branch.element == Element::Bf16 && isVectorisable(args.branch);
}

Code prepareGates(Queue& queue, AddBranchArgs& args) {
    if (args.logits == nullptr || !args.meanGate) {
        return Code::Ok;
    }
    auto* gates = static_cast<float*>(
        queue.sparse.take(queue.stream, args.extents.batch * static_cast<std::int64_t>(sizeof(float))));
    if (gates == nullptr) {
        return queue.fail(Code::OutOfMemory, "no device memory for the gates of a branch");
    }
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(args.extents.batch));
    shape.threads = kThreads;
    args.gates = gates;
    return launch(queue, meanGateKernel, shape, args, gates);
}

Code addBranch(Queue* queue, const AddBranchArgs& given) {
    AddBranchArgs args = given;
    if (const Code code = prepareGates(*queue, args); code != Code::Ok) {
        return code;
    }
    const bool wide = isVectorisable(args.target) && isVectorisable(args.branch) && args.extents.channels % 8 == 0;
    const std::int64_t items = args.extents.batch * args.extents.rows * args.extents.channels / (wide ? 8 : 1);
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(items, kThreads * kItems)));
    shape.threads = kThreads;
    return withAct(args.target.element, [&](auto t) {
        using T = decltype(t);
        return wide ? launch(*queue, addBranchKernel<T, 8>, shape, args)
                    : launch(*queue, addBranchKernel<T, 1>, shape, args);
    });
}

}  // namespace fw::kernels::cuda
