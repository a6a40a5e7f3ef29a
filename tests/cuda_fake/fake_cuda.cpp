#include "fake_cuda.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cuda/api.h"
#include "kernels/cuda/sparse_args.h"

namespace fw::kernels::cuda {

struct Queue {
    Message message{};
    std::int64_t points = 0;
    std::vector<std::vector<std::byte>> fetches;
};

namespace {

using test::FakeGpu;

test::FakeCudaControl control;
std::mutex mutex;  // of the sizes below and control.held
std::map<void*, std::int64_t> sizes;

// Written down here once more, as the driver is known to do it, so that a forecast is not compared with itself.
std::int64_t pagesOf(std::int64_t bytes) {
    constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
    const std::int64_t pages = (bytes + 2 * kMebibyte - 1) / (2 * kMebibyte);
    return bytes <= kMebibyte ? bytes : pages * 2 * kMebibyte;
}

// The word in the file of orders; empty: none.
std::string orders() {
    std::string word;
    if (const char* file = std::getenv(test::kFakeCudaOrders)) {
        std::ifstream(file) >> word;
        if (word == "lose-once") {
            std::error_code ignored;
            std::filesystem::remove(file, ignored);
        }
    }
    return word;
}

Code say(Code code, const char* sentence, Message* message) {
    std::snprintf(message->text, sizeof(message->text), "%s", sentence);
    return code;
}

Code deviceCount(std::int32_t* count, Message* message) {
    *count = 0;
    if (orders() == "no-driver") {
        control.gpu = FakeGpu::NoDriver;
    }
    switch (control.gpu) {
        case FakeGpu::NoDriver:
            return say(Code::NoDriver, "no NVIDIA driver is installed", message);
        case FakeGpu::OldDriver:
            return say(Code::NoDriver,
                       "the NVIDIA driver supports CUDA 11.4, this build needs 13.0; update the driver", message);
        case FakeGpu::NoDevice:
            return say(Code::NoDevice, "the NVIDIA driver has no device", message);
        default:
            *count = 1;
            return Code::Ok;
    }
}

Code describe(std::int32_t, DeviceDescription* description, Message* message) {
    if (control.lost) {
        return say(Code::DeviceLost, "asking the device: unspecified launch failure", message);
    }
    const std::lock_guard lock(mutex);
    *description = {};
    std::snprintf(description->name, sizeof(description->name), "Fake GPU");
    description->major = control.gpu == FakeGpu::OldDevice ? 7 : 9;
    description->minor = control.gpu == FakeGpu::OldDevice ? 5 : 0;
    description->multiprocessors = 1;
    description->totalBytes = control.freeBytes;
    description->freeBytes = control.freeBytes - control.held;
    return Code::Ok;
}

Code allocate(std::int32_t, std::int64_t bytes, void** data, Message* message) {
    *data = nullptr;
    const bool refused = control.allocations++ == control.failAt;
    if (control.outOfMemory || refused || orders() == "no-memory") {
        return say(Code::OutOfMemory, "allocating memory: out of memory", message);
    }
    constexpr std::size_t kAlignment = 256;
    const std::size_t padded = (static_cast<std::size_t>(bytes) / kAlignment + 1) * kAlignment;
    *data = std::aligned_alloc(kAlignment, padded);
    std::memset(*data, 0, padded);
    const std::lock_guard lock(mutex);
    sizes[*data] = pagesOf(bytes);
    control.held += pagesOf(bytes);
    control.mostHeld = std::max(control.mostHeld, control.held);
    return Code::Ok;
}

void release(std::int32_t, void* data) {
    const std::lock_guard lock(mutex);
    if (const auto found = sizes.find(data); found != sizes.end()) {
        control.held -= found->second;
        sizes.erase(found);
    }
    std::free(data);
}

Code createQueue(std::int32_t, Queue** queue, Message* message) {
    *queue = nullptr;
    if (control.gpu == FakeGpu::NoCode) {
        return say(Code::Unsupported, "no kernel image is available for execution on the device", message);
    }
    *queue = new Queue;
    return Code::Ok;
}

void destroyQueue(Queue* queue) {
    delete queue;
}

Code answer(Queue* queue) {
    return control.lost
               ? say(Code::DeviceLost, "running the queued work: unspecified launch failure", &queue->message)
               : Code::Ok;
}

Code synchronize(Queue* queue, Message* message) {
    control.lost = control.lost || orders().starts_with("lose");
    const Code code = answer(queue);
    *message = queue->message;
    return code;
}

Code mark(Queue* queue) {
    ++queue->points;
    return answer(queue);
}

// A microsecond apart.
Code markedMicroseconds(Queue* queue, double* microseconds, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        microseconds[i] = static_cast<double>(i);
    }
    return count == std::exchange(queue->points, 1) ? answer(queue) : Code::Failed;
}

void lastMessage(const Queue* queue, Message* message) {
    *message = queue->message;
}

Code upload(Queue* queue, const void* host, void* device, std::int64_t bytes) {
    std::memcpy(device, host, static_cast<std::size_t>(bytes));
    return answer(queue);
}

Code download(Queue* queue, const void* device, void* host, std::int64_t bytes) {
    std::memcpy(host, device, static_cast<std::size_t>(bytes));
    return answer(queue);
}

Code beginFetch(Queue* queue, const void* device, std::int64_t bytes, std::int32_t* slot) {
    const auto* begin = static_cast<const std::byte*>(device);
    *slot = static_cast<std::int32_t>(queue->fetches.size());
    queue->fetches.emplace_back(begin, begin + bytes);
    return answer(queue);
}

Code endFetch(Queue* queue, std::int32_t slot, void* host) {
    std::vector<std::byte>& copy = queue->fetches.at(static_cast<std::size_t>(slot));
    if (host != nullptr) {
        std::memcpy(host, copy.data(), copy.size());
    }
    copy = {};
    return answer(queue);
}

Code silu(Queue* queue, const float*, float*, std::int64_t) {
    return answer(queue);
}

Code fp8LinearApplies(Queue* queue, std::int64_t, std::int64_t) {
    return say(Code::Unsupported, "this GPU has no products of eight bits", &queue->message);
}

template <class Args>
Code compute(Queue* queue, const Args&) {
    return answer(queue);
}

// cuBLASLt does not say that the device is lost, only that it failed.
Code linear(Queue* queue, const LinearArgs&) {
    return control.lost ? say(Code::Failed, "cuBLASLt failed a product", &queue->message) : Code::Ok;
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
    .mark = mark,
    .markedMicroseconds = markedMicroseconds,
    .upload = upload,
    .download = download,
    .beginFetch = beginFetch,
    .endFetch = endFetch,
    .linear = linear,
    .fp8LinearApplies = fp8LinearApplies,
    .quantiseRows = compute<QuantiseArgs>,
    .unpackRows = compute<UnpackRowsArgs>,
    .conv = compute<ConvArgs>,
    .attention = compute<AttentionArgs>,
    .rmsNorm = compute<RmsNormArgs>,
    .layerNorm = compute<LayerNormArgs>,
    .channelNorm = compute<ChannelNormArgs>,
    .gatedAdd = compute<GatedAddArgs>,
    .gatedGelu = compute<GatedGeluArgs>,
    .silu = silu,
    .embed = compute<EmbedArgs>,
    .copy = compute<CopyArgs>,
    .add = compute<AddArgs>,
    .linearCombination = compute<CombinationArgs>,
    .difference = compute<DifferenceArgs>,
    .rowSums = compute<RowSumsArgs>,
    .upsample2x = compute<Upsample2xArgs>,
    .toBytes = compute<ToBytesArgs>,
    .scanConv = compute<ScanConvArgs>,
    .stateSpaceScan = compute<StateSpaceArgs>,
    .gatedRmsNorm = compute<GatedRmsNormArgs>,
    .poolRows = compute<PoolArgs>,
    .attentionRows = compute<AttentionRowsArgs>,
    .blockSparseAttention = compute<BlockSparseArgs>,
    .windowAttention = compute<WindowArgs>,
    .selectBlocks = compute<SelectBlocksArgs>,
    .chooseOrders = compute<ChooseOrdersArgs>,
    .linearAttention = compute<LinearAttentionArgs>,
    .addBranch = compute<AddBranchArgs>,
    .keptMass = compute<KeptMassArgs>,
};

}  // namespace
}  // namespace fw::kernels::cuda

extern "C" __attribute__((visibility("default"))) const fw::kernels::cuda::Api* fwCudaApi(std::int32_t version) {
    return version == fw::kernels::cuda::kApiVersion ? &fw::kernels::cuda::kApi : nullptr;
}

extern "C" __attribute__((visibility("default"))) fw::test::FakeCudaControl* fwFakeCudaControl() {
    return &fw::kernels::cuda::control;
}
