#include "metered_device.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fw::gpu {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{10};

class MeteredDevice final : public backend::Device, public backend::StreamsWeights {
 public:
    MeteredDevice(std::unique_ptr<backend::Device> device, Meter& meter)
        : m_device(std::move(device)), m_meter(meter) {}
    ~MeteredDevice() override {
        m_meter.memory.reset();
        m_meter.queue = nullptr;
    }
    MeteredDevice(const MeteredDevice&) = delete;
    MeteredDevice& operator=(const MeteredDevice&) = delete;

    [[nodiscard]] backend::DeviceInfo info() const override { return m_device->info(); }
    [[nodiscard]] std::int64_t footprint(std::int64_t bytes) const override { return m_device->footprint(bytes); }
    [[nodiscard]] Result<std::unique_ptr<backend::Buffer>> allocate(std::int64_t bytes) override {
        return m_device->allocate(bytes);
    }
    [[nodiscard]] Result<std::unique_ptr<backend::Ops>> createOps(const backend::OpsOptions& options) override {
        FW_ASSIGN(auto ops, m_device->createOps(options));
        auto* cuda = dynamic_cast<backend::CudaOps*>(ops.get());
        if (cuda == nullptr) {
            return ops;
        }
        if (m_meter.library->timing() == nullptr ||
            m_meter.library->timing()->start(cuda->queue()) != kernels::cuda::Code::Ok) {
            return fail(ErrorCode::Unsupported, "this CUDA engine does not measure time");
        }
        m_meter.queue = cuda->queue();
        const backend::DeviceInfo about = info();
        m_meter.totalBytes = about.totalBytes;
        m_meter.freeAtFirst = about.freeBytes;
        m_meter.memory = std::make_unique<MemoryWatch>(*m_device);
        return ops;
    }
    [[nodiscard]] Result<std::unique_ptr<backend::WeightStream>> createWeightStream(backend::Ops& ops) override {
        auto* streams = dynamic_cast<backend::StreamsWeights*>(m_device.get());
        if (streams == nullptr) {
            return fail(ErrorCode::Unsupported, "{} keeps no weights in host memory", info().id);
        }
        return streams->createWeightStream(ops);
    }

 private:
    std::unique_ptr<backend::Device> m_device;
    Meter& m_meter;
};

}  // namespace

MemoryWatch::MemoryWatch(const backend::Device& device)
    : m_device(device), m_least(device.info().freeBytes), m_thread([this] {
          while (!m_stops) {
              look();
              std::this_thread::sleep_for(kBetweenLooks);
          }
      }) {}

MemoryWatch::~MemoryWatch() {
    m_stops = true;
    m_thread.join();
}

void MemoryWatch::look() {
    const std::int64_t free = m_device.info().freeBytes;
    std::int64_t least = m_least;
    while (free < least && !m_least.compare_exchange_weak(least, free)) {
    }
}

void MemoryWatch::restart() {
    m_least = m_device.info().freeBytes;
}

double Meter::busySeconds() const {
    constexpr double kSeconds = 1e-6;
    double microseconds = 0.0;
    if (queue != nullptr) {
        static_cast<void>(library->timing()->busyMicroseconds(queue, &microseconds));
    }
    return microseconds * kSeconds;
}

std::int64_t Meter::peakBytes() const {
    return memory == nullptr ? 0 : std::max<std::int64_t>(0, freeAtFirst - memory->leastFreeBytes());
}

Result<std::unique_ptr<backend::Device>> createMeteredDevice(const std::string& choice, Meter& meter) {
    FW_ASSIGN(auto device, backend::createDevice(choice));
    if (device->info().kind == DeviceKind::Cuda) {
        FW_ASSIGN(meter.library, backend::CudaLibrary::open());
    }
    return std::make_unique<MeteredDevice>(std::move(device), meter);
}

}  // namespace fw::gpu
