#include "core/backend/cuda_weight_stream.h"

#include <utility>
#include <vector>

#include "core/backend/cuda_ops.h"

namespace fw::backend {

namespace cuda = kernels::cuda;

namespace {

// Pinned host memory.
class PinnedBytes {
 public:
    PinnedBytes(const cuda::StreamingApi& api, void* data) : m_api(&api), m_data(data) {}
    ~PinnedBytes() {
        if (m_data != nullptr) {
            m_api->releaseHost(m_data);
        }
    }
    PinnedBytes(PinnedBytes&& other) noexcept : m_api(other.m_api), m_data(std::exchange(other.m_data, nullptr)) {}
    PinnedBytes& operator=(PinnedBytes&&) = delete;
    PinnedBytes(const PinnedBytes&) = delete;
    PinnedBytes& operator=(const PinnedBytes&) = delete;
    [[nodiscard]] void* data() const { return m_data; }

 private:
    const cuda::StreamingApi* m_api;
    void* m_data;
};

// A part of a place; the stream owns the place.
class PartOfPlace final : public Buffer {
 public:
    PartOfPlace(void* data, std::int64_t bytes) : Buffer(data, bytes, DeviceKind::Cuda) {}
};

class CudaWeightStream final : public WeightStream {
 public:
    CudaWeightStream(std::shared_ptr<const CudaLibrary> library, std::int32_t device, cuda::CopyLane* lane,
                     Ops& ops)
        : m_library(std::move(library)), m_device(device), m_lane(lane), m_ops(ops) {}
    ~CudaWeightStream() override {
        static_cast<void>(m_ops.synchronize());  // nothing queued may read a place that goes
        api().destroyLane(m_lane);
    }

 private:
    // One buffer of a matrix.
    struct Chunk {
        std::unique_ptr<Buffer>* owner;  // where the matrix keeps it
        PinnedBytes host;
        std::int64_t offset, bytes;
    };

    [[nodiscard]] const cuda::StreamingApi& api() const { return *m_library->streaming(); }

    Result<std::int64_t> takeOut(PackedLinear& matrix, int group, std::int64_t offset) override {
        auto* packed = dynamic_cast<CudaPackedLinear*>(&matrix);
        FW_CHECK(packed != nullptr, "weights were packed for another device");
        m_groups.resize(static_cast<std::size_t>(group) + 1);
        const std::int64_t start = offset;
        for (std::unique_ptr<Buffer>* buffer :
             {&packed->weight, &packed->scales, &packed->bias, &packed->biasCompute}) {
            if (*buffer == nullptr) {
                continue;
            }
            const std::int64_t bytes = (*buffer)->bytes();
            void* host = nullptr;
            cuda::Message message{};
            if (const cuda::Code code = api().allocateHost(bytes, &host, &message); code != cuda::Code::Ok) {
                return tl::make_unexpected(
                    cudaError(code, message)
                        .within(fmt::format("{} bytes of host memory for weights that visit the device", bytes)));
            }
            PinnedBytes pinned(api(), host);
            const Shape shape{bytes};
            m_ops.download(ConstTensorView((*buffer)->data(), DType::U8, shape, DeviceKind::Cuda),
                           TensorView(host, DType::U8, shape));
            FW_TRY(m_ops.synchronize());
            buffer->reset();
            m_groups.back().push_back({buffer, std::move(pinned), offset, bytes});
            offset += (bytes + kAlignment - 1) / kAlignment * kAlignment;
        }
        return offset - start;
    }

    Status makePlaces(std::int64_t bytes) override {
        for (std::unique_ptr<Buffer>& place : m_places) {
            FW_ASSIGN(place, allocateCuda(m_library, m_device, bytes));
        }
        // Every matrix knows from the start where it will lie.
        for (std::size_t group = 0; group < m_groups.size(); ++group) {
            const Buffer& place = *m_places[group % m_places.size()];
            for (const Chunk& chunk : m_groups[group]) {
                *chunk.owner = std::make_unique<PartOfPlace>(static_cast<std::byte*>(place.data()) + chunk.offset,
                                                             chunk.bytes);
            }
        }
        return {};
    }

    // Failures of these stay with the device: the queue's next synchronize() reports them.
    void fetch(int group, int place) override {
        const Buffer& target = *m_places[static_cast<std::size_t>(place)];
        for (const Chunk& chunk : m_groups[static_cast<std::size_t>(group)]) {
            note(api().fetch(m_lane, place, chunk.host.data(),
                             static_cast<std::byte*>(target.data()) + chunk.offset, chunk.bytes));
        }
        note(api().fetched(m_lane, place));
    }
    void await(int place) override { note(api().await(m_lane, place)); }
    void leave(int place) override { note(api().leave(m_lane, place)); }

    void note(cuda::Code code) {
        if (code != cuda::Code::Ok && m_failure) {
            cuda::Message message{"copying weights to the device failed"};
            m_failure = tl::make_unexpected(cudaError(code, message));
        }
    }
    Status takeFailure() override { return std::exchange(m_failure, Status()); }

    std::shared_ptr<const CudaLibrary> m_library;
    std::int32_t m_device;
    cuda::CopyLane* m_lane;  // owned
    Ops& m_ops;
    std::vector<std::vector<Chunk>> m_groups;
    std::array<std::unique_ptr<Buffer>, kPlaces> m_places;
    Status m_failure;
};

}  // namespace

Result<std::unique_ptr<WeightStream>> createCudaWeightStream(std::shared_ptr<const CudaLibrary> library,
                                                             std::int32_t device, cuda::Queue* queue, Ops& ops) {
    if (library->streaming() == nullptr) {
        return fail(ErrorCode::Unsupported, "this CUDA engine cannot keep weights in host memory");
    }
    cuda::CopyLane* lane = nullptr;
    cuda::Message message{};
    const cuda::Code code = library->streaming()->createLane(device, queue, &lane, &message);
    if (code != cuda::Code::Ok) {
        return tl::make_unexpected(cudaError(code, message));
    }
    return std::unique_ptr<WeightStream>(new CudaWeightStream(std::move(library), device, lane, ops));
}

}  // namespace fw::backend
