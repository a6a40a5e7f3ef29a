// The CPU's queue of operations. Internal to the back-end; everything runs at once in the calling thread's OpenMP
// team.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/backend/cpu_dnnl.h"
#include "core/backend/ops.h"
#include "core/backend/packed_rows.h"

namespace fw::backend {

// Memory aligned for every kernel, released by free().
struct FreeDeleter {
    void operator()(void* data) const;
};
using AlignedBytes = std::unique_ptr<void, FreeDeleter>;
// Null when there is none.
[[nodiscard]] AlignedBytes allocateAligned(std::int64_t bytes);

struct CpuPackedLinear final : PackedLinear {
    mutable WeightLayouts weights;
    dnnl::memory bias;  // f32 [1, out]; empty: none
};

struct CpuPackedConv3d final : PackedConv3d {
    mutable WeightLayouts weights;
    dnnl::memory bias;  // f32 [outC]; empty: none
};

// The arguments of a primitive; only data handles change between executions.
struct PrimitiveArguments {
    dnnl::memory source, destination, scratchpad;
    std::unordered_map<int, dnnl::memory> all;
};

// A primitive made once for a shape, with arguments for every worker that may run it at the same time.
struct CachedPrimitive {
    dnnl::primitive primitive;
    dnnl::memory::desc weightLayout;
    std::int64_t scratchBytes = 0;  // for one worker, aligned
    bool splitsSums = false;        // results depend on the number of threads
    std::vector<PrimitiveArguments> workers;
};

// What one execution reads and writes.
struct PrimitiveOperands {
    const void* source = nullptr;
    dnnl::memory weights;
    dnnl::memory bias;  // empty: none
    void* destination = nullptr;
    void* scratchpad = nullptr;
};

// Shapes change with every clip size: beyond this many the caches start anew.
inline constexpr std::size_t kMaxPrimitives = 512;

struct LinearKey {
    std::int64_t rows = 0, in = 0, out = 0, sourceStride = 0, destinationStride = 0;
    DType compute = DType::F32, result = DType::F32;
    Activation activation = Activation::None;
    bool bias = false;
    int threads = 1;
    auto operator<=>(const LinearKey&) const = default;
};

struct ConvKey {
    std::array<std::int64_t, 4> extents{};  // B, T, H, W of x
    std::int64_t inChannels = 0, outChannels = 0;
    std::array<std::int64_t, 3> kernel{}, stride{};
    std::array<std::int64_t, 4> padding{};
    DType compute = DType::F32;
    bool bias = false, accumulate = false;
    auto operator<=>(const ConvKey&) const = default;
};

// Scratch memory that grows to the largest need seen and is kept.
class Workspace {
 public:
    // 256-byte aligned. Null when there is no memory left.
    [[nodiscard]] void* take(std::int64_t bytes);

 private:
    AlignedBytes m_data;
    std::int64_t m_bytes = 0;
};

class CpuOps final : public Ops, public PacksRows {
 public:
    // An error when oneDNN cannot start.
    [[nodiscard]] static Result<std::unique_ptr<Ops>> create(int threads);

    [[nodiscard]] DeviceKind deviceKind() const override { return DeviceKind::Cpu; }
    [[nodiscard]] bool supportsSparseAttention() const override { return true; }
    [[nodiscard]] bool supportsStateSpace() const override { return true; }
    [[nodiscard]] bool supportsAttentionRows() const override { return true; }
    [[nodiscard]] Status synchronize() override;
    [[nodiscard]] std::int64_t timestampUs() override;

 private:
    CpuOps(int threads, dnnl::engine engine, dnnl::stream stream)
        : m_threads(threads), m_engine(std::move(engine)), m_stream(std::move(stream)) {}

    void doUpload(const ConstTensorView& host, const TensorView& device) override;
    void doDownload(const ConstTensorView& device, const TensorView& host) override;
    void doPackRows(const ConstTensorView& x, const TensorView& bytes, const TensorView& scales) override;
    void doUnpackRows(const ConstTensorView& bytes, const ConstTensorView& scales, const TensorView& x) override;
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
    void doAttentionRows(const ConstTensorView& q, const ConstTensorView& k, std::span<const std::int32_t> wanted,
                         const AttentionRowOptions& options, const TensorView& rows,
                         const TensorView& entropies) override;
    void doRowSums(const ConstTensorView& rows, const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling,
                   const TensorView& sums, const TensorView& columns) override;
    void doKeptMass(const ConstTensorView& rows, std::span<const std::int32_t> queries, const SeenKeys& seen,
                    const TensorView& masses) override;
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

    // Scratch memory of a sparse operation, or null after noting that there is none.
    [[nodiscard]] void* sparseScratch(const char* operation, std::int64_t bytes);
    // Keeps the first failure for synchronize(). True when there is none to report.
    bool note(Status status);
    // Made on first use. Both throw dnnl::error. References stay valid until trimPrimitives().
    [[nodiscard]] CachedPrimitive& linearPrimitive(const LinearKey& key);
    [[nodiscard]] CachedPrimitive& convPrimitive(const ConvKey& key);
    void trimPrimitives();
    // With arguments for `workers`, handles still empty. Throws dnnl::error.
    [[nodiscard]] CachedPrimitive makePrimitive(const dnnl::primitive_desc& description, int workers) const;
    // Scratch memory for all workers of a primitive. Throws std::bad_alloc.
    [[nodiscard]] std::byte* scratchFor(std::int64_t bytes);
    // Safe for different workers at the same time. Throws dnnl::error.
    void execute(CachedPrimitive& cached, int worker, const PrimitiveOperands& operands);
    // Throws dnnl::error or std::bad_alloc.
    void multiply(const LinearKey& key, const void* source, const CpuPackedLinear& weights, void* destination);
    // In blocks of rows that do not depend on the number of threads, each by one thread.
    void multiplyInBlocks(const LinearKey& key, const void* source, const CpuPackedLinear& weights,
                          void* destination);
    // A contiguous tensor like `view` in a workspace. Throws std::bad_alloc.
    [[nodiscard]] static TensorView contiguousLike(const ConstTensorView& view, Workspace& workspace);

    int m_threads;
    dnnl::engine m_engine;
    dnnl::stream m_stream;
    std::map<LinearKey, CachedPrimitive> m_linears;
    std::map<ConvKey, CachedPrimitive> m_convs;
    Workspace m_scratchpad, m_attention, m_convSource, m_convDestination, m_sums;
    Status m_failure;
};

}  // namespace fw::backend
