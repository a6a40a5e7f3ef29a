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
    bool lost = false;         // every call on a queue fails, as after a fault of the device
    std::int64_t freeBytes = std::int64_t{16} << 30;
    std::int64_t held = 0;  // allocated now
};

// The library's symbol that gives the control.
inline constexpr const char* kFakeCudaControl = "fwFakeCudaControl";
using FakeCudaControlEntry = FakeCudaControl* (*)();

}  // namespace fw::test
