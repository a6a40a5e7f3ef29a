// The CPU as a device: what it is, its memory, its queues.
#include "core/backend/cpu_backend.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <dnnl.hpp>
#include <fstream>
#include <string>
#include <thread>

#include "core/backend/cpu_memory.h"
#include "core/backend/cpu_ops.h"
#include "kernels/cpu/attention.h"

namespace fw::backend {

namespace {

// Bytes handed out by one device. Outlives it as long as a buffer does.
using ByteCount = std::shared_ptr<std::atomic<std::int64_t>>;

class CpuBuffer final : public Buffer {
 public:
    CpuBuffer(AlignedBytes data, std::int64_t bytes, ByteCount total)
        : Buffer(data.get(), bytes, DeviceKind::Cpu), m_owned(std::move(data)), m_total(std::move(total)) {
        m_total->fetch_add(bytes);
    }
    ~CpuBuffer() override { m_total->fetch_sub(m_bytes); }

 private:
    AlignedBytes m_owned;
    ByteCount m_total;
};

std::string processorName() {
    std::ifstream stream("/proc/cpuinfo");
    std::string line;
    while (std::getline(stream, line)) {
        const std::size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "unknown processor";
}

// Cores this process may run on.
int availableCores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) {
        return CPU_COUNT(&set);
    }
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

// oneDNN's choice, so that DNNL_MAX_CPU_ISA is honoured.
std::string instructionSet() {
    switch (dnnl::get_effective_cpu_isa()) {
        case dnnl::cpu_isa::avx512_core_amx:
            return "AMX bf16";
        case dnnl::cpu_isa::avx512_core_bf16:
            return "AVX-512 bf16";
        case dnnl::cpu_isa::avx512_core_vnni:
        case dnnl::cpu_isa::avx512_core:
            return "AVX-512";
        case dnnl::cpu_isa::avx2_vnni:
        case dnnl::cpu_isa::avx2:
            return "AVX2";
        case dnnl::cpu_isa::avx:
            return "AVX";
        default:
            return "SSE4.1";
    }
}

class CpuDevice final : public Device {
 public:
    [[nodiscard]] DeviceInfo info() const override {
        const HostMemory memory = readHostMemory();
        // bf16 without AMX tiles is slower than f32.
        const bool bf16 = hasFastBf16();
        DeviceInfo info;
        info.kind = DeviceKind::Cpu;
        info.id = "cpu";
        info.name = fmt::format("{} ({})", processorName(), instructionSet());
        info.totalBytes = memory.totalBytes;
        info.freeBytes = memory.availableBytes;
        info.preferredDType = bf16 ? DType::BF16 : DType::F32;
        info.computeDTypes = {DType::F32};
        info.features = {
            fmt::format("products: {}", instructionSet()),
            fmt::format("attention f32: {}", kernels::cpu::attentionTarget(kernels::cpu::Element::F32))};
        if (bf16) {
            info.computeDTypes.push_back(DType::BF16);
            info.features.push_back(
                fmt::format("attention bf16: {}", kernels::cpu::attentionTarget(kernels::cpu::Element::Bf16)));
        }
        return info;
    }

    [[nodiscard]] Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes) override {
        FW_CHECK(bytes >= 0, "allocation of {} bytes", bytes);
        const HostMemory memory = readHostMemory();
        // Pages not touched yet still count as available, so what was handed out is compared with the total as
        // well.
        const std::int64_t free = std::min(memory.availableBytes, memory.totalBytes - m_allocated->load());
        AlignedBytes data;
        if (bytes <= free) {
            data = allocateAligned(bytes);
        }
        if (data == nullptr) {
            return fail(ErrorCode::OutOfMemory, "{} bytes of memory are needed at once, {} are free", bytes,
                        std::max<std::int64_t>(0, free));
        }
        return std::make_unique<CpuBuffer>(std::move(data), bytes, m_allocated);
    }

    [[nodiscard]] Result<std::unique_ptr<Ops>> createOps(const OpsOptions& options) override {
        if (options.threads < 0) {
            return fail(ErrorCode::InvalidArgument, "{} threads asked for; use 1 or more, or 0 for every core",
                        options.threads);
        }
        return CpuOps::create(options.threads == 0 ? defaultThreads() : options.threads);
    }

 private:
    ByteCount m_allocated = std::make_shared<std::atomic<std::int64_t>>(0);
};

}  // namespace

// OMP_NUM_THREADS lowers the default, as for any OpenMP program.
int defaultThreads() {
    const char* text = std::getenv("OMP_NUM_THREADS");
    const int wanted = text == nullptr ? 0 : std::atoi(text);
    return wanted > 0 ? std::min(wanted, availableCores()) : availableCores();
}

BackendEntry createCpuBackend() {
    BackendEntry entry;
    entry.name = "cpu";
    entry.status = "ok";
    entry.devices.push_back(std::make_unique<CpuDevice>());
    return entry;
}

}  // namespace fw::backend
