// The CUDA kernels' library, opened at run time: a program that never linked CUDA computes on a GPU where there is
// one.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "kernels/cuda/api.h"
#include "kernels/cuda/streaming.h"
#include "kernels/cuda/timing.h"

namespace fw::backend {

// Stays loaded until the program ends: CUDA's runtime inside it does not survive being unloaded and loaded again.
class CudaLibrary {
 public:
    // libfw_cuda.so from the environment variable FW_CUDA_LIBRARY (a path, for tests), beside the program, in
    // ../lib/framewright, or where the system looks. Unsupported, with what is missing, when it cannot be opened or
    // belongs to another version.
    [[nodiscard]] static Result<std::shared_ptr<const CudaLibrary>> open();
    // Whether open() has a file to try, short of asking the system.
    [[nodiscard]] static bool isThere();

    [[nodiscard]] const kernels::cuda::Api& api() const { return *m_api; }
    // Null when the library has none of this version.
    [[nodiscard]] const kernels::cuda::StreamingApi* streaming() const { return m_streaming; }
    [[nodiscard]] const kernels::cuda::TimingApi* timing() const { return m_timing; }

 private:
    CudaLibrary(const kernels::cuda::Api* api, const kernels::cuda::StreamingApi* streaming,
                const kernels::cuda::TimingApi* timing)
        : m_api(api), m_streaming(streaming), m_timing(timing) {}

    const kernels::cuda::Api* m_api;
    const kernels::cuda::StreamingApi* m_streaming;
    const kernels::cuda::TimingApi* m_timing;
};

// A code and its sentence as an error of the engine.
[[nodiscard]] Error cudaError(kernels::cuda::Code code, const kernels::cuda::Message& message);

}  // namespace fw::backend
