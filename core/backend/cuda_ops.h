// A GPU's queue of operations: views become arguments of the kernels' functions. Internal to the back-end.
//
// Calls return before the work is done; one stream keeps their order, so the arena's memory may be reused at once.
#pragma once

#include <memory>
#include <vector>

#include "core/backend/cuda_library.h"
#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/backend/packed_rows.h"
#include "kernels/cuda/sparse_args.h"

namespace fw::backend {

// Device memory with the library it came from. OutOfMemory with bytes asked and free.
[[nodiscard]] Result<std::unique_ptr<Buffer>> allocateCuda(const std::shared_ptr<const CudaLibrary>& library,
                                                           std::int32_t device, std::int64_t bytes);

struct CudaPackedLinear final : PackedLinear {
    std::unique_ptr<Buffer> weight;       // [out, in] of the compute type, or of e4m3
    std::unique_ptr<Buffer> scales;       // f32 [out] of weights in e4m3; otherwise null
    std::unique_ptr<Buffer> bias;         // f32 [out]; null: none
    std::unique_ptr<Buffer> biasCompute;  // the same in the compute type; null when that is f32
};

// One row of contiguous rows; x and y are yet to come. The weights are this back-end's.
[[nodiscard]] kernels::cuda::LinearArgs linearArgs(const PackedLinear& weights, DType result);

struct CudaPackedConv3d final : PackedConv3d {
    std::unique_ptr<Buffer> weight;  // [outC, kT, kH, kW, inC] of the compute type
    std::unique_ptr<Buffer> bias;    // f32 [outC]; null: none
};

// A cut of a clip's tokens into boxes as tables on the device, kept for the calls to come.
struct CudaBlockTable {
    TokenBlocks blocks;
    BlockTable host;  // what was uploaded; must outlive the upload
    std::vector<std::int32_t> hostRows;
    std::unique_ptr<Buffer> order, starts, rows;
};

class CudaOps final : public Ops, public PacksRows {
 public:
    [[nodiscard]] static Result<std::unique_ptr<Ops>> create(std::shared_ptr<const CudaLibrary> library,
                                                             std::int32_t device);
    ~CudaOps() override;

    [[nodiscard]] DeviceKind deviceKind() const override { return DeviceKind::Cuda; }
    [[nodiscard]] Status synchronize() override;
    [[nodiscard]] std::int64_t timestampUs() override;
    [[nodiscard]] std::size_t mark() override;
    [[nodiscard]] std::vector<std::int64_t> markedTimes() override;
    [[nodiscard]] kernels::cuda::Queue* queue() const { return m_queue; }
    [[nodiscard]] bool supportsStateSpace() const override { return true; }
    [[nodiscard]] bool supportsAttentionRows() const override { return true; }
    [[nodiscard]] bool supportsSparseAttention() const override { return true; }

 private:
    CudaOps(std::shared_ptr<const CudaLibrary> library, std::int32_t device, kernels::cuda::Queue* queue)
        : m_library(std::move(library)), m_device(device), m_queue(queue) {}

    void doUpload(const ConstTensorView& host, const TensorView& device) override;
    void doDownload(const ConstTensorView& device, const TensorView& host) override;
    [[nodiscard]] std::unique_ptr<PendingDownload> doBeginDownload(const ConstTensorView& device) override;
    void doPackRows(const ConstTensorView& x, const TensorView& bytes, const TensorView& scales) override;
    void doUnpackRows(const ConstTensorView& bytes, const ConstTensorView& scales, const TensorView& x) override;
    Result<std::unique_ptr<PackedLinear>> doPackLinear(const LinearSource& source, DType stored) override;
    Result<std::unique_ptr<PackedConv3d>> doPackConv3d(const ConstTensorView& weight, const ConstTensorView& bias,
                                                       const Conv3dGeometry& geometry, DType compute) override;
    void doLinear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y,
                  Activation activation) override;
    void doAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                     const TensorView& out, const AttentionOptions& options) override;
    void doScanConv(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                    const ScanConvOptions& options, const TensorView& y) override;
    void doStateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions& options,
                          const TensorView& y) override;
    void doGatedRmsNorm(const ConstTensorView& x, const ConstTensorView& gate, const ConstTensorView& weight,
                        std::int64_t groups, float eps, const TensorView& y) override;
    void doPoolTokens(const ConstTensorView& x, const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling,
                      const TensorView& y) override;
    void doAttentionRows(const ConstTensorView& q, const ConstTensorView& k, std::span<const std::int32_t> wanted,
                         const AttentionRowOptions& options, const TensorView& rows,
                         const TensorView& entropies) override;
    [[nodiscard]] bool addsBranches() const override { return true; }
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
    void doRmsNormRope(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                       const std::optional<RopeTables>& rope, std::int64_t headDim, const TensorView& y) override;
    void doLayerNormModulate(const ConstTensorView& x, const ConstTensorView& scale, const ConstTensorView& shift,
                             float eps, const TensorView& y) override;
    void doLayerNormProduct(const ConstTensorView& x, const ConstTensorView& scale, const ConstTensorView& shift,
                            float eps, const TensorView& y, const RowProduct& product) override;
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
    void doRowSums(const ConstTensorView& rows, const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling,
                   const TensorView& sums, const TensorView& columns) override;
    void doKeptMass(const ConstTensorView& rows, std::span<const std::int32_t> queries, const SeenKeys& seen,
                    const TensorView& masses) override;
    void doConv3d(const ConstTensorView& x, const PackedConv3d& weights, const TensorView& y,
                  bool accumulate) override;
    void doUpsample2x(const ConstTensorView& x, const TensorView& y) override;
    void doToBytes(const ConstTensorView& x, const TensorView& y) override;

    [[nodiscard]] const kernels::cuda::Api& api() const { return m_library->api(); }
    // Keeps the first failure for synchronize().
    void note(kernels::cuda::Code code);
    void note(Status status);
    // Replaces weights in bf16 by e4m3.
    [[nodiscard]] Status quantise(CudaPackedLinear& packed, std::int64_t out, std::int64_t in);
    // A host tensor of any layout into device memory of another type and layout of equal shape; waits.
    [[nodiscard]] Status place(const ConstTensorView& host, const TensorView& device);
    // A contiguous tensor like `view` in `buffer`, which grows. None, and the failure noted, without memory.
    [[nodiscard]] TensorView contiguousLike(const ConstTensorView& view, std::unique_ptr<Buffer>& buffer);
    // The tables of boxes, made at their first use. Null, and the failure noted, without memory.
    [[nodiscard]] const CudaBlockTable* blockTable(const TokenBlocks& blocks);
    // False: see blockTable().
    [[nodiscard]] bool cutInto(const TokenBlocks& blocks, kernels::cuda::TokenCut& cut);

    std::shared_ptr<const CudaLibrary> m_library;
    std::int32_t m_device;
    kernels::cuda::Queue* m_queue;  // owned
    std::optional<std::int64_t>
        m_markedFrom;          // when the point was that times are counted from; none: nothing marked yet
    std::size_t m_marked = 0;  // points since
    std::unique_ptr<Buffer> m_convSource, m_convDestination;
    std::vector<std::unique_ptr<CudaBlockTable>> m_tables;
    Status m_failure;
};

}  // namespace fw::backend
