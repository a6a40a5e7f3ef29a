// The operations a model is made of.
//
// `Ops` is a queue on one device. The public functions check shapes and types, count work, and hand over to the
// back-end's private virtual functions; a back-end therefore implements arithmetic only, and every back-end reports
// the same FLOPs. Shape mistakes are programmer errors (FW_CHECK). Device failures surface in synchronize().
//
// Notation: B batch, N query tokens, M key tokens, H heads, D head width, C = H·D channels, T frames. Unless a
// function says otherwise: the last dimension has stride 1, inner dimensions may be strided, "act" is the compute
// type (f32 or bf16), small per-channel vectors are f32, arithmetic inside an operation is f32, outputs may not
// overlap inputs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/backend/scan_options.h"
#include "core/backend/sparse_options.h"
#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::backend {

// Weights in the layout the back-end computes fastest with. Opaque; made by Ops::pack…, freed by destruction.
class PackedLinear {
 public:
    virtual ~PackedLinear() = default;
    std::int64_t inFeatures = 0;
    std::int64_t outFeatures = 0;
    DType compute = DType::F32;  // of what it is multiplied with
    // The weights lie as e4m3 with a scale for every output feature; what they are multiplied with is quantised
    // alike, with a scale for every row.
    bool fp8 = false;
    std::int64_t bytes = 0;
};
class PackedConv3d {
 public:
    virtual ~PackedConv3d() = default;
    std::int64_t inChannels = 0;
    std::int64_t outChannels = 0;
    std::array<std::int64_t, 3> kernel{};   // T, H, W
    std::array<std::int64_t, 3> stride{};   // T, H, W
    std::array<std::int64_t, 4> padding{};  // top, bottom, left, right
    DType compute = DType::F32;
    std::int64_t bytes = 0;
};

enum class Activation : std::uint8_t { None, GeluTanh, Silu };

// One source matrix or several that share their input: rows are concatenated in order ([q; k; v]).
struct LinearSource {
    std::span<const ConstTensorView> weights;  // each [out_i, in], any float type, host memory
    std::span<const ConstTensorView> biases;   // each [out_i], or empty: no bias
};

struct Conv3dGeometry {
    std::array<std::int64_t, 3> stride{1, 1, 1};  // T, H, W
    // Zeros around H and W: {top, bottom, left, right}. Time is never padded: the caller supplies past frames.
    std::array<std::int64_t, 4> padding{0, 0, 0, 0};
};

struct AttentionOptions {
    float scale = 1.0F;          // softmax(scale · q kᵀ + bias) v
    ConstTensorView bias;        // optional f32 [H, N, M], shared by the batch
    std::int64_t keyCount = -1;  // attend only keys [0, keyCount); -1: all M
    // The first key counts as so many equal ones with equal values: what is a prompt's padding. At least 1, finite.
    float firstKeyWeight = 1.0F;
    // Operands and probabilities may be rounded to e4m3 where the back-end has a kernel for it: about twice the
    // speed of bf16 for a relative error of some hundredths. Elsewhere it changes nothing.
    bool fp8 = false;
};

struct AttentionRowOptions {
    float scale = 1.0F;           // above 0
    float firstKeyWeight = 1.0F;  // as in AttentionOptions; the row holds the mass of all of them as one
};

// What goes into rows: gate · delta. delta [B, N, C] f32 or act, none: nothing; gate f32 [B, C], or none for 1.
struct GatedDelta {
    ConstTensorView delta, gate;
};

// A product of what an operation has just made, to be computed with it: a gate's logits, for one.
struct RowProduct {
    const PackedLinear* weights = nullptr;  // null: none is wanted
    TensorView y;                           // as linear() has it
};

// What a tensor held when beginDownload() was called. Goes before the Ops it came from.
class PendingDownload {
 public:
    PendingDownload() = default;
    virtual ~PendingDownload() = default;
    PendingDownload(const PendingDownload&) = delete;
    PendingDownload& operator=(const PendingDownload&) = delete;

    // Once, to contiguous memory of the host of as many bytes. What failed on the device is told by synchronize().
    virtual void take(void* host) = 0;
};

// Work counted by the public functions. Multiply-add counts as two FLOPs; bytes are each operand once.
struct OpCost {
    std::int64_t flops = 0;
    std::int64_t bytes = 0;
};

class Ops {
 public:
    virtual ~Ops() = default;
    Ops() = default;
    Ops(const Ops&) = delete;
    Ops& operator=(const Ops&) = delete;

    [[nodiscard]] virtual DeviceKind deviceKind() const = 0;
    // Waits for all queued work and reports its first failure.
    [[nodiscard]] virtual Status synchronize() = 0;
    // Microseconds on a monotonic clock at this point of the queue (waits on asynchronous devices: tracing only).
    [[nodiscard]] virtual std::int64_t timestampUs() = 0;

    // A point of the queue to be timed, without waiting for it: its index among those marked since markedTimes().
    [[nodiscard]] virtual std::size_t mark();
    // Of every point marked since the last call, on the clock of timestampUs(). Waits. What is fused with work
    // behind a point counts as behind it.
    [[nodiscard]] virtual std::vector<std::int64_t> markedTimes();

    // --- transfers: contiguous, equal dtype and shape. The host side must stay valid until synchronize().
    void upload(const ConstTensorView& host, const TensorView& device);
    void download(const ConstTensorView& device, const TensorView& host);
    // The same in two parts: begins without waiting for the device, and is taken when the caller likes, which waits
    // for nothing queued meanwhile. `device` may be overwritten by later calls.
    [[nodiscard]] std::unique_ptr<PendingDownload> beginDownload(const ConstTensorView& device);

    // --- weights
    // `compute` F8E4M3: the product in fp8, activations in bf16. A back-end without it fails with Unsupported; a
    // matrix whose sizes it does not take stays bf16 (PackedLinear::fp8 tells).
    [[nodiscard]] Result<std::unique_ptr<PackedLinear>> packLinear(const LinearSource& source, DType compute);
    // weight [outC, inC, kT, kH, kW] (PyTorch's order), bias [outC] or none.
    [[nodiscard]] Result<std::unique_ptr<PackedConv3d>> packConv3d(const ConstTensorView& weight,
                                                                   const ConstTensorView& bias,
                                                                   const Conv3dGeometry& geometry, DType compute);

    // --- matrix products
    // y[..., out] = activation(x[..., in] · Wᵀ + b). x: compute type; y: compute type or f32. Leading dimensions
    // equal.
    void linear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y,
                Activation activation = Activation::None);
    // out = softmax(scale · q kᵀ + bias) v per head, online (no N×M matrix in memory).
    // q, out [B, N, H, D]; k, v [B, M, H, D]; act; any strides but 1 in the last dimension. D a multiple of 16 up
    // to 512 (the Wan VAE attends with all its 384 channels as one head). The bias may have any strides but 1 in
    // its last dimension, also negative ones (relative positions are a view of one short row per head).
    void attention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                   const TensorView& out, const AttentionOptions& options);

    // --- sparse and linear attention of a clip with itself: q, k, v, out [B, N, H, D] act as in attention(), N the
    // grid's tokens. Not every back-end has them: supportsSparseAttention() must be true.
    [[nodiscard]] virtual bool supportsSparseAttention() const { return false; }
    // Softmax over the keys within the window in each head's token order; charged for the pairs it keeps (of
    // frame-major order when the orders differ by head).
    void windowAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                         const TensorView& out, const WindowOptions& options);
    // Softmax over the listed key blocks; a query block without any gets zeros. Charged for options.pairs.
    void blockSparseAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                              const TensorView& out, const BlockLists& lists, const BlockSparseOptions& options);
    // The `kept` key blocks with the largest score for every query block, ascending; the score is the product of
    // the blocks' mean query and mean key, ties go to the lower block. lists.blocks holds `kept` per row.
    void selectBlocks(const ConstTensorView& q, const ConstTensorView& k, const SelectOptions& options,
                      const BlockLists& lists);
    // The order in which the window loses less: on `samples` rows spread over the clip, the mean square error
    // against dense attention decides for each head (as Sparse VideoGen, https://arxiv.org/abs/2502.01776).
    // options.orders is ignored; orders u8 [B, H].
    void chooseTokenOrders(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                           const WindowOptions& options, std::int64_t samples, const TensorView& orders);
    // out_i = φ(q_i) Σ_j φ(k_j)ᵀ v_j / (ρ(q_i) · Σ_j ρ(k_j) + eps), ρ = ReLU before rotation, φ the rotated ρ;
    // without tables both are the ReLU of what is given. States in f32. O(N).
    void linearAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                         const TensorView& out, const LinearAttentionOptions& options);
    // out += scale · sigmoid(logit) · branch, with one logit per token or their mean. out, branch [B, N, C] act.
    void addBranch(const TensorView& out, const ConstTensorView& branch, const BranchOptions& options);

    // --- tokens in a row: what Mamba2 is made of (https://arxiv.org/abs/2405.21060). Not every back-end has them:
    // supportsStateSpace() must be true. Rows are read in any order by addressing; results lie where x lies.
    [[nodiscard]] virtual bool supportsStateSpace() const { return false; }
    // y = silu(bias + Σ_k weight[k] · row at position p - (K - 1) + k), channel by channel, for the row at each
    // position p. x, y [B, N, C] act; weight f32 [K, C] contiguous, bias f32 [C].
    void scanConv(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                  const ScanConvOptions& options, const TensorView& y);
    // The sum over the directions (1 or 2) of y_t = S_t c_t + skip · x_t with S_t = exp(-Δ_t e^decay) S_{t-1} +
    // Δ_t x_t b_tᵀ and Δ = softplus(step + stepBias). y [B, N, H, P] act, or none: only states are wanted. States
    // in f32; y is rounded once for each direction. Computed in chunks; O(N).
    void stateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions& options,
                        const TensorView& y);
    // y = v / sqrt(mean(v²) + eps) · weight with v = x · silu(gate) and the mean over each of `groups` equal parts
    // of the channels. x, gate, y [B, N, C] act, y may be x; weight f32 [C].
    void gatedRmsNorm(const ConstTensorView& x, const ConstTensorView& gate, const ConstTensorView& weight,
                      std::int64_t groups, float eps, const TensorView& y);
    // Means over boxes of `pooling` tokens of the grid, over those there are at the far ends. x [B, N, C], y [B, M,
    // C] with the tokens of pooledGrid(); both f32 or both bf16.
    void poolTokens(const ConstTensorView& x, const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling,
                    const TensorView& y);

    // --- looking inside. Not every back-end has it: supportsAttentionRows() must be true.
    [[nodiscard]] virtual bool supportsAttentionRows() const { return false; }
    // What attention() never forms: for the wanted queries of one sample, rows[h, r, j] = softmax over j of
    // scale · q[wanted[r], h] · k[j, h], and the row's entropy in nats. In f32 over the operands as they are
    // stored. q [1, N, H, D], k [1, M, H, D] act as in attention(), M > 0; wanted on the host, within N; rows f32
    // [H, R, M], entropies f32 [H, R], contiguous. A row with a score that is not finite becomes NaN.
    void attentionRows(const ConstTensorView& q, const ConstTensorView& k, std::span<const std::int32_t> wanted,
                       const AttentionRowOptions& options, const TensorView& rows, const TensorView& entropies);
    // What rows f32 [H, R, N] over the tokens of `grid` come down to. sums f32 [H, R, M + T + H + W]: over the
    // boxes of `pooling` tokens (M of them, as pooledGrid()), over frames, over lines and over columns of the grid.
    // columns f32 [H, N]: over the rows of each head. All contiguous. Wherever there is attentionRows().
    void rowSums(const ConstTensorView& rows, const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling,
                 const TensorView& sums, const TensorView& columns);
    // What sparse attention kept of rows of attention: masses[h, r] = the sum of rows[h, r, j] over the keys j that
    // queries[r] saw. rows f32 [H, R, N], masses f32 [H, R], contiguous; orders and lists of `seen` for one sample
    // and H heads, its scale, pairs and added branch are not looked at.
    void keptMass(const ConstTensorView& rows, std::span<const std::int32_t> queries, const SeenKeys& seen,
                  const TensorView& masses);

    // --- normalisation
    // y = x / rms(x over C) · weight, then rotary embedding per head of width headDim when `rope` is given.
    // x, y [B, N, C] act, y may be x; weight f32 [C]; rope tables have N rows. rms over the FULL width (all heads).
    void rmsNormRope(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                     const std::optional<RopeTables>& rope, std::int64_t headDim, const TensorView& y);
    // y = (x - mean)/sqrt(var + eps) · (1 + scale) + shift. x [B, N, C] f32 or act; scale, shift f32 [B, C]; y act.
    // product.y is linear() of y as it is stored, but for the order of its sums; of one column a back-end may make
    // it where y is written, without reading y again.
    void layerNormModulate(const ConstTensorView& x, const ConstTensorView& scale, const ConstTensorView& shift,
                           float eps, const TensorView& y, const RowProduct& product = {});
    // y = (v - mean)/sqrt(var + eps) · weight + bias, v = x + what is added: what gatedAdd() would leave in x,
    // which stays as it is. x [B, N, C] f32 or act, f32 where something is added; weight, bias f32 [C]; y act.
    void layerNorm(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias, float eps,
                   const TensorView& y, const GatedDelta& added = {});
    // y = x / sqrt(mean(x²) + eps) · weight (T5's norm). x [..., C] f32 or act, weight f32 [C], y act.
    void rmsNorm(const ConstTensorView& x, const ConstTensorView& weight, float eps, const TensorView& y);
    // y = x / max(‖x‖₂ over C, 1e-12) · sqrt(C) · gamma, then SiLU if asked (the Wan VAE's norm).
    // x, y [..., C] channels last, act; gamma f32 [C].
    void channelNorm(const ConstTensorView& x, const ConstTensorView& gamma, bool silu, const TensorView& y);

    // --- element-wise
    // residual += gate · delta. residual, delta [B, N, C] f32 or act each; gate f32 [B, C], or none for 1.
    void gatedAdd(const TensorView& residual, const ConstTensorView& delta, const ConstTensorView& gate);
    // y = a + b with numpy broadcasting to y's shape. f32.
    void add(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y);
    // y = silu(x). f32, contiguous, equal shapes; y may be x.
    void silu(const ConstTensorView& x, const TensorView& y);
    // y[..., F] = gelu_tanh(x[..., :F]) · x[..., F:] (T5's gated unit). act; x [..., 2F].
    void gatedGelu(const ConstTensorView& x, const TensorView& y);
    // y[i] = table[ids[i]]. table [V, C] f32 or bf16, ids i32 [n], y [n, C] f32 or act.
    void embed(const ConstTensorView& table, const ConstTensorView& ids, const TensorView& y);
    // y = x with conversion between f32, bf16 and f16; equal shapes, any strides (permutation, patchify, slices).
    void copy(const ConstTensorView& x, const TensorView& y);
    // y = Σ coefficient_i · x_i: guidance and sampler steps. f32, contiguous, equal shapes; y may be any x_i.
    // Up to kMaxTerms terms.
    static constexpr std::size_t kMaxTerms = 16;
    struct Term {
        double coefficient;
        ConstTensorView x;
    };
    void linearCombination(std::span<const Term> terms, const TensorView& y);
    // How far a is from b: means = {mean |a - b|, mean |b|, mean (a - b)², mean b²} over all elements. a, b
    // [B, N, C] f32 or act each, not empty; means f32 [4], contiguous. What step caches decide by; the same bits on
    // any number of threads.
    void difference(const ConstTensorView& a, const ConstTensorView& b, const TensorView& means);

    // --- video auto-encoder, channels last: [B, T, H, W, C]
    // y = conv(x) (+ y when `accumulate`). x, y act; T_out = (T - kT)/sT + 1 (valid in time), H and W padded by the
    // packed geometry.
    void conv3d(const ConstTensorView& x, const PackedConv3d& weights, const TensorView& y,
                bool accumulate = false);
    // Nearest-neighbour ×2 in H and W. act.
    void upsample2x(const ConstTensorView& x, const TensorView& y);
    // RGB bytes from [-1, 1]: y = round(clamp(x, -1, 1) · 127.5 + 127.5). x act or f32, y u8, equal shapes.
    void toBytes(const ConstTensorView& x, const TensorView& y);

    // Work since construction. Take differences around a region.
    [[nodiscard]] const OpCost& cost() const { return m_cost; }
    // Device memory that operations in fp8 took beside their operands, at most. The queue keeps it.
    [[nodiscard]] std::int64_t scratchBytes() const { return m_scratchBytes; }

 private:
    void charge(std::int64_t flops, std::initializer_list<ConstTensorView> operands);
    // Checks a product and counts it; its input, too, unless the operation has it at hand.
    void checkLinear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y, bool atHand);
    // Checks and counts what an attention is to add to its result, and adds it unless the back-end has done so.
    void checkAdded(const char* op, const TensorView& out, const AddedBranch& added);
    void finishAdded(const TensorView& out, const AddedBranch& added);

    virtual void doUpload(const ConstTensorView& host, const TensorView& device) = 0;
    virtual void doDownload(const ConstTensorView& device, const TensorView& host) = 0;
    // For queues that wait for every call it is a copy.
    [[nodiscard]] virtual std::unique_ptr<PendingDownload> doBeginDownload(const ConstTensorView& device);
    virtual Result<std::unique_ptr<PackedLinear>> doPackLinear(const LinearSource& source, DType compute) = 0;
    virtual Result<std::unique_ptr<PackedConv3d>> doPackConv3d(const ConstTensorView& weight,
                                                               const ConstTensorView& bias,
                                                               const Conv3dGeometry& geometry, DType compute) = 0;
    virtual void doLinear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y,
                          Activation activation) = 0;
    virtual void doAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                             const TensorView& out, const AttentionOptions& options) = 0;
    // Called only where supportsSparseAttention().
    // Whether windowed and block-sparse attention add options.added themselves.
    [[nodiscard]] virtual bool addsBranches() const { return false; }
    virtual void doWindowAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                   const TensorView& out, const WindowOptions& options);
    virtual void doBlockSparseAttention(const ConstTensorView& q, const ConstTensorView& k,
                                        const ConstTensorView& v, const TensorView& out, const BlockLists& lists,
                                        const BlockSparseOptions& options);
    virtual void doSelectBlocks(const ConstTensorView& q, const ConstTensorView& k, const SelectOptions& options,
                                const BlockLists& lists);
    virtual void doChooseTokenOrders(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                     const WindowOptions& options, std::int64_t samples, const TensorView& orders);
    virtual void doLinearAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                   const TensorView& out, const LinearAttentionOptions& options);
    virtual void doAddBranch(const TensorView& out, const ConstTensorView& branch, const BranchOptions& options);
    // Called only where supportsStateSpace().
    virtual void doScanConv(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                            const ScanConvOptions& options, const TensorView& y);
    virtual void doStateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions& options,
                                  const TensorView& y);
    virtual void doGatedRmsNorm(const ConstTensorView& x, const ConstTensorView& gate,
                                const ConstTensorView& weight, std::int64_t groups, float eps, const TensorView& y);
    virtual void doPoolTokens(const ConstTensorView& x, const TokenGrid& grid,
                              const std::array<std::int64_t, 3>& pooling, const TensorView& y);
    // Called only where supportsAttentionRows().
    virtual void doAttentionRows(const ConstTensorView& q, const ConstTensorView& k,
                                 std::span<const std::int32_t> wanted, const AttentionRowOptions& options,
                                 const TensorView& rows, const TensorView& entropies);
    virtual void doRowSums(const ConstTensorView& rows, const TokenGrid& grid,
                           const std::array<std::int64_t, 3>& pooling, const TensorView& sums,
                           const TensorView& columns);
    // queries as tokens; where blocks are listed, as the block of each.
    virtual void doKeptMass(const ConstTensorView& rows, std::span<const std::int32_t> queries,
                            const SeenKeys& seen, const TensorView& masses);
    virtual void doRmsNormRope(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                               const std::optional<RopeTables>& rope, std::int64_t headDim,
                               const TensorView& y) = 0;
    virtual void doLayerNormModulate(const ConstTensorView& x, const ConstTensorView& scale,
                                     const ConstTensorView& shift, float eps, const TensorView& y) = 0;
    // One after the other unless the back-end can do both at once.
    virtual void doLayerNormProduct(const ConstTensorView& x, const ConstTensorView& scale,
                                    const ConstTensorView& shift, float eps, const TensorView& y,
                                    const RowProduct& product);
    virtual void doLayerNorm(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                             float eps, const TensorView& y, const GatedDelta& added) = 0;
    virtual void doRmsNorm(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                           const TensorView& y) = 0;
    virtual void doChannelNorm(const ConstTensorView& x, const ConstTensorView& gamma, bool silu,
                               const TensorView& y) = 0;
    virtual void doGatedAdd(const TensorView& residual, const ConstTensorView& delta,
                            const ConstTensorView& gate) = 0;
    virtual void doAdd(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y) = 0;
    virtual void doSilu(const ConstTensorView& x, const TensorView& y) = 0;
    virtual void doGatedGelu(const ConstTensorView& x, const TensorView& y) = 0;
    virtual void doEmbed(const ConstTensorView& table, const ConstTensorView& ids, const TensorView& y) = 0;
    virtual void doCopy(const ConstTensorView& x, const TensorView& y) = 0;
    virtual void doLinearCombination(std::span<const Term> terms, const TensorView& y) = 0;
    virtual void doDifference(const ConstTensorView& a, const ConstTensorView& b, const TensorView& means) = 0;
    virtual void doConv3d(const ConstTensorView& x, const PackedConv3d& weights, const TensorView& y,
                          bool accumulate) = 0;
    virtual void doUpsample2x(const ConstTensorView& x, const TensorView& y) = 0;
    virtual void doToBytes(const ConstTensorView& x, const TensorView& y) = 0;

    OpCost m_cost;
    std::vector<std::int64_t> m_marked;  // of queues that wait for every call
    std::int64_t m_scratchBytes = 0;
};

}  // namespace fw::backend
