// Devices and the memory on them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::backend {

class Ops;

// What a device says about itself, for `fw doctor`, the studio and the planner.
struct DeviceInfo {
    DeviceKind kind = DeviceKind::Cpu;
    int index = 0;
    std::string id;    // "cpu", "cuda:0": what --device takes
    std::string name;  // "Intel Xeon … (AMX bf16, 2 threads)"
    std::int64_t totalBytes = 0;
    std::int64_t freeBytes = 0;
    DType preferredDType = DType::F32;  // what --dtype auto picks
    std::vector<DType> computeDTypes;   // what --dtype accepts on this device
    bool fp8 = false;                   // so is fp8: products of a transformer's blocks, and its dense attention
    std::vector<std::string> features;  // instruction sets in use, compute capability, …
};

// Owns a block of device memory (256-byte aligned) until destroyed. Move-only through unique_ptr.
class Buffer {
 public:
    virtual ~Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    // Null for Meta buffers.
    [[nodiscard]] void* data() const { return m_data; }
    [[nodiscard]] std::int64_t bytes() const { return m_bytes; }
    [[nodiscard]] DeviceKind device() const { return m_device; }

 protected:
    Buffer(void* data, std::int64_t bytes, DeviceKind device) : m_data(data), m_bytes(bytes), m_device(device) {}
    void* m_data;
    std::int64_t m_bytes;
    DeviceKind m_device;
};

// Options fixed when an Ops queue is made.
struct OpsOptions {
    int threads = 0;  // CPU worker threads; 0: every core the process may use
};

// One compute device. Thread-safe; the Ops it makes are not.
class Device {
 public:
    virtual ~Device() = default;
    Device() = default;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    // Free memory is as of this call.
    [[nodiscard]] virtual DeviceInfo info() const = 0;
    // What an allocation of so many bytes takes of the device's memory: drivers hand out whole pages.
    [[nodiscard]] virtual std::int64_t footprint(std::int64_t bytes) const { return bytes; }
    // OutOfMemory with bytes asked and free.
    [[nodiscard]] virtual Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes) = 0;
    // A queue of operations executed in the order of their calls. The device must outlive it.
    [[nodiscard]] virtual Result<std::unique_ptr<Ops>> createOps(const OpsOptions& options) = 0;
};

// A device tensor that owns its bytes: persistent state (weights that need no packing, caches, latents).
struct OwnedTensor {
    std::unique_ptr<Buffer> buffer;
    TensorView view;
};
[[nodiscard]] Result<OwnedTensor> createTensor(Device& device, DType dtype, const Shape& shape);

// The back-ends of this build, in order of preference. Explicit list, no static registration.
struct BackendEntry {
    std::string name;    // "cpu", "cuda"
    std::string status;  // "ok" or why it has no device here ("no NVIDIA driver")
    std::vector<std::unique_ptr<Device>> devices;
};
[[nodiscard]] std::vector<BackendEntry> createBackends();

// Threads that compute on the CPU where none are asked for: the cores this process may run on, or OMP_NUM_THREADS.
[[nodiscard]] int defaultThreads();

// `choice` is "auto", "cpu" or an id from DeviceInfo. Unsupported, naming what there is, when it does not exist.
[[nodiscard]] Result<std::unique_ptr<Device>> createDevice(const std::string& choice);

// A device without bytes: shapes flow through the same model code and the Ops count work, so a forecast of memory
// and FLOPs is a dry run and cannot drift from the real one. Allocations take as much as on a device of the kind it
// stands for.
[[nodiscard]] std::unique_ptr<Device> createMetaDevice(DType preferredDType,
                                                       DeviceKind standsFor = DeviceKind::Cpu);

// CUDA's driver shares out blocks of 2 MiB among allocations below 1 MiB and gives the others whole ones.
[[nodiscard]] std::int64_t cudaFootprint(std::int64_t bytes);

}  // namespace fw::backend
