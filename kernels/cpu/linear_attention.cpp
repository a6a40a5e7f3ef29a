#include "kernels/cpu/linear_attention.h"

#include <algorithm>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/linear_attention.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

#ifndef FW_KERNELS_CPU_LINEAR_ATTENTION_TYPES_
#define FW_KERNELS_CPU_LINEAR_ATTENTION_TYPES_
namespace fw::kernels::cpu {

inline constexpr std::int64_t kLinearRows = 32;     // tokens turned into features at a time
inline constexpr std::int64_t kMaxLinearDim = 512;  // as attention()

// Tokens [first, last) of one head. `state` is S [headDim, headDim] followed by z [headDim].
struct LinearTask {
    const LinearAttentionArgs* args = nullptr;
    std::int64_t batch = 0, head = 0, first = 0, last = 0;
    float* state = nullptr;
    float* scratch = nullptr;  // 3 · kLinearRows · headDim
};

}  // namespace fw::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

template <class T>
HWY_INLINE void widenRow(const T* source, std::int64_t count, float* row) {
    forVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR { store(load(source + i, lanes), row + i, lanes); });
}

HWY_INLINE void loadRow(const void* source, std::int64_t offset, const AttentionArgs& args, float* row) {
    withElement(args.element, [&](auto t) HWY_ATTR {
        widenRow(static_cast<const decltype(t)*>(source) + offset, args.headDim, row);
    });
}

// x = max(x, 0); NaN stays NaN, so that it is not lost.
HWY_INLINE float rectified(float x) {
    return x < 0.0F ? 0.0F : x;
}

// Pairs [m, m + lanes) of a row; the components of a pair lie beside one another.
struct FeaturePairs {
    Floats even, odd;
};

HWY_INLINE FeaturePairs loadFeaturePairs(const float* row) {
    FeaturePairs pairs{hn::Zero(FloatTag()), hn::Zero(FloatTag())};
    hn::LoadInterleaved2(FloatTag(), row, pairs.even, pairs.odd);
    return pairs;
}

// max(x, 0); NaN stays NaN, so that it is not lost.
HWY_INLINE Floats rectifiedVector(Floats x) {
    return hn::IfThenElse(hn::Lt(x, hn::Zero(FloatTag())), hn::Zero(FloatTag()), x);
}

// A row of q or k becomes ρ in `plain` and φ in `turned`.
void features(const LinearAttentionArgs& args, std::int64_t token, float* plain, float* turned) {
    const std::int64_t width = args.operands.headDim;
    if (args.cosine == nullptr) {
        forVectors(width, [&](std::int64_t i, auto lanes) HWY_ATTR {
            const Floats value = rectifiedVector(load(static_cast<const float*>(plain) + i, lanes));
            store(value, plain + i, lanes);
            store(value, turned + i, lanes);
        });
        return;
    }
    const FloatTag d;
    const float* cosine = args.cosine + token * args.cosineRow;
    const float* sine = args.sine + token * args.sineRow;
    std::int64_t m = 0;
    for (const std::int64_t lanes = floatLanes(); m + lanes <= width / 2; m += lanes) {
        const FeaturePairs pairs = loadFeaturePairs(plain + 2 * m);
        const Floats c = load(cosine + m, FullVector{});
        const Floats s = load(sine + m, FullVector{});
        const Floats a = rectifiedVector(hn::MulAdd(pairs.even, c, hn::Mul(pairs.odd, s)));
        const Floats b = rectifiedVector(hn::MulSub(pairs.odd, c, hn::Mul(pairs.even, s)));
        hn::StoreInterleaved2(a, b, d, plain + 2 * m);
        hn::StoreInterleaved2(hn::MulSub(a, c, hn::Mul(b, s)), hn::MulAdd(a, s, hn::Mul(b, c)), d, turned + 2 * m);
    }
    for (; m < width / 2; ++m) {
        const float even = plain[2 * m];
        const float odd = plain[2 * m + 1];
        const float a = rectified(even * cosine[m] + odd * sine[m]);
        const float b = rectified(odd * cosine[m] - even * sine[m]);
        plain[2 * m] = a;
        plain[2 * m + 1] = b;
        turned[2 * m] = a * cosine[m] - b * sine[m];
        turned[2 * m + 1] = a * sine[m] + b * cosine[m];
    }
}

// c [rows, columns] += Σ over steps of a(row, step) · b [step, columns]; element (row, step) of a at
// a[row * rowStride + step * stepStride]. c has kRows rows. The sums stay in registers only when the loops over
// rows are unrolled.
template <std::size_t kRows>
HWY_INLINE void accumulateRows(const float* a, std::int64_t rowStride, std::int64_t stepStride, const float* b,
                               std::int64_t steps, std::int64_t columns, float* c) {
    forVectors(columns, [&](std::int64_t i, auto lanes) HWY_ATTR {
        Floats sums[kRows];
#pragma GCC unroll 8
        for (std::size_t row = 0; row < kRows; ++row) {
            sums[row] = load(static_cast<const float*>(c) + static_cast<std::int64_t>(row) * columns + i, lanes);
        }
        for (std::int64_t step = 0; step < steps; ++step) {
            const Floats right = load(b + step * columns + i, lanes);
            const float* left = a + step * stepStride;
#pragma GCC unroll 8
            for (std::size_t row = 0; row < kRows; ++row) {
                sums[row] = hn::MulAdd(hn::Set(FloatTag(), left[static_cast<std::int64_t>(row) * rowStride]), right,
                                       sums[row]);
            }
        }
#pragma GCC unroll 8
        for (std::size_t row = 0; row < kRows; ++row) {
            store(sums[row], c + static_cast<std::int64_t>(row) * columns + i, lanes);
        }
    });
}

void accumulate(const float* a, std::int64_t rowStride, std::int64_t stepStride, const float* b, std::int64_t rows,
                std::int64_t steps, std::int64_t columns, float* c) {
    std::int64_t row = 0;
    for (; row + 8 <= rows; row += 8) {
        accumulateRows<8>(a + row * rowStride, rowStride, stepStride, b, steps, columns, c + row * columns);
    }
    for (; row < rows; ++row) {
        accumulateRows<1>(a + row * rowStride, rowStride, stepStride, b, steps, columns, c + row * columns);
    }
}

// The part of S and z that belongs to the task's tokens.
void gatherState(const LinearTask& task) {
    const LinearAttentionArgs& args = *task.args;
    const AttentionArgs& o = args.operands;
    const std::int64_t width = o.headDim;
    float* turned = task.scratch;
    float* values = turned + kLinearRows * width;
    float* plain = values + kLinearRows * width;
    float* normaliser = task.state + width * width;
    std::fill(task.state, normaliser + width, 0.0F);
    for (std::int64_t first = task.first; first < task.last; first += kLinearRows) {
        const std::int64_t rows = std::min(kLinearRows, task.last - first);
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t token = first + row;
            loadRow(o.k, task.batch * o.kBatch + token * o.kToken + task.head * o.kHead, o, plain);
            loadRow(o.v, task.batch * o.vBatch + token * o.vToken + task.head * o.vHead, o, values + row * width);
            features(args, token, plain, turned + row * width);
            forVectors(width, [&](std::int64_t i, auto lanes) HWY_ATTR {
                const Floats sum = load(static_cast<const float*>(normaliser) + i, lanes);
                store(hn::Add(sum, load(static_cast<const float*>(plain) + i, lanes)), normaliser + i, lanes);
            });
        }
        accumulate(turned, 1, width, values, width, rows, width, task.state);
    }
}

// The result of the task's tokens from the whole state.
void readOut(const LinearTask& task) {
    const LinearAttentionArgs& args = *task.args;
    const AttentionArgs& o = args.operands;
    const std::int64_t width = o.headDim;
    float* turned = task.scratch;
    float* results = turned + kLinearRows * width;
    float* plain = results + kLinearRows * width;
    float divisors[kLinearRows];
    const float* normaliser = task.state + width * width;
    for (std::int64_t first = task.first; first < task.last; first += kLinearRows) {
        const std::int64_t rows = std::min(kLinearRows, task.last - first);
        for (std::int64_t row = 0; row < rows; ++row) {
            loadRow(o.q, task.batch * o.qBatch + (first + row) * o.qToken + task.head * o.qHead, o, plain);
            features(args, first + row, plain, turned + row * width);
            divisors[row] =
                args.eps + sumVectors(width, [&](std::int64_t i, auto lanes) HWY_ATTR {
                    return hn::Mul(load(static_cast<const float*>(plain) + i, lanes), load(normaliser + i, lanes));
                });
        }
        std::fill(results, results + rows * width, 0.0F);
        accumulate(turned, width, 1, task.state, rows, width, width, results);
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t at = task.batch * o.outBatch + (first + row) * o.outToken + task.head * o.outHead;
            const Floats factor = hn::Set(FloatTag(), 1.0F / divisors[row]);
            withElement(o.element, [&](auto t) HWY_ATTR {
                auto* out = static_cast<decltype(t)*>(o.out) + at;
                forVectors(width, [&](std::int64_t i, auto lanes) HWY_ATTR {
                    const Floats value = load(static_cast<const float*>(results) + row * width + i, lanes);
                    store(hn::Mul(value, factor), out + i, lanes);
                });
            });
        }
    }
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(gatherState);
HWY_EXPORT(readOut);

namespace {

// Partial sums: their number depends on the tokens alone.
struct Pieces {
    explicit Pieces(std::int64_t tokens) {
        constexpr std::int64_t kTokens = 512;
        constexpr std::int64_t kMost = 16;
        count = std::clamp<std::int64_t>((tokens + kTokens - 1) / kTokens, 1, kMost);
        size = (tokens + count - 1) / count;
    }
    std::int64_t count = 1, size = 1;
};

std::int64_t stateFloats(std::int64_t width) {
    return width * width + width;
}

}  // namespace

std::int64_t linearAttentionWorkspaceBytes(const LinearAttentionArgs& args) {
    const AttentionArgs& o = args.operands;
    const std::int64_t states = o.batch * o.heads * Pieces(o.keys).count * stateFloats(o.headDim);
    const std::int64_t scratch = std::max(o.threads, 1) * 3 * kLinearRows * o.headDim;
    return (states + scratch) * static_cast<std::int64_t>(sizeof(float));
}

int linearAttention(const LinearAttentionArgs& args) {
    const AttentionArgs& o = args.operands;
    if (o.headDim < 2 || o.headDim > kMaxLinearDim || o.headDim % 2 != 0 || o.queries != o.keys) {
        return -1;
    }
    const Pieces pieces(o.keys);
    const std::int64_t heads = o.batch * o.heads;
    const std::int64_t floats = stateFloats(o.headDim);
    auto* states = static_cast<float*>(o.workspace);
    float* scratch = states + heads * pieces.count * floats;
    const auto taskOf = [&](std::int64_t index, int worker, std::int64_t statePiece) {
        const std::int64_t head = index / pieces.count;
        const std::int64_t piece = index % pieces.count;
        LinearTask task{&args, head / o.heads, head % o.heads, std::min(piece * pieces.size, o.keys),
                        std::min((piece + 1) * pieces.size, o.keys)};
        task.state = states + (head * pieces.count + statePiece) * floats;
        task.scratch = scratch + worker * 3 * kLinearRows * o.headDim;
        return task;
    };
    parallelFor(heads * pieces.count, o.threads, [&](std::int64_t index, int worker) {
        HWY_DYNAMIC_DISPATCH(gatherState)(taskOf(index, worker, index % pieces.count));
    });
    parallelFor(heads, o.threads, [&](std::int64_t head, int) {
        float* sum = states + head * pieces.count * floats;
        for (std::int64_t piece = 1; piece < pieces.count; ++piece) {
            const float* part = sum + piece * floats;
            std::transform(part, part + floats, sum, sum, [](float a, float b) { return b + a; });
        }
    });
    parallelFor(heads * pieces.count, o.threads, [&](std::int64_t index, int worker) {
        HWY_DYNAMIC_DISPATCH(readOut)(taskOf(index, worker, 0));
    });
    return 0;
}

}  // namespace fw::kernels::cpu
#endif  // HWY_ONCE
