#include "kernels/cuda/streaming.h"

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <new>

#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

struct CopyLane {
    CopyLane() = default;
    ~CopyLane();
    CopyLane(const CopyLane&) = delete;
    CopyLane& operator=(const CopyLane&) = delete;

    std::int32_t device = 0;
    Queue* queue = nullptr;  // there whenever something is awaited or left
    cudaStream_t copies = nullptr;
    struct Place {
        cudaEvent_t filled = nullptr, left = nullptr;
        bool mustWait = false;  // `left` was recorded and not waited for yet
    };
    Place places[kStreamingPlaces];
};

CopyLane::~CopyLane() {
    cudaSetDevice(device);
    if (copies != nullptr) {
        cudaStreamSynchronize(copies);
    }
    for (const Place& place : places) {
        if (place.filled != nullptr) {
            cudaEventDestroy(place.filled);
        }
        if (place.left != nullptr) {
            cudaEventDestroy(place.left);
        }
    }
    if (copies != nullptr) {
        cudaStreamDestroy(copies);
    }
}

namespace {

cudaError_t makeEvent(cudaEvent_t& event) {
    const cudaError_t status = cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    if (status != cudaSuccess) {
        event = nullptr;
    }
    return status;
}

Code report(cudaError_t status, const char* what, Message* message) {
    if (status != cudaSuccess) {
        describeError(status, what, *message);
        static_cast<void>(cudaGetLastError());
    }
    return codeOf(status);
}

Code createLane(std::int32_t device, Queue* queue, CopyLane** result, Message* message) {
    *result = nullptr;
    std::unique_ptr<CopyLane> lane(new (std::nothrow) CopyLane);
    if (!lane) {
        std::snprintf(message->text, sizeof(message->text), "no memory for a stream of copies");
        return Code::OutOfMemory;
    }
    lane->device = device;
    lane->queue = queue;
    cudaError_t status = cudaSetDevice(device);
    if (status == cudaSuccess) {
        status = cudaStreamCreateWithFlags(&lane->copies, cudaStreamNonBlocking);
        lane->copies = status == cudaSuccess ? lane->copies : nullptr;
    }
    for (CopyLane::Place& place : lane->places) {
        status = status == cudaSuccess ? makeEvent(place.filled) : status;
        status = status == cudaSuccess ? makeEvent(place.left) : status;
    }
    if (status == cudaSuccess) {
        *result = lane.release();
    }
    return report(status, "making a stream of copies", message);
}

void destroyLane(CopyLane* lane) {
    delete lane;
}

Code allocateHost(std::int64_t bytes, void** data, Message* message) {
    const cudaError_t status = cudaMallocHost(data, static_cast<std::size_t>(bytes));
    if (status != cudaSuccess) {
        *data = nullptr;
    }
    return report(status, "allocating pinned memory", message);
}

void releaseHost(void* data) {
    cudaFreeHost(data);
}

Code fetch(CopyLane* lane, int place, const void* host, void* device, std::int64_t bytes) {
    CopyLane::Place& target = lane->places[place];
    cudaError_t status = cudaSetDevice(lane->device);
    if (status == cudaSuccess && target.mustWait) {
        status = cudaStreamWaitEvent(lane->copies, target.left, 0);
        target.mustWait = false;
    }
    if (status == cudaSuccess) {
        status =
            cudaMemcpyAsync(device, host, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, lane->copies);
    }
    return codeOf(status);
}

Code fetched(CopyLane* lane, int place) {
    return codeOf(cudaEventRecord(lane->places[place].filled, lane->copies));
}

Code await(CopyLane* lane, int place) {
    lane->queue->points.working();  // no module's time: it lies between two points
    return codeOf(cudaStreamWaitEvent(lane->queue->stream, lane->places[place].filled, 0));
}

Code leave(CopyLane* lane, int place) {
    lane->places[place].mustWait = true;
    return codeOf(cudaEventRecord(lane->places[place].left, lane->queue->stream));
}

constexpr StreamingApi kStreaming = {
    .version = kStreamingVersion,
    .createLane = createLane,
    .destroyLane = destroyLane,
    .allocateHost = allocateHost,
    .releaseHost = releaseHost,
    .fetch = fetch,
    .fetched = fetched,
    .await = await,
    .leave = leave,
};

}  // namespace
}  // namespace fw::kernels::cuda

extern "C" __attribute__((visibility("default"))) const fw::kernels::cuda::StreamingApi* fwCudaStreamingApi(
    std::int32_t version) {
    return version == fw::kernels::cuda::kStreamingVersion ? &fw::kernels::cuda::kStreaming : nullptr;
}
