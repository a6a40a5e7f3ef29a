// A second stream beside a queue's, on which weights are copied from pinned host memory to one of two places on the
// device while the queue computes: a small table of functions of its own beside that of api.h.
#pragma once

#include <cstdint>

#include "kernels/cuda/api.h"

namespace fw::kernels::cuda {

// Raised with every change of the table.
inline constexpr std::int32_t kStreamingVersion = 1;
inline constexpr int kStreamingPlaces = 2;

// The stream, and two events for each place: its copies are done; the queue's work with it is done.
struct CopyLane;

// Codes are those of the calls themselves; failures of copies also surface in the queue's synchronize().
struct StreamingApi {
    std::int32_t version;
    // The queue must outlive the lane.
    Code (*createLane)(std::int32_t device, Queue* queue, CopyLane** lane, Message* message);
    void (*destroyLane)(CopyLane* lane);
    // Pinned host memory.
    Code (*allocateHost)(std::int64_t bytes, void** data, Message* message);
    void (*releaseHost)(void* data);
    // Copies from pinned memory; the first after leave(place) waits on the device for that.
    Code (*fetch)(CopyLane* lane, int place, const void* host, void* device, std::int64_t bytes);
    // The copies to the place are complete with the last fetch().
    Code (*fetched)(CopyLane* lane, int place);
    // The queue's further work waits for fetched(place).
    Code (*await)(CopyLane* lane, int place);
    // The queue's work so far was the last that reads the place.
    Code (*leave)(CopyLane* lane, int place);
};

// Null when the library was built for another version.
inline constexpr const char* kStreamingEntryPoint = "fwCudaStreamingApi";
using StreamingEntryPoint = const StreamingApi* (*)(std::int32_t version);

}  // namespace fw::kernels::cuda
