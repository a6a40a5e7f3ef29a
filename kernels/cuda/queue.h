// The queue behind the table of functions: stream, scratch memory, staging, and the libraries' handles.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/cuda/api.h"
#include "kernels/cuda/busy_clock.h"
#include "kernels/cuda/point_clock.h"

namespace fw::kernels::cuda {

class BlasContext;  // cuBLASLt: handle and plans
class DnnContext;   // cuDNN: handle and plans

// Device memory that grows to the largest need seen and is kept.
class Scratch {
 public:
    Scratch() = default;
    ~Scratch() { cudaFree(m_data); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    // Null when there is no memory left. Waits for the stream before it grows: queued work may use the old block.
    [[nodiscard]] void* take(cudaStream_t stream, std::int64_t bytes) {
        if (bytes > m_bytes) {
            if (m_data != nullptr) {
                cudaStreamSynchronize(stream);
                cudaFree(m_data);
            }
            m_data = nullptr;
            m_bytes = 0;
            if (cudaMalloc(&m_data, static_cast<std::size_t>(bytes)) != cudaSuccess) {
                static_cast<void>(cudaGetLastError());
                m_data = nullptr;
                return nullptr;
            }
            m_bytes = bytes;
        }
        return m_data;
    }

 private:
    void* m_data = nullptr;
    std::int64_t m_bytes = 0;
};

// Two blocks of pinned memory used in turn between pageable memory and the device.
class Staging {
 public:
    static constexpr std::int64_t kBlockBytes = 16 << 20;
    // Below this a pageable copy is as fast.
    static constexpr std::int64_t kDirectBytes = 64 << 10;

    Staging() = default;
    ~Staging();
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;

    [[nodiscard]] cudaError_t upload(cudaStream_t stream, const void* host, void* device, std::int64_t bytes);
    [[nodiscard]] cudaError_t download(cudaStream_t stream, const void* device, void* host, std::int64_t bytes);

 private:
    struct Block {
        void* data = nullptr;
        cudaEvent_t free = nullptr;  // recorded after the last copy out of or into the block
    };
    [[nodiscard]] cudaError_t prepare();

    Block m_blocks[2];
};

// Copies to the host that are looked at later. Their pinned memory is kept for the next ones.
class Fetches {
 public:
    Fetches() = default;
    ~Fetches();
    Fetches(const Fetches&) = delete;
    Fetches& operator=(const Fetches&) = delete;

    // The slot is a number from 0 on.
    [[nodiscard]] cudaError_t begin(cudaStream_t stream, const void* device, std::int64_t bytes,
                                    std::int32_t& slot);
    [[nodiscard]] cudaError_t end(std::int32_t slot, void* host);

 private:
    struct Slot {
        void* data = nullptr;
        std::int64_t capacity = 0, bytes = 0;
        cudaEvent_t done = nullptr;
        bool isTaken = false, isPinned = false;
    };
    [[nodiscard]] static cudaError_t makeRoom(Slot& slot, std::int64_t bytes);
    static void release(Slot& slot);

    std::vector<Slot> m_slots;
};

struct Queue {
    Queue();
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    std::int32_t device = 0;
    std::int32_t capability = 0;  // 10 · major + minor
    std::int64_t sharedBytesPerBlock = 0;
    std::int32_t multiprocessors = 1;
    cudaStream_t stream = nullptr;
    Staging staging;
    Fetches fetches;
    BusyClock clock;
    PointClock points;
    Scratch blasWorkspace, dnnWorkspace, convSums, sums, wantedRows, scanStates, sparse, attentionParts, fp8;
    std::unique_ptr<BlasContext> blas;
    std::unique_ptr<DnnContext> dnn;
    Message message{};
    // The last calls when they were gated additions that wait for the norm of their sums, two to the same rows at
    // most; their operands are still in place, because nothing was queued since.
    std::int32_t waitingAdditions = 0;
    GatedAddArgs additions[2]{};

    // Keeps the sentence and returns the code.
    Code fail(Code code, const char* sentence);
    Code check(cudaError_t status, const char* what);
};

// The code of a CUDA error, and its sentence.
[[nodiscard]] Code codeOf(cudaError_t status);
void describeError(cudaError_t status, const char* what, Message& message);

// Queues the additions that wait, if some do.
[[nodiscard]] Code runWaitingAdditions(Queue& queue);

// Calls of the table that live in a file each.
Code linear(Queue* queue, const LinearArgs& args);
Code quantiseRows(Queue* queue, const QuantiseArgs& args);
Code unpackRows(Queue* queue, const UnpackRowsArgs& args);
Code conv(Queue* queue, const ConvArgs& args);
Code attention(Queue* queue, const AttentionArgs& args);
Code rmsNorm(Queue* queue, const RmsNormArgs& args);
Code layerNorm(Queue* queue, const LayerNormArgs& args);
Code channelNorm(Queue* queue, const ChannelNormArgs& args);
Code gatedAdd(Queue* queue, const GatedAddArgs& args);
Code gatedGelu(Queue* queue, const GatedGeluArgs& args);
Code silu(Queue* queue, const float* x, float* y, std::int64_t count);
Code embed(Queue* queue, const EmbedArgs& args);
Code copy(Queue* queue, const CopyArgs& args);
Code add(Queue* queue, const AddArgs& args);
Code linearCombination(Queue* queue, const CombinationArgs& args);
Code difference(Queue* queue, const DifferenceArgs& args);
Code rowSums(Queue* queue, const RowSumsArgs& args);
Code upsample2x(Queue* queue, const Upsample2xArgs& args);
Code toBytes(Queue* queue, const ToBytesArgs& args);
Code scanConv(Queue* queue, const ScanConvArgs& args);
Code stateSpaceScan(Queue* queue, const StateSpaceArgs& args);
Code gatedRmsNorm(Queue* queue, const GatedRmsNormArgs& args);
Code poolRows(Queue* queue, const PoolArgs& args);
Code attentionRows(Queue* queue, const AttentionRowsArgs& args);
Code blockSparseAttention(Queue* queue, const BlockSparseArgs& args);
Code windowAttention(Queue* queue, const WindowArgs& args);
Code selectBlocks(Queue* queue, const SelectBlocksArgs& args);
Code chooseOrders(Queue* queue, const ChooseOrdersArgs& args);
Code linearAttention(Queue* queue, const LinearAttentionArgs& args);
Code addBranch(Queue* queue, const AddBranchArgs& args);
Code keptMass(Queue* queue, const KeptMassArgs& args);

}  // namespace fw::kernels::cuda
