#include "kernels/cuda/queue.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/cuda/blas.h"
#include "kernels/cuda/dnn.h"

namespace fw::kernels::cuda {

Code codeOf(cudaError_t status) {
    switch (status) {
        case cudaSuccess:
            return Code::Ok;
        case cudaErrorInsufficientDriver:
            return Code::NoDriver;
        case cudaErrorNoDevice:
            return Code::NoDevice;
        case cudaErrorMemoryAllocation:
            return Code::OutOfMemory;
        // This build has no code for the device's architecture.
        case cudaErrorNoKernelImageForDevice:
        case cudaErrorUnsupportedPtxVersion:
            return Code::Unsupported;
        // These leave the context unusable: every later call of the process fails too.
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchTimeout:
        case cudaErrorHardwareStackError:
        case cudaErrorIllegalInstruction:
        case cudaErrorMisalignedAddress:
        case cudaErrorInvalidAddressSpace:
        case cudaErrorInvalidPc:
        case cudaErrorLaunchFailure:
        case cudaErrorECCUncorrectable:
        case cudaErrorAssert:
        case cudaErrorContextIsDestroyed:
        case cudaErrorDevicesUnavailable:
        case cudaErrorNvlinkUncorrectable:
        case cudaErrorUnknown:
            return Code::DeviceLost;
        default:
            return Code::Failed;
    }
}

void describeError(cudaError_t status, const char* what, Message& message) {
    std::snprintf(message.text, sizeof(message.text), "%s: %s (%s)", what, cudaGetErrorString(status),
                  cudaGetErrorName(status));
}

Staging::~Staging() {
    for (const Block& block : m_blocks) {
        if (block.free != nullptr) {
            cudaEventSynchronize(block.free);
            cudaEventDestroy(block.free);
        }
        cudaFreeHost(block.data);
    }
}

cudaError_t Staging::prepare() {
    for (Block& block : m_blocks) {
        if (block.data == nullptr) {
            if (const auto status = cudaMallocHost(&block.data, static_cast<std::size_t>(kBlockBytes));
                status != cudaSuccess) {
                block.data = nullptr;
                return status;
            }
        }
        if (block.free == nullptr) {
            if (const auto status = cudaEventCreateWithFlags(&block.free, cudaEventDisableTiming);
                status != cudaSuccess) {
                block.free = nullptr;
                return status;
            }
        }
    }
    return cudaSuccess;
}

cudaError_t Staging::upload(cudaStream_t stream, const void* host, void* device, std::int64_t bytes) {
    if (bytes <= kDirectBytes) {
        return cudaMemcpyAsync(device, host, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, stream);
    }
    cudaError_t status = prepare();
    int turn = 0;
    for (std::int64_t done = 0; status == cudaSuccess && done < bytes; done += kBlockBytes, turn ^= 1) {
        const Block& block = m_blocks[turn];
        const auto part = static_cast<std::size_t>(std::min(kBlockBytes, bytes - done));
        status = cudaEventSynchronize(block.free);
        if (status == cudaSuccess) {
            std::memcpy(block.data, static_cast<const char*>(host) + done, part);
            status = cudaMemcpyAsync(static_cast<char*>(device) + done, block.data, part, cudaMemcpyHostToDevice,
                                     stream);
        }
        if (status == cudaSuccess) {
            status = cudaEventRecord(block.free, stream);
        }
    }
    return status;
}

// Block i is copied out of pinned memory while block i + 1 is on its way.
cudaError_t Staging::download(cudaStream_t stream, const void* device, void* host, std::int64_t bytes) {
    if (bytes <= kDirectBytes) {
        return cudaMemcpyAsync(host, device, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost, stream);
    }
    cudaError_t status = prepare();
    const std::int64_t blocks = (bytes + kBlockBytes - 1) / kBlockBytes;
    const auto partOf = [&](std::int64_t index) {
        return static_cast<std::size_t>(std::min(kBlockBytes, bytes - index * kBlockBytes));
    };
    for (std::int64_t index = 0; status == cudaSuccess && index <= blocks; ++index) {
        if (index < blocks) {
            const Block& block = m_blocks[index % 2];
            // An upload may still read from the block.
            status = cudaEventSynchronize(block.free);
            if (status == cudaSuccess) {
                status = cudaMemcpyAsync(block.data, static_cast<const char*>(device) + index * kBlockBytes,
                                         partOf(index), cudaMemcpyDeviceToHost, stream);
            }
            if (status == cudaSuccess) {
                status = cudaEventRecord(block.free, stream);
            }
        }
        if (index > 0 && status == cudaSuccess) {
            const Block& block = m_blocks[(index - 1) % 2];
            status = cudaEventSynchronize(block.free);
            std::memcpy(static_cast<char*>(host) + (index - 1) * kBlockBytes, block.data, partOf(index - 1));
        }
    }
    return status;
}

Fetches::~Fetches() {
    for (Slot& slot : m_slots) {
        if (slot.done != nullptr) {
            cudaEventSynchronize(slot.done);
            cudaEventDestroy(slot.done);
        }
        release(slot);
    }
}

void Fetches::release(Slot& slot) {
    if (slot.isPinned) {
        cudaFreeHost(slot.data);
    } else {
        std::free(slot.data);
    }
    slot.data = nullptr;
    slot.capacity = 0;
}

// Pinned memory, or, where the system gives none, any: copies then wait.
cudaError_t Fetches::makeRoom(Slot& slot, std::int64_t bytes) {
    if (slot.done == nullptr) {
        if (const auto status = cudaEventCreateWithFlags(&slot.done, cudaEventDisableTiming);
            status != cudaSuccess) {
            slot.done = nullptr;
            return status;
        }
    }
    if (slot.capacity >= bytes) {
        return cudaSuccess;
    }
    release(slot);
    slot.isPinned = cudaMallocHost(&slot.data, static_cast<std::size_t>(bytes)) == cudaSuccess;
    if (!slot.isPinned) {
        static_cast<void>(cudaGetLastError());
        slot.data = std::malloc(static_cast<std::size_t>(bytes));
    }
    slot.capacity = slot.data == nullptr ? 0 : bytes;
    return slot.data == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t Fetches::begin(cudaStream_t stream, const void* device, std::int64_t bytes, std::int32_t& slot) {
    // The smallest free one that is large enough, otherwise the largest free one, otherwise a new one.
    auto best = m_slots.end();
    for (auto it = m_slots.begin(); it != m_slots.end(); ++it) {
        if (it->isTaken) {
            continue;
        }
        const bool fits = it->capacity >= bytes;
        if (best == m_slots.end() ||
            (best->capacity >= bytes ? fits && it->capacity < best->capacity : it->capacity > best->capacity)) {
            best = it;
        }
    }
    if (best == m_slots.end()) {
        best = m_slots.emplace(m_slots.end());
    }
    if (const auto status = makeRoom(*best, bytes); status != cudaSuccess) {
        return status;
    }
    auto status =
        cudaMemcpyAsync(best->data, device, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost, stream);
    if (status == cudaSuccess) {
        status = cudaEventRecord(best->done, stream);
    }
    best->bytes = bytes;
    best->isTaken = status == cudaSuccess;
    slot = static_cast<std::int32_t>(best - m_slots.begin());
    return status;
}

cudaError_t Fetches::end(std::int32_t slot, void* host) {
    Slot& taken = m_slots.at(static_cast<std::size_t>(slot));
    taken.isTaken = false;
    const auto status = cudaEventSynchronize(taken.done);
    if (status == cudaSuccess && host != nullptr) {
        std::memcpy(host, taken.data, static_cast<std::size_t>(taken.bytes));
    }
    return status;
}

Queue::Queue() = default;

Queue::~Queue() {
    if (stream != nullptr) {
        cudaStreamSynchronize(stream);
    }
    // Handles go before the stream they were given.
    dnn.reset();
    blas.reset();
    if (stream != nullptr) {
        cudaStreamDestroy(stream);
    }
}

Code Queue::fail(Code code, const char* sentence) {
    std::snprintf(message.text, sizeof(message.text), "%s", sentence);
    return code;
}

Code Queue::check(cudaError_t status, const char* what) {
    if (status != cudaSuccess) {
        describeError(status, what, message);
        static_cast<void>(cudaGetLastError());  // a launch that was refused must not fail the next call as well
    }
    return codeOf(status);
}

}  // namespace fw::kernels::cuda
