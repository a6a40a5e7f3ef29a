// The CUDA kernels as a table of functions: raw device pointers in, a code out. The whole interface of
// libfw_cuda.so, which a program opens at run time (core/backend/cuda_library.h); nothing here needs CUDA's
// headers.
//
// Strides are in elements; unless a struct says otherwise the last dimension has stride 1. Work is put on the
// queue's stream in the order of the calls. Results do not depend on timing: no floating-point atomics, one
// algorithm per shape and queue.
#pragma once

#include <cstdint>

namespace fw::kernels::cuda {

// Raised with every change of a struct or of the table.
inline constexpr std::int32_t kApiVersion = 11;

enum class Code : std::int32_t {
    Ok,
    NoDriver,     // no NVIDIA driver, or one older than this build's runtime
    NoDevice,     // a driver, but no device
    OutOfMemory,  // device memory or pinned host memory
    Unsupported,  // sizes or types no kernel of this build takes on this device
    DeviceLost,   // a fault that ends every later call of this process
    Failed,       // anything else
};

enum class Element : std::int32_t { F32, Bf16, F16 };  // F16 is storage only: copy() converts it
enum class Activation : std::int32_t { None, GeluTanh, Silu };

// One sentence, zero-terminated.
struct Message {
    char text[512];
};

struct DeviceDescription {
    char name[256];
    std::int32_t major, minor;  // compute capability
    std::int32_t multiprocessors;
    std::int32_t sharedBytesPerBlock;  // the most one block may ask for
    std::int32_t driverVersion, runtimeVersion, blasVersion, dnnVersion;
    std::int64_t totalBytes, freeBytes;
};

// A stream with its handles, scratch memory and the plans made for the shapes seen. One thread at a time.
struct Queue;

// A [batch, rows, channels] operand.
struct ConstRows {
    const void* data;
    Element element;
    std::int64_t batchStride, rowStride;
};
struct Rows {
    void* data;
    Element element;
    std::int64_t batchStride, rowStride;
};
struct RowExtents {
    std::int64_t batch, rows, channels;
};

// y[rows, out] = activation(x[rows, in] · weightᵀ + bias), sums in f32.
struct LinearArgs {
    std::int64_t rows, in, out;
    const void* x;
    std::int64_t xStride;
    const void* weight;       // [out, in] of `compute`, or of e4m3 with weightScales, contiguous
    Element compute;          // of x and weight
    const float* bias;        // or null
    const void* biasCompute;  // the same values as `compute`; null when bias is
    void* y;
    Element result;
    std::int64_t yStride;
    Activation activation;
    const float* weightScales;  // of every row of weights in e4m3; then x is quantised as well. Null otherwise
};

// y = x / rms(x) · weight, then rotary embedding of interleaved pairs when cosine is given (tables
// [rows, headDim / 2] f32). y may be x.
struct RmsNormArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;
    const float* weight;
    const float *cosine, *sine;  // or null
    std::int64_t cosineStride, sineStride, headDim;
    float eps;
};

// What goes into rows: gate · delta, without a gate delta. Its data null: nothing.
struct Addend {
    ConstRows delta;
    const float* gate;  // [batch, channels], or null
    std::int64_t gateBatchStride;
};

// y = (v - mean) / sqrt(var + eps) · (scaleOffset + scale) + shift, v = x + what is added, variance in two passes;
// then product.y, made of y's rows as they are stored, if a product is wanted. x stays as it is; with an addend it
// is f32.
struct LayerNormArgs {
    RowExtents extents;
    ConstRows x;
    Addend added;
    Rows y;
    const float *scale, *shift;
    std::int64_t scaleBatchStride, shiftBatchStride;
    float scaleOffset, eps;
    LinearArgs product;  // its x is y, all rows of the batch one behind the other; weight null: none is wanted
};

// y = x / max(‖x‖, 1e-12) · sqrt(channels) · gamma, then SiLU when asked.
struct ChannelNormArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;
    const float* gamma;
    bool silu;
};

// residual += what is added.
struct GatedAddArgs {
    RowExtents extents;
    Rows residual;
    Addend added;
};

// y = gelu_tanh(x[:channels]) · x[channels:]; extents.channels is y's width.
struct GatedGeluArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;
};

// y[i] = table[ids[i]]; an id outside the table gives NaN.
struct EmbedArgs {
    std::int64_t rows, channels, tableRows;
    ConstRows table;
    const std::int32_t* ids;
    Rows y;
};

// Loops around an element-wise operation, outermost first; operand 0 is the result.
inline constexpr int kMaxLoops = 8;
template <int kOperands>
struct Nest {
    std::int32_t rank;
    std::int64_t extents[kMaxLoops];
    std::int64_t strides[static_cast<unsigned>(kOperands)][kMaxLoops];
};
// y = x with conversion.
struct CopyArgs {
    Nest<2> nest;
    void* y;
    Element yElement;
    const void* x;
    Element xElement;
};
// y = a + b, f32.
struct AddArgs {
    Nest<3> nest;
    float* y;
    const float *a, *b;
};

inline constexpr int kMaxTerms = 16;
// y = Σ coefficient · x, f32, contiguous; y may be any x.
struct CombinationArgs {
    const float* x[kMaxTerms];
    float coefficients[kMaxTerms];
    std::int32_t terms;
    float* y;
    std::int64_t count;
};

// means = {mean |a - b|, mean |b|, mean (a - b)², mean b²} of at least one element.
struct DifferenceArgs {
    RowExtents extents;
    ConstRows a, b;
    float* means;  // [4]
};

// Rows [heads, count, T·H·W] into sums [heads, count, boxes + T + H + W], over boxes of `pool` tokens, frames,
// lines and columns of the grid, and over the rows of each head into columns [heads, T·H·W]. f32, contiguous.
struct RowSumsArgs {
    const float* rows;
    std::int64_t heads, count;
    std::int64_t grid[3], pool[3];
    float* sums;
    float* columns;
};

// Nearest neighbour, [B, T, H, W, C]; strides of B, T, H, W in elements.
struct Upsample2xArgs {
    std::int64_t extents[4], channels;
    const void* x;
    std::int64_t xStrides[4];
    void* y;
    std::int64_t yStrides[4];
    Element element;
};

// y = round(clamp(x, -1, 1) · 127.5 + 127.5) as bytes.
struct ToBytesArgs {
    RowExtents extents;
    ConstRows x;
    std::uint8_t* y;
    std::int64_t yBatchStride, yRowStride;
};

// Rows as e4m3, contiguous: y = x / scale with scale = max |x| / 448 of the row, 1 where that is nothing. A row
// that holds an infinity becomes NaN, what is NaN stays NaN.
struct QuantiseArgs {
    std::int64_t rows, channels;
    const void* x;
    Element element;
    std::int64_t xStride;
    void* y;
    float* scales;  // [rows]
};

// The way back: y = x · scale of the row. All contiguous.
struct UnpackRowsArgs {
    std::int64_t rows, channels;
    const void* x;        // e4m3 [rows, channels]
    const float* scales;  // [rows]
    void* y;              // [rows, channels]
    Element element;      // of y: F32 or Bf16
};

// y = conv(x) + bias (+ y): channels last, zeros around H and W only.
struct ConvArgs {
    std::int64_t batch, frames, height, width;    // of x
    std::int64_t outFrames, outHeight, outWidth;  // of y
    std::int64_t inChannels, outChannels;
    std::int64_t kernel[3], stride[3];  // T, H, W
    std::int64_t padding[4];            // top, bottom, left, right
    const void* x;                      // [B, T, H, W, inC] contiguous
    const void* weight;                 // [outC, kT, kH, kW, inC] contiguous
    const float* bias;                  // or null
    void* y;                            // [B, T', H', W', outC] contiguous
    Element element;                    // of x, weight and y
    bool accumulate;
};

// Which implementation computes attention. Auto follows a fixed rule; the others are for tests and benchmarks and
// fail with Unsupported where they do not apply.
// Fp8 rounds operands and probabilities to e4m3, and is never what Auto stands for.
enum class AttentionKernel : std::int32_t { Auto, Simple, Mma, Wgmma, Cudnn, Fp8, OneTile };

// out = softmax(scale · q kᵀ + bias) v per head. headDim is a multiple of 16 up to 512. A query whose every score
// is -inf gets zeros.
struct AttentionArgs {
    std::int64_t batch, queries, keys, heads, headDim;
    const void *q, *k, *v;
    void* out;
    std::int64_t qBatch, qToken, qHead, kBatch, kToken, kHead, vBatch, vToken, vHead, outBatch, outToken, outHead;
    Element element;
    float scale;
    float firstKeyRaise;  // added to the products of the first key, before they are scaled
    const float* bias;    // f32 [heads, queries, keys], any strides but 1 last, or null
    std::int64_t biasHead, biasQuery;
    AttentionKernel kernel;
};

// The rows an operation reads one after another: position p holds row order[p]; null: as they lie. An entry beyond
// the rows is read as the nearest row.
struct ScanOrder {
    const std::int32_t* order;
    bool reverse;  // the last position comes first
};

// y = silu(bias + Σ_k weight[k] · row at position p - (taps - 1) + k), channel by channel. Before the first row
// stand the prefix's, before those zeros.
struct ScanConvArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;               // of x's element type
    const float* weight;  // [taps, channels]
    const float* bias;    // [channels]
    std::int64_t taps;
    ScanOrder path;
    ConstRows prefix;  // of x's element type
    std::int64_t prefixRows;
    const std::int32_t* prefixOrder;  // read in reverse where the path is
};

// y[m] = mean of x over box m of a grid of tokens (frames, height, width); boxes at the far ends are smaller.
struct PoolArgs {
    RowExtents extents;  // of y
    ConstRows x;
    Rows y;  // of x's element type
    std::int64_t grid[3], box[3];
};

// y = v / sqrt(mean(v²) + eps) · weight, v = x · silu(gate), the mean over each of `groups` equal parts of a row. y
// may be x.
struct GatedRmsNormArgs {
    RowExtents extents;
    ConstRows x, gate;  // of one element type
    Rows y;             // the same
    const float* weight;
    std::int64_t groups;
    float eps;
};

// One direction of a selective state space model. x, b and c of the call's element type.
struct StateSpaceDirection {
    const void *x, *b, *c;  // [batch, rows, heads, headDim], [batch, rows, groups, stateDim] twice
    std::int64_t xBatch, xRow, xHead, bBatch, bRow, bGroup, cBatch, cRow, cGroup;
    const void* step;  // [batch, rows, heads], heads have stride 1
    Element stepElement;
    std::int64_t stepBatch, stepRow;
    const float *stepBias, *decay, *skip;  // [heads] each
    const float* initialState;             // [batch, heads, headDim, stateDim], or null: zeros
    float* finalState;                     // the same, or null
    bool reverse;
};

// Which implementation scans; as AttentionKernel.
enum class StateSpaceKernel : std::int32_t { Auto, Simple, Mma, Wgmma };

// y_t = S_t c_t + skip · x_t, S_t = exp(-Δ_t e^decay) S_{t-1} + Δ_t x_t b_tᵀ, Δ = softplus(step + stepBias), at
// every position t of the order; the sum over the directions. States in f32. headDim and stateDim up to 256.
struct StateSpaceArgs {
    StateSpaceDirection directions[2];
    std::int32_t directionCount;
    void* y;  // [batch, rows, heads, headDim], or null: only the final states are wanted
    std::int64_t yBatch, yRow, yHead;
    std::int64_t batch, rows, heads, headDim, groups, stateDim;
    Element element;
    const std::int32_t* order;  // as ScanOrder's
    StateSpaceKernel kernel;
};

// out[h, r] = softmax over the keys of scale · q[wanted[r], h] · k[·, h], and its entropy in nats; all in f32. A
// row with a score that is not finite becomes NaN.
struct AttentionRowsArgs {
    const void *q, *k;  // [queries, heads, headDim], [keys, heads, headDim]
    std::int64_t qToken, qHead, kToken, kHead;
    std::int64_t heads, keys, headDim;
    Element element;
    float scale;
    float firstKeyRaise;         // as in AttentionArgs
    const std::int32_t* wanted;  // [rows], host memory
    std::int64_t rows;
    float* out;        // [heads, rows, keys]
    float* entropies;  // [heads, rows]
};

// Sparse and linear attention: kernels/cuda/sparse_args.h.
struct BlockSparseArgs;
struct WindowArgs;
struct SelectBlocksArgs;
struct ChooseOrdersArgs;
struct LinearAttentionArgs;
struct AddBranchArgs;
struct KeptMassArgs;

struct Api {
    std::int32_t version;  // kApiVersion of the library

    // NoDriver or NoDevice where there is nothing to compute on.
    Code (*deviceCount)(std::int32_t* count, Message* message);
    Code (*describe)(std::int32_t device, DeviceDescription* description, Message* message);
    // 256-byte aligned; OutOfMemory leaves *data null.
    Code (*allocate)(std::int32_t device, std::int64_t bytes, void** data, Message* message);
    void (*release)(std::int32_t device, void* data);

    Code (*createQueue)(std::int32_t device, Queue** queue, Message* message);
    void (*destroyQueue)(Queue* queue);
    // Waits, and reports what failed since the last call.
    Code (*synchronize)(Queue* queue, Message* message);
    // Why the last call on this queue failed.
    void (*lastMessage)(const Queue* queue, Message* message);

    // A point of the queue to be timed, without waiting. An addition that waits for its norm goes on waiting: its
    // time is part of what comes behind the point.
    Code (*mark)(Queue* queue);
    // Waits, then tells of the `count` points marked since the last call, the last of which is the first now, how
    // many microseconds they lie behind the first.
    Code (*markedMicroseconds)(Queue* queue, double* microseconds, std::int64_t count);

    // Through pinned staging memory. The host side must stay valid until synchronize().
    Code (*upload)(Queue* queue, const void* host, void* device, std::int64_t bytes);
    Code (*download)(Queue* queue, const void* device, void* host, std::int64_t bytes);
    // Queues a copy to memory of the queue's own, which *slot names, without waiting once that has grown to what is
    // copied.
    Code (*beginFetch)(Queue* queue, const void* device, std::int64_t bytes, std::int32_t* slot);
    // Waits for that copy and nothing behind it, and hands it over once; host null: it is not wanted.
    Code (*endFetch)(Queue* queue, std::int32_t slot, void* host);

    Code (*linear)(Queue* queue, const LinearArgs& args);
    // Whether linear() takes weights of e4m3 of this size; Unsupported, and why, when it does not.
    Code (*fp8LinearApplies)(Queue* queue, std::int64_t in, std::int64_t out);
    Code (*quantiseRows)(Queue* queue, const QuantiseArgs& args);
    Code (*unpackRows)(Queue* queue, const UnpackRowsArgs& args);
    Code (*conv)(Queue* queue, const ConvArgs& args);
    Code (*attention)(Queue* queue, const AttentionArgs& args);
    Code (*rmsNorm)(Queue* queue, const RmsNormArgs& args);
    Code (*layerNorm)(Queue* queue, const LayerNormArgs& args);
    Code (*channelNorm)(Queue* queue, const ChannelNormArgs& args);
    Code (*gatedAdd)(Queue* queue, const GatedAddArgs& args);
    Code (*gatedGelu)(Queue* queue, const GatedGeluArgs& args);
    Code (*silu)(Queue* queue, const float* x, float* y, std::int64_t count);
    Code (*embed)(Queue* queue, const EmbedArgs& args);
    Code (*copy)(Queue* queue, const CopyArgs& args);
    Code (*add)(Queue* queue, const AddArgs& args);
    Code (*linearCombination)(Queue* queue, const CombinationArgs& args);
    Code (*difference)(Queue* queue, const DifferenceArgs& args);
    Code (*rowSums)(Queue* queue, const RowSumsArgs& args);
    Code (*upsample2x)(Queue* queue, const Upsample2xArgs& args);
    Code (*toBytes)(Queue* queue, const ToBytesArgs& args);

    Code (*scanConv)(Queue* queue, const ScanConvArgs& args);
    Code (*stateSpaceScan)(Queue* queue, const StateSpaceArgs& args);
    Code (*gatedRmsNorm)(Queue* queue, const GatedRmsNormArgs& args);
    Code (*poolRows)(Queue* queue, const PoolArgs& args);
    Code (*attentionRows)(Queue* queue, const AttentionRowsArgs& args);
    Code (*blockSparseAttention)(Queue* queue, const BlockSparseArgs& args);
    Code (*windowAttention)(Queue* queue, const WindowArgs& args);
    Code (*selectBlocks)(Queue* queue, const SelectBlocksArgs& args);
    Code (*chooseOrders)(Queue* queue, const ChooseOrdersArgs& args);
    Code (*linearAttention)(Queue* queue, const LinearAttentionArgs& args);
    Code (*addBranch)(Queue* queue, const AddBranchArgs& args);
    Code (*keptMass)(Queue* queue, const KeptMassArgs& args);
};

// The library's one exported symbol: null when it was built for another version.
inline constexpr const char* kEntryPoint = "fwCudaApi";
using EntryPoint = const Api* (*)(std::int32_t version);

}  // namespace fw::kernels::cuda
