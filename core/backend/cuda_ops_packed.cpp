// Rows of eight bits on a GPU.
#include "core/backend/cuda_ops.h"
#include "core/backend/cuda_views.h"

namespace fw::backend {

namespace cuda = kernels::cuda;

void CudaOps::doPackRows(const ConstTensorView& x, const TensorView& bytes, const TensorView& scales) {
    note(api().quantiseRows(m_queue, {.rows = scales.count(),
                                      .channels = x.dim(2),
                                      .x = x.data(),
                                      .element = cudaElement(x.dtype()),
                                      .xStride = x.dim(2),
                                      .y = bytes.mutableData(),
                                      .scales = scales.mutableAs<float>()}));
}

void CudaOps::doUnpackRows(const ConstTensorView& bytes, const ConstTensorView& scales, const TensorView& x) {
    note(api().unpackRows(m_queue, {.rows = scales.count(),
                                    .channels = x.dim(2),
                                    .x = bytes.data(),
                                    .scales = scales.as<float>(),
                                    .y = x.mutableData(),
                                    .element = cudaElement(x.dtype())}));
}

}  // namespace fw::backend
