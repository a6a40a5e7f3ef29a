#include "kernels/cuda/queue.h"

#include <algorithm>
#include <cstdio>
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
