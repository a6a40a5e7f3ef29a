// The naive back-end that real ones are compared with: plain loops in double precision, no blocking, no threads.
#pragma once

#include "core/backend/ops.h"

namespace fw::backend {

// The value of element `index` (one position per dimension) in double precision.
[[nodiscard]] double readElement(const ConstTensorView& view, const Dims& index);
// Rounds to the view's type: nearest even for floats, clamped for bytes.
void writeElement(const TensorView& view, const Dims& index, double value);
// Moves `index` to the next position of `shape`, row-major. False after the last.
[[nodiscard]] bool advance(Dims& index, const Shape& shape);
[[nodiscard]] Dims firstIndex(const Shape& shape);

class ReferenceOps final : public Ops {
 public:
    [[nodiscard]] DeviceKind deviceKind() const override { return DeviceKind::Cpu; }
    [[nodiscard]] bool supportsSparseAttention() const override { return true; }
    [[nodiscard]] bool supportsStateSpace() const override { return true; }
    [[nodiscard]] Status synchronize() override { return {}; }
    [[nodiscard]] std::int64_t timestampUs() override { return 0; }

 private:
    void doUpload(const ConstTensorView& host, const TensorView& device) override;
    void doDownload(const ConstTensorView& device, const TensorView& host) override;
    Result<std::unique_ptr<PackedLinear>> doPackLinear(const LinearSource& source, DType compute) override;
    Result<std::unique_ptr<PackedConv3d>> doPackConv3d(const ConstTensorView& weight, const ConstTensorView& bias,
                                                       const Conv3dGeometry& geometry, DType compute) override;
    void doLinear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y,
                  Activation activation) override;
    void doAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                     const TensorView& out, const AttentionOptions& options) override;
    void doWindowAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                           const TensorView& out, const WindowOptions& options) override;
    void doBlockSparseAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                const TensorView& out, const BlockLists& lists,
                                const BlockSparseOptions& options) override;
    void doSelectBlocks(const ConstTensorView& q, const ConstTensorView& k, const SelectOptions& options,
                        const BlockLists& lists) override;
    void doChooseTokenOrders(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                             const WindowOptions& options, std::int64_t samples, const TensorView& orders) override;
    void doLinearAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                           const TensorView& out, const LinearAttentionOptions& options) override;
    void doAddBranch(const TensorView& out, const ConstTensorView& branch, const BranchOptions& options) override;
    void doScanConv(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                    const ScanConvOptions& options, const TensorView& y) override;
    void doStateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions& options,
                          const TensorView& y) override;
    void doGatedRmsNorm(const ConstTensorView& x, const ConstTensorView& gate, const ConstTensorView& weight,
                        std::int64_t groups, float eps, const TensorView& y) override;
    void doPoolTokens(const ConstTensorView& x, const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling,
                      const TensorView& y) override;
    void doRmsNormRope(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                       const std::optional<RopeTables>& rope, std::int64_t headDim, const TensorView& y) override;
    void doLayerNormModulate(const ConstTensorView& x, const ConstTensorView& scale, const ConstTensorView& shift,
                             float eps, const TensorView& y) override;
    void doLayerNorm(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                     float eps, const TensorView& y, const GatedDelta& added) override;
    void doRmsNorm(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                   const TensorView& y) override;
    void doChannelNorm(const ConstTensorView& x, const ConstTensorView& gamma, bool silu,
                       const TensorView& y) override;
    void doGatedAdd(const TensorView& residual, const ConstTensorView& delta, const ConstTensorView& gate) override;
    void doAdd(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y) override;
    void doSilu(const ConstTensorView& x, const TensorView& y) override;
    void doGatedGelu(const ConstTensorView& x, const TensorView& y) override;
    void doEmbed(const ConstTensorView& table, const ConstTensorView& ids, const TensorView& y) override;
    void doCopy(const ConstTensorView& x, const TensorView& y) override;
    void doLinearCombination(std::span<const Term> terms, const TensorView& y) override;
    void doDifference(const ConstTensorView& a, const ConstTensorView& b, const TensorView& means) override;
    void doConv3d(const ConstTensorView& x, const PackedConv3d& weights, const TensorView& y,
                  bool accumulate) override;
    void doUpsample2x(const ConstTensorView& x, const TensorView& y) override;
    void doToBytes(const ConstTensorView& x, const TensorView& y) override;
};

}  // namespace fw::backend
