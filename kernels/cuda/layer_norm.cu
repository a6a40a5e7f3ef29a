// Layer norm with a modulation or an affine map.
#include "kernels/cuda/norm.cuh"

namespace fw::kernels::cuda {

Code layerNorm(Queue* queue, const LayerNormArgs& args) {
    return launchNorm<LayerPolicy>(*queue, args, false);
}

}  // namespace fw::kernels::cuda
