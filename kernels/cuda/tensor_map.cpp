#include "kernels/cuda/tensor_map.h"

#include <cudaTypedefs.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace fw::kernels::cuda {

namespace {

// The driver's library is not linked; its functions are asked for at run time.
PFN_cuTensorMapEncodeTiled_v12000 encodeFunction() {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult found{};
    constexpr unsigned kVersion = 12000;
    const cudaError_t status =
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, kVersion, cudaEnableDefault, &found);
    if (status != cudaSuccess || found != cudaDriverEntryPointSuccess) {
        static_cast<void>(cudaGetLastError());
        return nullptr;
    }
    return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
}

// A dimension of one element may have any stride, the accelerator wants one all the same.
cuuint64_t strideBytes(std::int64_t extent, std::int64_t stride, std::int64_t width) {
    return static_cast<cuuint64_t>((extent == 1 ? width : stride) * 2);
}

// `kRank` dimensions, the fastest first; strides in bytes of all but the fastest.
template <cuuint32_t kRank>
bool encode(TensorMap& map, const void* data, const cuuint64_t (&extents)[kRank],
            const cuuint64_t (&strides)[kRank - 1], const cuuint32_t (&box)[kRank]) {
    static const PFN_cuTensorMapEncodeTiled_v12000 kEncode = encodeFunction();
    if (kEncode == nullptr) {
        return false;
    }
    cuuint32_t steps[kRank];
    std::fill(std::begin(steps), std::end(steps), 1U);
    CUtensorMap encoded{};
    static_assert(sizeof(encoded) == sizeof(map.bytes));
    if (kEncode(&encoded, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, kRank, const_cast<void*>(data), extents, strides, box,
                steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) != CUDA_SUCCESS) {
        return false;
    }
    std::memcpy(map.bytes, &encoded, sizeof(encoded));
    return true;
}

constexpr cuuint32_t kBoxColumns = 64;

}  // namespace

bool makeTensorMap(TensorMap& map, const TensorMapSpec& spec) {
    const cuuint64_t extents[4] = {static_cast<cuuint64_t>(spec.width), static_cast<cuuint64_t>(spec.tokens),
                                   static_cast<cuuint64_t>(spec.heads), static_cast<cuuint64_t>(spec.batch)};
    const cuuint64_t strides[3] = {strideBytes(spec.tokens, spec.tokenStride, spec.width),
                                   strideBytes(spec.heads, spec.headStride, spec.width),
                                   strideBytes(spec.batch, spec.batchStride, spec.width)};
    const cuuint32_t box[4] = {kBoxColumns, static_cast<cuuint32_t>(spec.boxTokens), 1, 1};
    return encode(map, spec.data, extents, strides, box);
}

bool makeGridMap(TensorMap& map, const GridMapSpec& spec) {
    cuuint64_t extents[5];
    cuuint64_t strides[4];
    cuuint32_t box[5] = {kBoxColumns};
    extents[0] = static_cast<cuuint64_t>(spec.extents[0]);
    for (int i = 0; i < 4; ++i) {
        extents[i + 1] = static_cast<cuuint64_t>(spec.extents[i + 1]);
        strides[i] = strideBytes(spec.extents[i + 1], spec.strides[i], spec.extents[0]);
        box[i + 1] = static_cast<cuuint32_t>(spec.box[i]);
    }
    return encode(map, spec.data, extents, strides, box);
}

}  // namespace fw::kernels::cuda
