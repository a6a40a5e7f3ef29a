// A stand-in for libfw_cuda.so on a machine without a GPU: a device of host memory whose operations compute
// nothing, and that fails when and how a test says.
#pragma once

#include <cstdint>

namespace fw::test {

enum class FakeGpu : std::int32_t {
    Works,
    NoDriver,
    OldDriver,
    NoDevice,
    OldDevice,  // compute capability 7.5
    NoCode,     // of an architecture the library has no code for: no queue can be made
};

// What happens, from the next call on. One for the process.
struct FakeCudaControl {
    FakeGpu gpu = FakeGpu::Works;
    bool outOfMemory = false;  // every allocation fails
    std::int64_t allocations = 0;
    std::int64_t failAt = -1;  // so does the allocation of this number
    bool lost = false;         // every call on a queue fails, as after a fault of the device
    std::int64_t freeBytes = std::int64_t{16} << 30;
    // What allocations take of it now, and at most: whole pages, as from CUDA's driver.
    std::int64_t held = 0, mostHeld = 0;
};

// For a process that a test cannot reach into: the environment variable names a file whose one word is obeyed while
// it is there. "no-driver" and "no-memory" say what they say; "lose" loses the device at the next wait for the
// queue, and so does "lose-once", which is removed by the process that obeys it.
inline constexpr const char* kFakeCudaOrders = "FW_FAKE_CUDA_ORDERS";

// The library's symbol that gives the control.
inline constexpr const char* kFakeCudaControl = "fwFakeCudaControl";
using FakeCudaControlEntry = FakeCudaControl* (*)();

}  // namespace fw::test
