// Rows of the softmax that attention() never forms, for looking into it.
#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kTileKeys = 32;
constexpr int kTileRows = kThreads / kTileKeys;
constexpr int kMostHeadDim = 512;

// Scores into out. blockIdx: {tile of keys, tile of rows, head}; a thread computes one.
template <class T>
__global__ __launch_bounds__(kThreads) void rowScoresKernel(const AttentionRowsArgs args,
                                                            const std::int32_t* wanted) {
    FW_DYNAMIC_SHARED(memory);
    const auto width = static_cast<int>(args.headDim);
    const int pitch = width + 1;
    float* queries = reinterpret_cast<float*>(memory);  // [kTileRows][pitch]
    float* keys = queries + kTileRows * pitch;          // [kTileKeys][pitch]
    const std::int64_t head = blockIdx.z;
    const std::int64_t firstKey = static_cast<std::int64_t>(blockIdx.x) * kTileKeys;
    const std::int64_t firstRow = static_cast<std::int64_t>(blockIdx.y) * kTileRows;
    const T* q = static_cast<const T*>(args.q) + head * args.qHead;
    const T* k = static_cast<const T*>(args.k) + head * args.kHead;
    for (int i = static_cast<int>(threadIdx.x); i < kTileRows * width; i += kThreads) {
        const std::int64_t row = firstRow + i / width;
        queries[i / width * pitch + i % width] =
            row < args.rows ? toFloat(q[wanted[row] * args.qToken + i % width]) * args.scale : 0.0F;
    }
    for (int i = static_cast<int>(threadIdx.x); i < kTileKeys * width; i += kThreads) {
        const std::int64_t key = firstKey + i / width;
        keys[i / width * pitch + i % width] = key < args.keys ? toFloat(k[key * args.kToken + i % width]) : 0.0F;
    }
    __syncthreads();
    const int key = static_cast<int>(threadIdx.x) % kTileKeys;
    const int row = static_cast<int>(threadIdx.x) / kTileKeys;
    float sum = 0.0F;
    for (int i = 0; i < width; ++i) {
        sum += queries[row * pitch + i] * keys[key * pitch + i];
    }
    if (firstRow + row < args.rows && firstKey + key < args.keys) {
        args.out[(head * args.rows + firstRow + row) * args.keys + firstKey + key] = sum;
    }
}

__device__ __forceinline__ float blockMax(float value, float* shared) {
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, offset));
    }
    __syncthreads();  // the last result has been read
    if (threadIdx.x % 32 == 0) {
        shared[threadIdx.x / 32] = value;
    }
    __syncthreads();
    for (int warp = 0; warp < kThreads / 32; ++warp) {
        value = fmaxf(value, shared[warp]);
    }
    return value;
}

// Scores into their softmax in place; its entropy is ln Z + Σ p (max - s). A block for each row.
__global__ __launch_bounds__(kThreads) void rowSoftmaxKernel(const AttentionRowsArgs args) {
    __shared__ float shared[kThreads / 32];
    float* scores = args.out + static_cast<std::int64_t>(blockIdx.x) * args.keys;
    float most = -INFINITY;
    float strange = 0.0F;  // how many scores are not finite
    for (std::int64_t i = threadIdx.x; i < args.keys; i += kThreads) {
        const float score = scores[i];
        most = fmaxf(most, score);
        strange += fabsf(score) <= 3.402823466e38F ? 0.0F : 1.0F;
    }
    most = blockMax(most, shared);
    strange = groupSum<kThreads>(strange, shared);
    float weighted = 0.0F;
    float sum = 0.0F;
    for (std::int64_t i = threadIdx.x; i < args.keys; i += kThreads) {
        const float below = most - scores[i];
        const float weight = expf(-below);
        sum += weight;
        weighted += weight > 0.0F ? weight * below : 0.0F;
        scores[i] = weight;
    }
    sum = groupSum<kThreads>(sum, shared);
    weighted = groupSum<kThreads>(weighted, shared);
    const float nothing = __int_as_float(0x7fc00000);
    const float factor = strange > 0.0F ? nothing : 1.0F / sum;
    for (std::int64_t i = threadIdx.x; i < args.keys; i += kThreads) {
        scores[i] *= factor;
    }
    if (threadIdx.x == 0) {
        args.entropies[blockIdx.x] = strange > 0.0F ? nothing : logf(sum) + weighted / sum;
    }
}

}  // namespace

Code attentionRows(Queue* queue, const AttentionRowsArgs& args) {
    if (args.headDim > kMostHeadDim) {
        return queue->fail(Code::Unsupported, "rows of attention: heads wider than 512");
    }
    if (args.rows == 0 || args.heads == 0 || args.keys == 0) {
        return Code::Ok;
    }
    const auto bytes = args.rows * static_cast<std::int64_t>(sizeof(std::int32_t));
    auto* wanted = static_cast<std::int32_t*>(queue->wantedRows.take(queue->stream, bytes));
    if (wanted == nullptr) {
        return queue->fail(Code::OutOfMemory, "no device memory for the rows wanted of attention");
    }
    // The caller's list may go once this returns: small copies are taken at once, large ones through pinned memory.
    if (const Code code = queue->check(queue->staging.upload(queue->stream, args.wanted, wanted, bytes),
                                       "copying the rows wanted of attention");
        code != Code::Ok) {
        return code;
    }
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.keys, kTileKeys)),
                      static_cast<unsigned>(ceilDiv(args.rows, kTileRows)), static_cast<unsigned>(args.heads));
    shape.threads = kThreads;
    shape.sharedBytes = (kTileRows + kTileKeys) * (args.headDim + 1) * static_cast<std::int64_t>(sizeof(float));
    const std::int32_t* rows = wanted;
    const Code code = withAct(
        args.element, [&](auto t) { return launch(*queue, rowScoresKernel<decltype(t)>, shape, args, rows); });
    if (code != Code::Ok) {
        return code;
    }
    LaunchShape softmax;
    softmax.grid = dim3(static_cast<unsigned>(args.heads * args.rows));
    softmax.threads = kThreads;
    return launch(*queue, rowSoftmaxKernel, softmax, args);
}

}  // namespace fw::kernels::cuda
