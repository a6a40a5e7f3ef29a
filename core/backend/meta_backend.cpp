// The device of dry runs: shapes in, costs and memory out, no bytes.
#include <chrono>
#include <limits>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/backend/packed_rows.h"
#include "core/backend/weight_stream.h"

namespace fw::backend {

namespace {

class MetaBuffer final : public Buffer {
 public:
    explicit MetaBuffer(std::int64_t bytes) : Buffer(nullptr, bytes, DeviceKind::Meta) {}
};

// All operations are checked and charged by Ops; there is nothing left to compute.
class MetaOps final : public Ops, public PacksRows {
 public:
    [[nodiscard]] DeviceKind deviceKind() const override { return DeviceKind::Meta; }
    [[nodiscard]] bool supportsSparseAttention() const override { return true; }
    [[nodiscard]] bool supportsStateSpace() const override { return true; }
    [[nodiscard]] bool supportsAttentionRows() const override { return true; }
    [[nodiscard]] Status synchronize() override { return {}; }
    [[nodiscard]] std::int64_t timestampUs() override {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    }

 private:
    void doUpload(const ConstTensorView&, const TensorView&) override {}
    void doDownload(const ConstTensorView&, const TensorView&) override {}
    void doPackRows(const ConstTensorView&, const TensorView&, const TensorView&) override {}
    void doUnpackRows(const ConstTensorView&, const ConstTensorView&, const TensorView&) override {}

    Result<std::unique_ptr<PackedLinear>> doPackLinear(const LinearSource& source, DType compute) override {
        auto packed = std::make_unique<PackedLinear>();
        packed->fp8 = compute == DType::F8E4M3;
        for (const ConstTensorView& weight : source.weights) {
            packed->bytes += weight.count() * dtypeSize(compute);
            packed->bytes += packed->fp8 ? weight.dim(0) * dtypeSize(DType::F32) : 0;
        }
        for (const ConstTensorView& bias : source.biases) {
            packed->bytes += bias.count() * dtypeSize(DType::F32);
        }
        return packed;
    }

    Result<std::unique_ptr<PackedConv3d>> doPackConv3d(const ConstTensorView& weight, const ConstTensorView& bias,
                                                       const Conv3dGeometry&, DType compute) override {
        auto packed = std::make_unique<PackedConv3d>();
        packed->bytes = weight.count() * dtypeSize(compute);
        packed->bytes += bias.isNone() ? 0 : bias.count() * dtypeSize(DType::F32);
        return packed;
    }

    void doLinear(const ConstTensorView&, const PackedLinear&, const TensorView&, Activation) override {}
    void doAttention(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&, const TensorView&,
                     const AttentionOptions&) override {}
    void doWindowAttention(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&,
                           const TensorView&, const WindowOptions&) override {}
    void doBlockSparseAttention(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&,
                                const TensorView&, const BlockLists&, const BlockSparseOptions&) override {}
    void doSelectBlocks(const ConstTensorView&, const ConstTensorView&, const SelectOptions&,
                        const BlockLists&) override {}
    void doChooseTokenOrders(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&,
                             const WindowOptions&, std::int64_t, const TensorView&) override {}
    void doLinearAttention(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&,
                           const TensorView&, const LinearAttentionOptions&) override {}
    void doAddBranch(const TensorView&, const ConstTensorView&, const BranchOptions&) override {}
    void doScanConv(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&, const ScanConvOptions&,
                    const TensorView&) override {}
    void doStateSpaceScan(std::span<const StateSpaceInput>, const StateSpaceOptions&, const TensorView&) override {}
    void doGatedRmsNorm(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&, std::int64_t, float,
                        const TensorView&) override {}
    void doPoolTokens(const ConstTensorView&, const TokenGrid&, const std::array<std::int64_t, 3>&,
                      const TensorView&) override {}
    void doAttentionRows(const ConstTensorView&, const ConstTensorView&, std::span<const std::int32_t>,
                         const AttentionRowOptions&, const TensorView&, const TensorView&) override {}
    void doRowSums(const ConstTensorView&, const TokenGrid&, const std::array<std::int64_t, 3>&, const TensorView&,
                   const TensorView&) override {}
    void doKeptMass(const ConstTensorView&, std::span<const std::int32_t>, const SeenKeys&,
                    const TensorView&) override {}
    void doRmsNormRope(const ConstTensorView&, const ConstTensorView&, float, const std::optional<RopeTables>&,
                       std::int64_t, const TensorView&) override {}
    void doLayerNormModulate(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&, float,
                             const TensorView&) override {}
    void doLayerNorm(const ConstTensorView&, const ConstTensorView&, const ConstTensorView&, float,
                     const TensorView&, const GatedDelta&) override {}
    void doRmsNorm(const ConstTensorView&, const ConstTensorView&, float, const TensorView&) override {}
    void doChannelNorm(const ConstTensorView&, const ConstTensorView&, bool, const TensorView&) override {}
    void doGatedAdd(const TensorView&, const ConstTensorView&, const ConstTensorView&) override {}
    void doAdd(const ConstTensorView&, const ConstTensorView&, const TensorView&) override {}
    void doSilu(const ConstTensorView&, const TensorView&) override {}
    void doGatedGelu(const ConstTensorView&, const TensorView&) override {}
    void doEmbed(const ConstTensorView&, const ConstTensorView&, const TensorView&) override {}
    void doCopy(const ConstTensorView&, const TensorView&) override {}
    void doLinearCombination(std::span<const Term>, const TensorView&) override {}
    void doDifference(const ConstTensorView&, const ConstTensorView&, const TensorView&) override {}
    void doConv3d(const ConstTensorView&, const PackedConv3d&, const TensorView&, bool) override {}
    void doUpsample2x(const ConstTensorView&, const TensorView&) override {}
    void doToBytes(const ConstTensorView&, const TensorView&) override {}
};

// Counts bytes; there is nothing to copy.
class MetaWeightStream final : public WeightStream {
 private:
    Result<std::int64_t> takeOut(PackedLinear& matrix, int, std::int64_t) override { return matrix.bytes; }
    Status makePlaces(std::int64_t) override { return {}; }
    void fetch(int, int) override {}
    void await(int) override {}
    void leave(int) override {}
};

class MetaDevice final : public Device, public StreamsWeights {
 public:
    MetaDevice(DType preferredDType, DeviceKind standsFor)
        : m_preferredDType(preferredDType), m_standsFor(standsFor) {}

    [[nodiscard]] DeviceInfo info() const override {
        DeviceInfo info;
        info.kind = DeviceKind::Meta;
        info.id = "meta";
        info.name = "dry run without memory";
        info.totalBytes = std::numeric_limits<std::int64_t>::max();
        info.freeBytes = info.totalBytes;
        info.preferredDType = m_preferredDType;
        info.computeDTypes = {DType::F32, DType::BF16};
        info.fp8 = true;
        return info;
    }
    [[nodiscard]] std::int64_t footprint(std::int64_t bytes) const override {
        return m_standsFor == DeviceKind::Cuda ? cudaFootprint(bytes) : bytes;
    }
    [[nodiscard]] Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes) override {
        FW_CHECK(bytes >= 0, "allocation of {} bytes", bytes);
        return std::make_unique<MetaBuffer>(bytes);
    }
    [[nodiscard]] Result<std::unique_ptr<Ops>> createOps(const OpsOptions&) override {
        return std::make_unique<MetaOps>();
    }
    [[nodiscard]] Result<std::unique_ptr<WeightStream>> createWeightStream(Ops&) override {
        return std::make_unique<MetaWeightStream>();
    }

 private:
    DType m_preferredDType;
    DeviceKind m_standsFor;
};

}  // namespace

std::unique_ptr<Device> createMetaDevice(DType preferredDType, DeviceKind standsFor) {
    return std::make_unique<MetaDevice>(preferredDType, standsFor);
}

}  // namespace fw::backend
