// The list of back-ends: a new one is a file implementing Device and Ops, and a line here.
#include <fmt/ranges.h>

#include "core/backend/cpu_backend.h"
#ifdef FW_CUDA
#include "core/backend/cuda_backend.h"
#endif
#include "core/backend/device.h"

namespace fw::backend {

Result<OwnedTensor> createTensor(Device& device, DType dtype, const Shape& shape) {
    OwnedTensor tensor;
    FW_ASSIGN(tensor.buffer, device.allocate(shape.product() * dtypeSize(dtype)));
    tensor.view = TensorView(tensor.buffer->data(), dtype, shape, tensor.buffer->device());
    return tensor;
}

std::vector<BackendEntry> createBackends() {
    std::vector<BackendEntry> backends;
#ifdef FW_CUDA
    backends.push_back(createCudaBackend());
#endif
    backends.push_back(createCpuBackend());
    return backends;
}

Result<std::unique_ptr<Device>> createDevice(const std::string& choice) {
    std::vector<std::string> known{"auto"};
    for (BackendEntry& backend : createBackends()) {
        for (std::unique_ptr<Device>& device : backend.devices) {
            const std::string id = device->info().id;
            if (choice == "auto" || choice == id) {
                return std::move(device);
            }
            known.push_back(id);
        }
        if (backend.devices.empty() && choice.starts_with(backend.name)) {
            return fail(ErrorCode::Unsupported, "there is no device \"{}\" here: {}", choice, backend.status);
        }
    }
    return fail(ErrorCode::Unsupported, "there is no device \"{}\" here; choose one of {}", choice,
                fmt::join(known, ", "));
}

}  // namespace fw::backend
