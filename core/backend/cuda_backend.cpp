// NVIDIA GPUs as devices: what they are, their memory, their queues.
#include "core/backend/cuda_backend.h"

#include <utility>

#include "core/backend/cuda_ops.h"
#include "core/backend/cuda_weight_stream.h"

namespace fw::backend {

namespace {

namespace cuda = kernels::cuda;

std::string versionText(std::int32_t version, std::int32_t major, std::int32_t minor) {
    return fmt::format("{}.{}", version / major, version % major / minor);
}

class CudaDevice final : public Device, public StreamsWeights {
 public:
    CudaDevice(std::shared_ptr<const CudaLibrary> library, std::int32_t index, const cuda::DeviceDescription& first)
        : m_library(std::move(library)), m_index(index), m_description(first) {}

    [[nodiscard]] DeviceInfo info() const override {
        // Only the free memory changes. A device that stopped answering has none.
        cuda::DeviceDescription now{};
        cuda::Message message{};
        const bool answers = m_library->api().describe(m_index, &now, &message) == cuda::Code::Ok;
        DeviceInfo info;
        info.kind = DeviceKind::Cuda;
        info.index = m_index;
        info.id = fmt::format("cuda:{}", m_index);
        info.name = static_cast<const char*>(m_description.name);
        info.totalBytes = m_description.totalBytes;
        info.freeBytes = answers ? now.freeBytes : 0;
        info.preferredDType = DType::BF16;
        info.computeDTypes = {DType::F32, DType::BF16};
        info.fp8 = m_description.major == 9;
        info.features = {
            fmt::format("compute capability {}.{}", m_description.major, m_description.minor),
            fmt::format("{} multiprocessors", m_description.multiprocessors),
            fmt::format("CUDA driver {}, runtime {}", versionText(m_description.driverVersion, 1000, 10),
                        versionText(m_description.runtimeVersion, 1000, 10)),
            fmt::format("cuBLASLt {}, cuDNN {}", versionText(m_description.blasVersion, 10000, 100),
                        versionText(m_description.dnnVersion, 10000, 100))};
        if (info.fp8) {
            info.features.emplace_back("fp8");
        }
        return info;
    }

    [[nodiscard]] std::int64_t footprint(std::int64_t bytes) const override { return cudaFootprint(bytes); }
    [[nodiscard]] Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes) override {
        FW_CHECK(bytes >= 0, "allocation of {} bytes", bytes);
        return allocateCuda(m_library, m_index, bytes);
    }

    [[nodiscard]] Result<std::unique_ptr<Ops>> createOps(const OpsOptions& options) override {
        if (options.threads < 0) {
            return fail(ErrorCode::InvalidArgument, "{} threads asked for; use 1 or more, or 0 for every core",
                        options.threads);
        }
        return CudaOps::create(m_library, m_index);
    }

    [[nodiscard]] Result<std::unique_ptr<WeightStream>> createWeightStream(Ops& ops) override {
        auto* own = dynamic_cast<CudaOps*>(&ops);
        FW_CHECK(own != nullptr, "a queue of another device");
        return createCudaWeightStream(m_library, m_index, own->queue(), ops);
    }

 private:
    std::shared_ptr<const CudaLibrary> m_library;
    std::int32_t m_index;
    cuda::DeviceDescription m_description;
};

}  // namespace

BackendEntry createCudaBackend() {
    BackendEntry entry;
    entry.name = "cuda";
    auto library = CudaLibrary::open();
    if (!library) {
        entry.status = library.error().message;
        return entry;
    }
    const cuda::Api& api = (*library)->api();
    cuda::Message message{};
    std::int32_t count = 0;
    if (api.deviceCount(&count, &message) != cuda::Code::Ok) {
        entry.status = static_cast<const char*>(message.text);
        return entry;
    }
    entry.status = "ok";
    for (std::int32_t index = 0; index < count; ++index) {
        cuda::DeviceDescription description{};
        if (api.describe(index, &description, &message) != cuda::Code::Ok) {
            entry.status = fmt::format("device {}: {}", index, static_cast<const char*>(message.text));
        } else if (description.major < 8) {
            entry.status =
                fmt::format("device {}: {} has compute capability {}.{}, 8.0 or newer is needed", index,
                            static_cast<const char*>(description.name), description.major, description.minor);
        } else {
            entry.devices.push_back(std::make_unique<CudaDevice>(*library, index, description));
        }
    }
    return entry;
}

}  // namespace fw::backend
