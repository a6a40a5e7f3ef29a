// RMS norm with optional rotary embedding.
#include "kernels/cuda/norm.cuh"

namespace fw::kernels::cuda {

Code rmsNorm(Queue* queue, const RmsNormArgs& args) {
    return launchNorm<RmsPolicy>(*queue, args, args.cosine != nullptr);
}

}  // namespace fw::kernels::cuda
