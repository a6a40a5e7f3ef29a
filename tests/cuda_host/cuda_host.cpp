#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace fw::cuda_host {

namespace {

// Saves what a call must preserve on the stack, leaves the stack pointer in *from and goes on at `to`. The C
// library's swapcontext does the same with two system calls.
extern "C" void fwSwitchStack(void** from, void* to);
asm(R"(
.text
.type fwSwitchStack, @function
fwSwitchStack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size fwSwitchStack, . - fwSwitchStack
)");

constexpr std::size_t kStackBytes = 64 << 10;
constexpr std::size_t kSharedBytes = 228 << 10;
constexpr std::size_t kMostLaneBytes = 256;
constexpr unsigned kLanes = 32;

// A meeting of several threads: all wait until the last one comes.
struct Meeting {
    unsigned arrived = 0;
    unsigned round = 0;
};

struct Fiber {
    void* position = nullptr;  // the stack pointer while another runs
    std::unique_ptr<unsigned char[]> stack;
    dim3 thread;
    bool finished = false;
};

struct Warp {
    Meeting meeting;
    unsigned alive = 0;
    unsigned char given[2][kLanes][kMostLaneBytes];  // of this round and the one before
};

// One launch at a time; blocks, and a block's threads, one after another.
struct Machine {
    std::mutex launch;
    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    Meeting block;
    unsigned alive = 0;
    unsigned current = 0;
    void* scheduler = nullptr;
    const std::function<void()>* body = nullptr;
    alignas(1024) unsigned char shared[kSharedBytes];
};

Machine& machine() {
    static Machine instance;
    return instance;
}

// Who waited for a thread that returned waits no longer.
void release(Meeting& meeting, unsigned members) {
    if (members > 0 && meeting.arrived == members) {
        meeting.arrived = 0;
        ++meeting.round;
    }
}

void enter() {
    Machine& m = machine();
    (*m.body)();
    m.fibers[m.current].finished = true;
    --m.alive;
    Warp& warp = m.warps[m.current / kLanes];
    --warp.alive;
    release(m.block, m.alive);
    release(warp.meeting, warp.alive);
    fwSwitchStack(&m.fibers[m.current].position, m.scheduler);
}

void wait(Meeting& meeting, const unsigned& members) {
    const unsigned round = meeting.round;
    if (++meeting.arrived >= members) {
        meeting.arrived = 0;
        ++meeting.round;
        return;
    }
    while (meeting.round == round) {
        yieldThread();
    }
}

void runBlock(unsigned threads) {
    Machine& m = machine();
    m.alive = threads;
    m.block = {};
    forgetTurns();
    m.warps.assign((threads + kLanes - 1) / kLanes, {});
    for (unsigned i = 0; i < threads; ++i) {
        Fiber& fiber = m.fibers[i];
        fiber.finished = false;
        fiber.thread = dim3(i, 0, 0);
        ++m.warps[i / kLanes].alive;
        // As if enter() had been called and had switched away at once: six registers, then where to return to. The
        // ABI wants the stack pointer 8 past a multiple of 16 on entry.
        auto top = reinterpret_cast<std::uintptr_t>(fiber.stack.get() + kStackBytes) / 16 * 16;
        auto** words = reinterpret_cast<void**>(top) - 8;
        std::fill_n(words, 8, nullptr);
        words[6] = reinterpret_cast<void*>(&enter);
        fiber.position = words;
    }
    while (m.alive > 0) {
        for (unsigned i = 0; i < threads; ++i) {
            if (!m.fibers[i].finished) {
                m.current = i;
                threadIdx = m.fibers[i].thread;
                fwSwitchStack(&m.scheduler, m.fibers[i].position);
            }
        }
    }
}

}  // namespace

unsigned char* dynamicShared() {
    return machine().shared;
}

void yieldThread() {
    Machine& m = machine();
    fwSwitchStack(&m.fibers[m.current].position, m.scheduler);
}

void syncThreads() {
    Machine& m = machine();
    wait(m.block, m.alive);
}

void exchangeInWarp(const void* mine, void* gathered, std::size_t bytes) {
    Machine& m = machine();
    Warp& warp = m.warps[m.current / kLanes];
    const unsigned round = warp.meeting.round;
    auto& given = warp.given[round % 2];
    std::memcpy(given[m.current % kLanes], mine, bytes);
    wait(warp.meeting, warp.alive);
    for (unsigned lane = 0; lane < kLanes; ++lane) {
        std::memcpy(static_cast<unsigned char*>(gathered) + lane * bytes, given[lane], bytes);
    }
}

void run(const dim3& grid, const dim3& block, std::size_t sharedBytes, const std::function<void()>& thread) {
    Machine& m = machine();
    const std::lock_guard lock(m.launch);
    while (m.fibers.size() < block.x) {
        m.fibers.emplace_back().stack = std::make_unique<unsigned char[]>(kStackBytes);
    }
    m.body = &thread;
    gridDim = grid;
    blockDim = block;
    for (unsigned z = 0; z < grid.z; ++z) {
        for (unsigned y = 0; y < grid.y; ++y) {
            for (unsigned x = 0; x < grid.x; ++x) {
                blockIdx = dim3(x, y, z);
                std::memset(m.shared, 0xff, std::min(sharedBytes, kSharedBytes));
                runBlock(block.x);
            }
        }
    }
}

float halfToFloat(std::uint16_t bits) {
    return static_cast<float>(std::bit_cast<_Float16>(bits));
}
std::uint16_t floatToHalf(float value) {
    return std::bit_cast<std::uint16_t>(static_cast<_Float16>(value));
}
std::uint16_t floatToBf16(float value) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    if ((word & 0x7fffffffU) > 0x7f800000U) {
        return 0x7fff;
    }
    return static_cast<std::uint16_t>((word + 0x7fffU + ((word >> 16U) & 1U)) >> 16U);
}

}  // namespace fw::cuda_host

cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
    return device == 0 ? cudaSuccess : cudaErrorInvalidValue;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    *properties = {};
    std::strcpy(properties->name, "kernels on the host");
    properties->major = 9;
    properties->multiProcessorCount = 6;
    properties->sharedMemPerBlockOptin = 227 << 10;
    return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
    *version = 13000;
    return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = 13000;
    return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    *free = std::size_t{4} << 30;
    *total = std::size_t{4} << 30;
    return cudaSuccess;
}
cudaError_t cudaMalloc(void** data, std::size_t bytes) {
    constexpr std::size_t kAlignment = 256;
    *data = bytes > (std::size_t{4} << 30)
                ? nullptr
                : std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
    if (*data == nullptr) {
        return cudaErrorMemoryAllocation;
    }
    std::memset(*data, 0xff, bytes);
    return cudaSuccess;
}
cudaError_t cudaFree(void* data) {
    std::free(data);
    return cudaSuccess;
}
cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
    return cudaMalloc(data, bytes);
}
cudaError_t cudaFreeHost(void* data) {
    return cudaFree(data);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
    std::memmove(to, from, bytes);
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    static char token;
    *stream = &token;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) {
    return cudaSuccess;
}
// Work is done when its call returns: an event is the time it was recorded at.
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = new std::chrono::steady_clock::time_point;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
    *static_cast<std::chrono::steady_clock::time_point*>(event) = std::chrono::steady_clock::now();
    return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t last) {
    const auto* from = static_cast<const std::chrono::steady_clock::time_point*>(first);
    const auto* to = static_cast<const std::chrono::steady_clock::time_point*>(last);
    *milliseconds = std::chrono::duration<float, std::milli>(*to - *from).count();
    return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) {
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) {
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete static_cast<std::chrono::steady_clock::time_point*>(event);
    return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
    return cudaSuccess;
}
cudaError_t cudaGetLastError() {
    return cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t) {
    return "an error of the host's runtime";
}
const char* cudaGetErrorName(cudaError_t) {
    return "cudaError";
}
