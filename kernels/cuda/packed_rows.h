// Rows of e4m3 back to numbers: a small table of functions of its own beside that of api.h, which has the way there
// (quantiseRows).
#pragma once

#include <cstdint>

#include "kernels/cuda/api.h"

namespace fw::kernels::cuda {

// Raised with every change of the table.
inline constexpr std::int32_t kPackedRowsVersion = 1;

// y = x · scale of the row. All contiguous.
struct UnpackRowsArgs {
    std::int64_t rows, channels;
    const void* x;        // e4m3 [rows, channels]
    const float* scales;  // [rows]
    void* y;              // [rows, channels]
    Element element;      // of y: F32 or Bf16
};

struct PackedRowsApi {
    std::int32_t version;
    Code (*unpackRows)(Queue* queue, const UnpackRowsArgs& args);
};

// Null when the library was built for another version.
inline constexpr const char* kPackedRowsEntryPoint = "fwCudaPackedRowsApi";
using PackedRowsEntryPoint = const PackedRowsApi* (*)(std::int32_t version);

}  // namespace fw::kernels::cuda
