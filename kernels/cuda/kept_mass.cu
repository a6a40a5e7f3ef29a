// How much of a softmax row lies on the keys that sparse attention looked at. The walks are those of the attention
// kernels: what is summed is what they compute.
#include "kernels/cuda/sparse_walk.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kKeys = 64;  // of a step, two for each lane

using Blocks = BlockWalk<1, kKeys>;
using Window = WindowWalk<1, kKeys>;

// The walks' number of one query: a block's queries all see the same keys, the first stands for them.
__device__ __forceinline__ int tileOf(const BlockSparseArgs& args, std::int64_t, int block) {
    return block * static_cast<int>(args.cut.size);
}
// Its position in the head's order.
__device__ __forceinline__ int tileOf(const WindowArgs& args, std::int64_t head, int token) {
    const bool tokenMajor = args.orders != nullptr &&
                            args.orders[head * args.orderHead] == static_cast<std::uint8_t>(Order::TokenMajor);
    const auto frames = static_cast<int>(args.frames);
    const int plane = static_cast<int>(args.operands.keys) / frames;
    return tokenMajor ? token % plane * frames + token / plane : token;
}

// A block of threads for each row, a warp for every kWarps-th step of its walk. blockIdx: {row, head}.
template <class Walk>
__global__ __launch_bounds__(kThreads) void keptMassKernel(const typename Walk::Args seen, const float* rows,
                                                           const std::int32_t* queries, float* masses) {
    __shared__ float shared[kWarps];
    const std::int64_t head = blockIdx.y;
    const std::int64_t at = head * gridDim.x + blockIdx.x;
    const float* row = rows + at * seen.operands.keys;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    int turn = static_cast<int>(threadIdx.x) / 32;  // steps until this warp's next
    const int tile = tileOf(seen, head, queries[blockIdx.x]);
    Walk walk(seen, tile, head, 0);
    const int query = walk.queries().first;
    float sum = 0.0F;
    for (; !walk.isDone(); walk.advance(), --turn) {
        if (turn > 0) {
            continue;
        }
        turn = kWarps;
        const Run keys = walk.keys();
        for (int key = keys.first + lane; key < keys.end; key += 32) {
            sum += walk.sees(query, key) ? row[walk.keyToken(key)] : 0.0F;
        }
    }
    sum = groupSum<kThreads>(sum, shared);
    if (threadIdx.x == 0) {
        masses[at] = sum;
    }
}

}  // namespace

Code keptMass(Queue* queue, const KeptMassArgs& given) {
    const auto bytes = given.count * static_cast<std::int64_t>(sizeof(std::int32_t));
    auto* queries = static_cast<std::int32_t*>(queue->wantedRows.take(queue->stream, bytes));
    if (queries == nullptr) {
        return queue->fail(Code::OutOfMemory, "no device memory for the queries of rows");
    }
    if (const Code code = queue->check(queue->staging.upload(queue->stream, given.queries, queries, bytes),
                                       "copying the queries of rows");
        code != Code::Ok) {
        return code;
    }
    KeptMassArgs args = given;
    args.blocks.operands.keys = args.window.operands.keys = args.keys;
    args.blocks.operands.queries = args.window.operands.queries = args.keys;
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(args.count), static_cast<unsigned>(args.heads));
    shape.threads = kThreads;
    const std::int32_t* places = queries;
    return args.byLists
               ? launch(*queue, keptMassKernel<Blocks>, shape, args.blocks, args.rows, places, args.masses)
               : launch(*queue, keptMassKernel<Window>, shape, args.window, args.rows, places, args.masses);
}

}  // namespace fw::kernels::cuda
