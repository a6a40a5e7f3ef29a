// Attention through Highway, compiled once for each instruction set. All arithmetic is f32; bf16 inputs are widened
// when they are packed.
//
// Scores are held transposed, Sᵀ [keys, queries], so that one vector lane is one query: the running maximum and sum
// of the online softmax are plain vertical operations, and both products are the same outer-product micro-kernel
// (a broadcast of K or V times a vector of queries) with neither K nor V rearranged.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/cpu/attention_internal.h"

#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSSE3)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_simd.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Vec = hn::Vec<Floats>;

constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(Floats()));
// Micro-kernel: kRows broadcasts times kVectors vectors, accumulators in registers (24 of 32, or 12 of 16).
constexpr int kRows = HWY_TARGET == HWY_AVX3 ? 8 : 4;
constexpr int kVectors = 3;
constexpr std::int64_t kQueries = kVectors * kLanes;
constexpr std::int64_t kKeyBlock = 64;
static_assert(kKeyBlock == kSlotKeys, "a block of keys is a slot of the panel");
constexpr std::int64_t kPackBlock = 256;
constexpr float kLog2E = 1.4426950408889634F;
constexpr float kLowest = std::numeric_limits<float>::lowest();
// The reference maximum of a query only moves when a score exceeds it by this many powers of two: f32 has room for
// 2^8 times larger probabilities, and rescaling the output becomes rare.
constexpr float kMaximumSlack = 8.0F;

// Scratch of one thread, in floats: Qᵀ [headDim, queries], Sᵀ [kKeyBlock, queries], Oᵀ [headDim, queries].
struct Scratch {
    float* queries;
    float* scores;
    float* output;
};

Scratch viewScratch(std::byte* memory, std::int64_t headDim) {
    auto* base = reinterpret_cast<float*>(memory);
    return {base, base + headDim * kQueries, base + (headDim + kKeyBlock) * kQueries};
}

std::int64_t scratchBytes(std::int64_t headDim) {
    return (2 * headDim + kKeyBlock) * kQueries * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t panelBytes(std::int64_t keys, std::int64_t headDim) {
    const std::int64_t rows = (keys + kRows - 1) / kRows * kRows;
    return rows * headDim * static_cast<std::int64_t>(sizeof(float));
}

float widen(std::uint16_t value) {
    const std::uint32_t bits = static_cast<std::uint32_t>(value) << 16;
    float result = 0.0F;
    std::memcpy(&result, &bits, sizeof(result));
    return result;
}

// Round to nearest even; NaN stays NaN.
std::uint16_t narrow(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    if (std::isnan(value)) {
        return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    }
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

// `count` numbers at element `offset` of q, k or v, as f32.
void loadRow(const void* source, std::int64_t offset, Element element, std::int64_t count, float* row) {
    if (element == Element::F32) {
        const float* values = static_cast<const float*>(source) + offset;
        std::copy(values, values + count, row);
    } else {
        const std::uint16_t* values = static_cast<const std::uint16_t*>(source) + offset;
        std::transform(values, values + count, row, widen);
    }
}

// 2^x for x <= kMaximumSlack, at most 2 units in the last place off; exactly 0 under 2^-126, NaN for NaN.
// x = n + f with f in [-1/2, 1/2]; 2^f by a polynomial of least relative error (7.5e-8), 2^n by adding to the
// exponent.
HWY_INLINE Vec exp2(Vec x) {
    const Floats df;
    const Ints di;
    const Vec smallest = hn::Set(df, -126.0F);
    const Vec clamped = hn::IfThenElse(hn::Lt(x, smallest), smallest, x);
    const Vec magic = hn::Set(df, 12582912.0F);  // 1.5 · 2^23: adding it rounds to an integer held in the low bits
    const Vec shifted = hn::Add(clamped, magic);
    const Vec fraction = hn::Sub(clamped, hn::Sub(shifted, magic));
    Vec power = hn::Set(df, 0.001327647129073739F);
    power = hn::MulAdd(power, fraction, hn::Set(df, 0.009675540961325169F));
    power = hn::MulAdd(power, fraction, hn::Set(df, 0.05550713092088699F));
    power = hn::MulAdd(power, fraction, hn::Set(df, 0.24022120237350464F));
    power = hn::MulAdd(power, fraction, hn::Set(df, 0.6931469440460205F));
    power = hn::MulAdd(power, fraction, hn::Set(df, 1.0000001192092896F));
    const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, shifted));
    const Vec result = hn::BitCast(df, hn::Add(hn::BitCast(di, power), exponent));
    return hn::IfThenZeroElse(hn::Le(x, smallest), result);
}

// A left operand of the micro-kernel: element (row, step) at data[row * rowStride + step * stepStride].
struct Broadcasts {
    const float* data;
    std::int64_t rowStride;
    std::int64_t stepStride;
};

// c [kRows, kQueries] = (or +=) Σ over steps of a(row, step) · b [step, kQueries].
template <bool kAccumulate>
HWY_INLINE void outerProducts(const Broadcasts& a, const float* b, std::int64_t steps, float* c) {
    const Floats df;
    Vec sums[kRows][kVectors];
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            sums[row][v] = kAccumulate ? hn::Load(df, c + row * kQueries + v * kLanes) : hn::Zero(df);
        }
    }
    const float* left = a.data;
    for (std::int64_t step = 0; step < steps; ++step) {
        const Vec b0 = hn::Load(df, b);
        const Vec b1 = hn::Load(df, b + kLanes);
        const Vec b2 = hn::Load(df, b + 2 * kLanes);
#pragma GCC unroll 8
        for (int row = 0; row < kRows; ++row) {
            const Vec factor = hn::Set(df, left[row * a.rowStride]);
            sums[row][0] = hn::MulAdd(factor, b0, sums[row][0]);
            sums[row][1] = hn::MulAdd(factor, b1, sums[row][1]);
            sums[row][2] = hn::MulAdd(factor, b2, sums[row][2]);
        }
        left += a.stepStride;
        b += kQueries;
    }
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            hn::Store(sums[row][v], df, c + row * kQueries + v * kLanes);
        }
    }
}

// Running maximum and sum of each query of the block.
struct Softmax {
    Vec maximum[kVectors];
    Vec sum[kVectors];
};

// Raises the reference maximum of the queries of vector `v` where these scores ask for it and rescales what was
// gathered so far.
HWY_INLINE void moveMaximum(const Scratch& scratch, std::int64_t keys, std::int64_t headDim, int v,
                            Softmax& state) {
    const Floats df;
    const float* scores = scratch.scores + v * kLanes;
    Vec top = hn::Set(df, kLowest);
    for (std::int64_t key = 0; key < keys; ++key) {
        const Vec score = hn::Load(df, scores + key * kQueries);
        top = hn::IfThenElse(hn::Gt(score, top), score, top);  // ignores NaN, which shows up in the sum
    }
    const Vec old = state.maximum[v];
    const auto above = hn::Gt(top, hn::Add(old, hn::Set(df, kMaximumSlack)));
    if (hn::AllFalse(df, above)) {
        return;
    }
    const Vec moved = hn::Max(old, top);
    const Vec factor = exp2(hn::Sub(old, moved));
    state.maximum[v] = moved;
    state.sum[v] = hn::Mul(state.sum[v], factor);
    float* output = scratch.output + v * kLanes;
    for (std::int64_t d = 0; d < headDim; ++d) {
        hn::Store(hn::Mul(hn::Load(df, output + d * kQueries), factor), df, output + d * kQueries);
    }
}

// Scores become probabilities in place.
HWY_INLINE void exponentiate(const Scratch& scratch, std::int64_t keys, int v, Softmax& state) {
    const Floats df;
    float* scores = scratch.scores + v * kLanes;
    const Vec maximum = state.maximum[v];
    Vec sum = state.sum[v];
    for (std::int64_t key = 0; key < keys; ++key) {
        const Vec probability = exp2(hn::Sub(hn::Load(df, scores + key * kQueries), maximum));
        sum = hn::Add(sum, probability);
        hn::Store(probability, df, scores + key * kQueries);
    }
    state.sum[v] = sum;
}

void addBias(const BlockTask& task, std::int64_t firstKey, std::int64_t keys, float* scores) {
    const AttentionArgs& args = *task.args;
    const float* bias = args.bias + task.head * args.biasHead + task.first * args.biasQuery + firstKey;
    for (std::int64_t query = 0; query < task.count; ++query) {
        for (std::int64_t key = 0; key < keys; ++key) {
            scores[key * kQueries + query] += kLog2E * bias[query * args.biasQuery + key];
        }
    }
}

// The first key's scores, those of all queries side by side.
void raiseFirstKey(const AttentionArgs& args, float* scores) {
    for (std::int64_t query = 0; query < kQueries; ++query) {
        scores[query] += kLog2E * args.firstKeyBias;
    }
}

// Qᵀ with the scale, and the change from e to 2 as base, folded in; unused lanes are zero.
void packQueries(const BlockTask& task, float* packed) {
    const AttentionArgs& args = *task.args;
    const float factor = args.scale * kLog2E;
    float row[kMaxHeadDim];
    std::fill(packed, packed + args.headDim * kQueries, 0.0F);
    for (std::int64_t query = 0; query < task.count; ++query) {
        const std::int64_t offset =
            task.batch * args.qBatch + task.token(query) * args.qToken + task.head * args.qHead;
        loadRow(args.q, offset, args.element, args.headDim, row);
        for (std::int64_t d = 0; d < args.headDim; ++d) {
            packed[d * kQueries + query] = row[d] * factor;
        }
    }
}

void storeOutput(const BlockTask& task, const float* output, Softmax& state) {
    const Floats df;
    const AttentionArgs& args = *task.args;
    HWY_ALIGN float inverse[static_cast<std::size_t>(kQueries)];
    for (int v = 0; v < kVectors; ++v) {
        // A query whose every score is -inf has no defined answer; it gets zeros.
        const Vec sum = state.sum[v];
        const Vec quotient = hn::Div(hn::Set(df, 1.0F), sum);
        hn::Store(hn::IfThenZeroElse(hn::Eq(sum, hn::Zero(df)), quotient), df, inverse + v * kLanes);
    }
    for (std::int64_t query = 0; query < task.count; ++query) {
        const std::int64_t offset =
            task.batch * args.outBatch + task.token(query) * args.outToken + task.head * args.outHead;
        const float factor = inverse[query];
        if (args.element == Element::F32) {
            float* out = static_cast<float*>(args.out) + offset;
            for (std::int64_t d = 0; d < args.headDim; ++d) {
                out[d] = output[d * kQueries + query] * factor;
            }
        } else {
            std::uint16_t* out = static_cast<std::uint16_t*>(args.out) + offset;
            for (std::int64_t d = 0; d < args.headDim; ++d) {
                out[d] = narrow(output[d * kQueries + query] * factor);
            }
        }
    }
}

// Scores of the keys a query does not see become -inf.
void maskScores(const BlockTask& task, const KeySlot& slot, float* scores) {
    constexpr float kHidden = -std::numeric_limits<float>::infinity();
    for (std::int64_t key = 0; key < slot.count; ++key) {
        const QueryRange within = queriesWithin(task, slot.position + key * slot.step);
        float* row = scores + key * kQueries;
        if (slot.mask == SlotMask::Beyond) {
            std::fill(row + within.begin, row + within.end, kHidden);
        } else {
            std::fill(row, row + within.begin, kHidden);
            std::fill(row + within.end, row + task.count, kHidden);
        }
    }
}

void pack(const BlockTask& task) {
    const AttentionArgs& args = *task.args;
    auto* keys = reinterpret_cast<float*>(task.panel.keys);
    auto* values = reinterpret_cast<float*>(task.panel.values);
    const std::int64_t last = task.first + task.count;
    for (std::int64_t key = task.first; key < last; ++key) {
        const std::int64_t token = task.token(key - task.first);
        const std::int64_t kOffset = task.batch * args.kBatch + token * args.kToken + task.head * args.kHead;
        const std::int64_t vOffset = task.batch * args.vBatch + token * args.vToken + task.head * args.vHead;
        loadRow(args.k, kOffset, args.element, args.headDim, keys + key * args.headDim);
        loadRow(args.v, vOffset, args.element, args.headDim, values + key * args.headDim);
    }
    if (task.isSparse() || last == args.keys) {  // the micro-kernel reads whole groups of rows
        const std::int64_t rows = (last + kRows - 1) / kRows * kRows;
        std::fill(keys + last * args.headDim, keys + rows * args.headDim, 0.0F);
    }
}

void attend(const BlockTask& task) {
    const Floats df;
    const AttentionArgs& args = *task.args;
    const std::int64_t headDim = args.headDim;
    const Scratch scratch = viewScratch(task.scratch, headDim);
    const auto* allKeys = reinterpret_cast<const float*>(task.panel.keys);
    const auto* allValues = reinterpret_cast<const float*>(task.panel.values);
    Softmax state;
    for (int v = 0; v < kVectors; ++v) {
        state.maximum[v] = hn::Set(df, kLowest);
        state.sum[v] = hn::Zero(df);
    }
    packQueries(task, scratch.queries);
    std::fill(scratch.output, scratch.output + headDim * kQueries, 0.0F);
    const bool sparse = task.isSparse();
    const std::int64_t blocks = sparse ? task.slotCount : (args.keys + kKeyBlock - 1) / kKeyBlock;
    for (std::int64_t block = 0; block < blocks; ++block) {
        const std::int64_t first = (sparse ? task.slots[block].slot : block) * kKeyBlock;
        const std::int64_t count = sparse ? task.slots[block].count : std::min(kKeyBlock, args.keys - first);
        for (std::int64_t key = 0; key < count; key += kRows) {
            const Broadcasts rows{allKeys + (first + key) * headDim, headDim, 1};
            outerProducts<false>(rows, scratch.queries, headDim, scratch.scores + key * kQueries);
        }
        if (args.bias != nullptr) {
            addBias(task, first, count, scratch.scores);
        }
        if (block == 0 && args.firstKeyBias != 0.0F) {
            raiseFirstKey(args, scratch.scores);
        }
        if (sparse && task.slots[block].mask != SlotMask::None) {
            maskScores(task, task.slots[block], scratch.scores);
        }
        for (int v = 0; v < kVectors; ++v) {
            moveMaximum(scratch, count, headDim, v, state);
            exponentiate(scratch, count, v, state);
        }
        for (std::int64_t d = 0; d < headDim; d += kRows) {
            const Broadcasts rows{allValues + first * headDim + d, 1, headDim};
            outerProducts<true>(rows, scratch.scores, count, scratch.output + d * kQueries);
        }
    }
    storeOutput(task, scratch.output, state);
}

const AttentionKernel& kernel(AttentionTarget target, const char* name) {
    static const AttentionKernel instance = {target,     name,         kQueries, kPackBlock,
                                             panelBytes, scratchBytes, pack,     attend};
    return instance;
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

const AttentionKernel* findSimdAttentionKernel(AttentionTarget target) {
    [[maybe_unused]] const std::int64_t supported = hwy::SupportedTargets();
    switch (target) {
        case AttentionTarget::AmxBf16:
            return nullptr;
        case AttentionTarget::Avx512:
#if HWY_TARGETS & HWY_AVX3
            return (supported & HWY_AVX3) != 0 ? &N_AVX3::kernel(target, "avx512") : nullptr;
#else
            return nullptr;
#endif
        case AttentionTarget::Avx2:
#if HWY_TARGETS & HWY_AVX2
            return (supported & HWY_AVX2) != 0 ? &N_AVX2::kernel(target, "avx2") : nullptr;
#else
            return nullptr;
#endif
        case AttentionTarget::Sse4:
#if HWY_TARGETS & HWY_SSE4
            return (supported & HWY_SSE4) != 0 ? &N_SSE4::kernel(target, "sse4") : nullptr;
#else
            return nullptr;
#endif
        case AttentionTarget::Baseline:
            return &HWY_STATIC_DISPATCH(kernel)(target, "baseline");
    }
    return nullptr;
}

}  // namespace fw::kernels::cpu
#endif  // HWY_ONCE
