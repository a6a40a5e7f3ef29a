#include "kernels/cuda/timing.h"

#include <cuda_runtime.h>

#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

namespace {

Code startTiming(Queue* queue) {
    Code code = queue->check(cudaSetDevice(queue->device), "choosing the device");
    if (code == Code::Ok) {
        code = queue->check(queue->clock.start(), "making an event");
    }
    return code;
}

Code busyMicroseconds(Queue* queue, double* microseconds) {
    *microseconds = queue->clock.microseconds();
    return Code::Ok;
}

constexpr TimingApi kTimingApi = {
    .version = kTimingVersion,
    .start = startTiming,
    .busyMicroseconds = busyMicroseconds,
};

}  // namespace
}  // namespace fw::kernels::cuda

extern "C" __attribute__((visibility("default"))) const fw::kernels::cuda::TimingApi* fwCudaTimingApi(
    std::int32_t version) {
    return version == fw::kernels::cuda::kTimingVersion ? &fw::kernels::cuda::kTimingApi : nullptr;
}
