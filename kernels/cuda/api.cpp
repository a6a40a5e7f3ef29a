// The table of functions, and devices and queues behind it.
#include "kernels/cuda/api.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/cuda/blas.h"
#include "kernels/cuda/dnn.h"
#include "kernels/cuda/fp8.h"
#include "kernels/cuda/queue.h"
#include "kernels/cuda/row_products.h"
#include "kernels/cuda/simple_product.h"

namespace fw::kernels::cuda {

Code linear(Queue* queue, const LinearArgs& args) {
    if (args.weightScales != nullptr) {
        return fp8Linear(*queue, args);
    }
    if (rowProductApplies(args)) {
        return rowProduct(*queue, args);
    }
    const Code code = queue->blas->linear(*queue, args);
    return code == Code::Unsupported ? simpleLinear(*queue, args) : code;
}

Code conv(Queue* queue, const ConvArgs& args) {
    // cuDNN's fused engines want channels in groups of eight; three colours would go to its slowest ones.
    const bool few = args.outChannels < 8;
    const Code code = queue->dnn && !few ? queue->dnn->conv(*queue, args) : Code::Unsupported;
    return code == Code::Unsupported ? simpleConv(*queue, args) : code;
}

namespace {

Code report(cudaError_t status, const char* what, Message* message) {
    if (status != cudaSuccess) {
        describeError(status, what, *message);
        static_cast<void>(cudaGetLastError());
    }
    return codeOf(status);
}

Code deviceCount(std::int32_t* count, Message* message) {
    *count = 0;
    int found = 0;
    const cudaError_t status = cudaGetDeviceCount(&found);
    if (status == cudaErrorInsufficientDriver) {
        int driver = 0;
        int runtime = 0;
        cudaDriverGetVersion(&driver);
        cudaRuntimeGetVersion(&runtime);
        static_cast<void>(cudaGetLastError());
        if (driver == 0) {
            std::snprintf(message->text, sizeof(message->text), "no NVIDIA driver is installed");
        } else {
            std::snprintf(message->text, sizeof(message->text),
                          "the NVIDIA driver supports CUDA %d.%d, this build needs %d.%d; update the driver",
                          driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
        }
        return Code::NoDriver;
    }
    if (status == cudaErrorNoDevice || (status == cudaSuccess && found == 0)) {
        static_cast<void>(cudaGetLastError());
        std::snprintf(message->text, sizeof(message->text), "the NVIDIA driver has no device");
        return Code::NoDevice;
    }
    *count = found;
    return report(status, "looking for devices", message);
}

Code describe(std::int32_t device, DeviceDescription* description, Message* message) {
    cudaDeviceProp properties{};
    cudaError_t status = cudaSetDevice(device);
    if (status == cudaSuccess) {
        status = cudaGetDeviceProperties(&properties, device);
    }
    std::size_t free = 0;
    std::size_t total = 0;
    if (status == cudaSuccess) {
        status = cudaMemGetInfo(&free, &total);
    }
    int driver = 0;
    int runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    *description = {};
    std::snprintf(description->name, sizeof(description->name), "%s", properties.name);
    description->major = properties.major;
    description->minor = properties.minor;
    description->multiprocessors = properties.multiProcessorCount;
    description->sharedBytesPerBlock = static_cast<std::int32_t>(properties.sharedMemPerBlockOptin);
    description->driverVersion = driver;
    description->runtimeVersion = runtime;
    description->blasVersion = BlasContext::libraryVersion();
    description->dnnVersion = DnnContext::libraryVersion();
    description->totalBytes = static_cast<std::int64_t>(total);
    description->freeBytes = static_cast<std::int64_t>(free);
    return report(status, "asking the device", message);
}

Code allocate(std::int32_t device, std::int64_t bytes, void** data, Message* message) {
    *data = nullptr;
    cudaError_t status = cudaSetDevice(device);
    if (status == cudaSuccess) {
        // An empty tensor still has an address of its own.
        status = cudaMalloc(data, static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1)));
    }
    if (status != cudaSuccess) {
        *data = nullptr;
    }
    return report(status, "allocating memory", message);
}

void release(std::int32_t device, void* data) {
    if (cudaSetDevice(device) == cudaSuccess) {
        cudaFree(data);
    }
}

Code startQueue(Queue& queue, std::int32_t device) {
    queue.device = device;
    Code code = queue.check(cudaSetDevice(device), "choosing the device");
    if (code == Code::Ok) {
        code = queue.check(cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking), "making a stream");
    }
    cudaDeviceProp properties{};
    if (code == Code::Ok) {
        code = queue.check(cudaGetDeviceProperties(&properties, device), "asking the device");
    }
    if (code != Code::Ok) {
        return code;
    }
    queue.capability = properties.major * 10 + properties.minor;
    queue.sharedBytesPerBlock = static_cast<std::int64_t>(properties.sharedMemPerBlockOptin);
    queue.multiprocessors = properties.multiProcessorCount;
    if (queue.capability < 80) {
        return queue.fail(Code::Unsupported, "the device is older than compute capability 8.0");
    }
    queue.blas = BlasContext::create(queue);
    queue.dnn = DnnContext::create(queue);
    return queue.blas && queue.dnn ? Code::Ok : Code::Failed;
}

Code createQueue(std::int32_t device, Queue** result, Message* message) {
    *result = nullptr;
    std::unique_ptr<Queue> queue(new (std::nothrow) Queue);
    if (!queue) {
        std::snprintf(message->text, sizeof(message->text), "no memory for a queue");
        return Code::OutOfMemory;
    }
    const Code code = startQueue(*queue, device);
    if (code != Code::Ok) {
        *message = queue->message;
        return code;
    }
    *result = queue.release();
    return Code::Ok;
}

void destroyQueue(Queue* queue) {
    if (queue != nullptr) {
        cudaSetDevice(queue->device);
        delete queue;
    }
}

Code synchronize(Queue* queue, Message* message) {
    cudaSetDevice(queue->device);
    Code code = runWaitingAdditions(*queue);
    if (code == Code::Ok) {
        queue->clock.resting(queue->stream);
        queue->points.working();  // time goes by while nothing is queued
        code = queue->check(cudaStreamSynchronize(queue->stream), "running the queued work");
        queue->clock.waited();
    }
    if (code != Code::Ok) {
        *message = queue->message;
    }
    return code;
}

void lastMessage(const Queue* queue, Message* message) {
    *message = queue->message;
}

Code upload(Queue* queue, const void* host, void* device, std::int64_t bytes) {
    return queue->check(queue->staging.upload(queue->stream, host, device, bytes), "copying to the device");
}

Code download(Queue* queue, const void* device, void* host, std::int64_t bytes) {
    return queue->check(queue->staging.download(queue->stream, device, host, bytes), "copying from the device");
}

Code beginFetch(Queue* queue, const void* device, std::int64_t bytes, std::int32_t* slot) {
    return queue->check(queue->fetches.begin(queue->stream, device, bytes, *slot), "copying from the device");
}

Code endFetch(Queue* queue, std::int32_t slot, void* host) {
    return queue->check(queue->fetches.end(slot, host), "copying from the device");
}

Code takesFp8Linear(Queue* queue, std::int64_t in, std::int64_t out) {
    return fp8LinearApplies(*queue, in, out);
}

Code mark(Queue* queue) {
    return queue->check(queue->points.mark(queue->stream), "marking a point of time");
}

Code markedMicroseconds(Queue* queue, double* microseconds, std::int64_t count) {
    if (count != static_cast<std::int64_t>(queue->points.points())) {
        return queue->fail(Code::Failed, "another number of points of time was marked");
    }
    const Code code = queue->check(cudaStreamSynchronize(queue->stream), "running the queued work");
    queue->clock.waited();
    return code == Code::Ok ? queue->check(queue->points.take(microseconds), "timing the queued work") : code;
}

// Whether a call looks itself whether an addition waits.
template <auto kFunction>
inline constexpr bool kTakesAddition = false;
template <>
inline constexpr bool kTakesAddition<layerNorm> = true;
template <>
inline constexpr bool kTakesAddition<gatedAdd> = true;
template <>
inline constexpr bool kTakesAddition<mark> = true;
template <>
inline constexpr bool kTakesAddition<endFetch> = true;
// What a call is to the clocks of the queue. What carries results away is no work of the device; to wait for such,
// while other work may be queued, is neither work nor rest.
enum class CallKind : std::uint8_t { Work, Rest, Wait, Mark };
template <auto kFunction>
inline constexpr CallKind kKind = CallKind::Work;
template <>
inline constexpr CallKind kKind<download> = CallKind::Rest;
template <>
inline constexpr CallKind kKind<beginFetch> = CallKind::Rest;
template <>
inline constexpr CallKind kKind<endFetch> = CallKind::Wait;
template <>
inline constexpr CallKind kKind<markedMicroseconds> = CallKind::Rest;
template <>
inline constexpr CallKind kKind<mark> = CallKind::Mark;

// A queue may be used from another thread than the one that made it: the current device belongs to the thread.
template <auto kFunction, class... Arguments>
Code onDevice(Queue* queue, Arguments... arguments) {
    Code code = queue->check(cudaSetDevice(queue->device), "choosing the device");
    if constexpr (!kTakesAddition<kFunction>) {
        if (code == Code::Ok) {
            code = runWaitingAdditions(*queue);
        }
    }
    if constexpr (kKind<kFunction> == CallKind::Work) {
        queue->clock.working(queue->stream);
    } else if constexpr (kKind<kFunction> == CallKind::Rest) {
        queue->clock.resting(queue->stream);
    }
    if constexpr (kKind<kFunction> != CallKind::Mark) {
        queue->points.working();
    }
    return code == Code::Ok ? kFunction(queue, arguments...) : code;
}

constexpr Api kApi = {
    .version = kApiVersion,
    .deviceCount = deviceCount,
    .describe = describe,
    .allocate = allocate,
    .release = release,
    .createQueue = createQueue,
    .destroyQueue = destroyQueue,
    .synchronize = synchronize,
    .lastMessage = lastMessage,
    .mark = onDevice<mark>,
    .markedMicroseconds = onDevice<markedMicroseconds, double*, std::int64_t>,
    .upload = onDevice<upload, const void*, void*, std::int64_t>,
    .download = onDevice<download, const void*, void*, std::int64_t>,
    .beginFetch = onDevice<beginFetch, const void*, std::int64_t, std::int32_t*>,
    .endFetch = onDevice<endFetch, std::int32_t, void*>,
    .linear = onDevice<linear, const LinearArgs&>,
    .fp8LinearApplies = onDevice<takesFp8Linear, std::int64_t, std::int64_t>,
    .quantiseRows = onDevice<quantiseRows, const QuantiseArgs&>,
    .unpackRows = onDevice<unpackRows, const UnpackRowsArgs&>,
    .conv = onDevice<conv, const ConvArgs&>,
    .attention = onDevice<attention, const AttentionArgs&>,
    .rmsNorm = onDevice<rmsNorm, const RmsNormArgs&>,
    .layerNorm = onDevice<layerNorm, const LayerNormArgs&>,
    .channelNorm = onDevice<channelNorm, const ChannelNormArgs&>,
    .gatedAdd = onDevice<gatedAdd, const GatedAddArgs&>,
    .gatedGelu = onDevice<gatedGelu, const GatedGeluArgs&>,
    .silu = onDevice<silu, const float*, float*, std::int64_t>,
    .embed = onDevice<embed, const EmbedArgs&>,
    .copy = onDevice<copy, const CopyArgs&>,
    .add = onDevice<add, const AddArgs&>,
    .linearCombination = onDevice<linearCombination, const CombinationArgs&>,
    .difference = onDevice<difference, const DifferenceArgs&>,
    .rowSums = onDevice<rowSums, const RowSumsArgs&>,
    .upsample2x = onDevice<upsample2x, const Upsample2xArgs&>,
    .toBytes = onDevice<toBytes, const ToBytesArgs&>,
    .scanConv = onDevice<scanConv, const ScanConvArgs&>,
    .stateSpaceScan = onDevice<stateSpaceScan, const StateSpaceArgs&>,
    .gatedRmsNorm = onDevice<gatedRmsNorm, const GatedRmsNormArgs&>,
    .poolRows = onDevice<poolRows, const PoolArgs&>,
    .attentionRows = onDevice<attentionRows, const AttentionRowsArgs&>,
    .blockSparseAttention = onDevice<blockSparseAttention, const BlockSparseArgs&>,
    .windowAttention = onDevice<windowAttention, const WindowArgs&>,
    .selectBlocks = onDevice<selectBlocks, const SelectBlocksArgs&>,
    .chooseOrders = onDevice<chooseOrders, const ChooseOrdersArgs&>,
    .linearAttention = onDevice<linearAttention, const LinearAttentionArgs&>,
    .addBranch = onDevice<addBranch, const AddBranchArgs&>,
    .keptMass = onDevice<keptMass, const KeptMassArgs&>,
};

}  // namespace
}  // namespace fw::kernels::cuda

extern "C" __attribute__((visibility("default"))) const fw::kernels::cuda::Api* fwCudaApi(std::int32_t version) {
    return version == fw::kernels::cuda::kApiVersion ? &fw::kernels::cuda::kApi : nullptr;
}
