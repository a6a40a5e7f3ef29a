#include "kernels/cpu/attention_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/attention_rows_internal.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_rows.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

HWY_INLINE void widen(const void* source, std::int64_t offset, Element element, std::int64_t count, float* row) {
    withElement(element, [&](auto t) HWY_ATTR {
        const auto* from = static_cast<const decltype(t)*>(source) + offset;
        forVectors(count,
                   [&](std::int64_t i, auto lanes) HWY_ATTR { store(load(from + i, lanes), row + i, lanes); });
    });
}

// c[row, 0 … columns) = Σ over d of a[row, d] · b[d, …]; rows `stride` apart in c.
template <std::size_t kRows>
HWY_INLINE void multiplyRows(const float* a, const float* b, std::int64_t depth, std::int64_t columns, float* c,
                             std::int64_t stride) {
    forVectors(columns, [&](std::int64_t i, auto lanes) HWY_ATTR {
        Floats sums[kRows];
        for (auto& sum : sums) {
            sum = hn::Zero(FloatTag());
        }
        for (std::int64_t d = 0; d < depth; ++d) {
            const Floats right = load(b + d * kKeyTile + i, lanes);
            for (std::size_t row = 0; row < kRows; ++row) {
                const float left = a[static_cast<std::int64_t>(row) * depth + d];
                sums[row] = hn::MulAdd(hn::Set(FloatTag(), left), right, sums[row]);
            }
        }
        for (std::size_t row = 0; row < kRows; ++row) {
            store(sums[row], c + static_cast<std::int64_t>(row) * stride + i, lanes);
        }
    });
}

// Lanes past the end read as zero, which may exceed every score.
HWY_INLINE Floats otherPastEnd(Floats value, Floats, FullVector) {
    return value;
}
HWY_INLINE Floats otherPastEnd(Floats value, Floats other, Tail tail) {
    return hn::IfThenElse(hn::FirstN(FloatTag(), static_cast<std::size_t>(tail.count)), value, other);
}

// Scores times `scale` into their softmax, in place; returns its entropy: ln Z - Σ p (s - max).
float softmaxRow(float* scores, std::int64_t count, float scale) {
    const FloatTag d;
    Floats highest = hn::Set(d, scores[0]);
    Floats odd = hn::Zero(d);  // becomes NaN with the first score that is not finite
    forVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats values = load(static_cast<const float*>(scores) + i, lanes);
        odd = hn::MulAdd(values, hn::Zero(d), odd);
        highest = hn::Max(highest, otherPastEnd(values, highest, lanes));
    });
    if (!std::isfinite(hn::GetLane(hn::SumOfLanes(d, odd)))) {
        std::fill_n(scores, count, std::numeric_limits<float>::quiet_NaN());
        return std::numeric_limits<float>::quiet_NaN();
    }
    const Floats top = hn::MaxOfLanes(d, highest);
    // What boundedExpOfNegative() can do; beyond, a key has less than 1e-37 of the mass.
    const Floats bound = hn::Set(d, 87.0F);
    const Floats factor = hn::Set(d, scale);
    Floats sums = hn::Zero(d), weighted = hn::Zero(d);
    forVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats score = load(static_cast<const float*>(scores) + i, lanes);
        const Floats distance = hn::Min(hn::Mul(hn::Sub(top, score), factor), bound);
        const Floats weight = zeroPastEnd(boundedExpOfNegative(distance), lanes);
        sums = hn::Add(sums, weight);
        weighted = hn::MulAdd(distance, weight, weighted);
        store(weight, scores + i, lanes);
    });
    const float sum = hn::GetLane(hn::SumOfLanes(d, sums));
    const Floats share = hn::Set(d, 1.0F / sum);
    forVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR {
        store(hn::Mul(load(static_cast<const float*>(scores) + i, lanes), share), scores + i, lanes);
    });
    return std::log(sum) + hn::GetLane(hn::SumOfLanes(d, weighted)) / sum;
}

// q · k of the task's rows with all keys into args.out.
void scoreRows(const RowsTask& task) {
    const AttentionRowsArgs& args = *task.args;
    const std::int64_t width = args.headDim;
    const std::int64_t rows = task.last - task.first;
    float* queries = task.scratch;
    float* keys = queries + kRowGroup * tiledWidth(width);
    float* keyRow = keys + kKeyTile * tiledWidth(width);
    for (std::int64_t row = 0; row < rows; ++row) {
        widen(args.q, args.wanted[task.first + row] * args.qToken + task.head * args.qHead, args.element, width,
              queries + row * width);
    }
    float* out = args.out + (task.head * args.rows + task.first) * args.keys;
    for (std::int64_t key = 0; key < args.keys; key += kKeyTile) {
        const std::int64_t columns = std::min(kKeyTile, args.keys - key);
        for (std::int64_t j = 0; j < columns; ++j) {
            widen(args.k, (key + j) * args.kToken + task.head * args.kHead, args.element, width, keyRow);
            for (std::int64_t d = 0; d < width; ++d) {
                keys[d * kKeyTile + j] = keyRow[d];
            }
        }
        std::int64_t row = 0;
        for (; row + 8 <= rows; row += 8) {
            multiplyRows<8>(queries + row * width, keys, width, columns, out + row * args.keys + key, args.keys);
        }
        for (; row < rows; ++row) {
            multiplyRows<1>(queries + row * width, keys, width, columns, out + row * args.keys + key, args.keys);
        }
    }
}

void softmaxRows(const RowsTask& task) {
    const AttentionRowsArgs& args = *task.args;
    for (std::int64_t row = task.first; row < task.last; ++row) {
        const std::int64_t at = task.head * args.rows + row;
        args.out[at * args.keys] += args.firstKeyBias / args.scale;
        args.entropies[at] = softmaxRow(args.out + at * args.keys, args.keys, args.scale);
    }
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(scoreRows);
HWY_EXPORT(softmaxRows);

namespace {
struct alignas(64) Line {
    float values[16];
};
}  // namespace

void attentionRows(const AttentionRowsArgs& args) {
    if (args.rows == 0 || args.keys == 0 || args.heads == 0) {
        return;
    }
    const bool inTiles = args.element == Element::Bf16 && hasRowTiles();
    const std::int64_t groups = (args.rows + kRowGroup - 1) / kRowGroup;
    const std::int64_t scratch = (rowsScratchFloats(args.headDim) + 15) / 16;
    std::vector<Line> memory(static_cast<std::size_t>(scratch * args.threads));
    parallelFor(args.heads * groups, args.threads, [&](std::int64_t task, int worker) {
        RowsTask work;
        work.args = &args;
        work.head = task / groups;
        work.first = task % groups * kRowGroup;
        work.last = std::min(work.first + kRowGroup, args.rows);
        work.scratch = memory[static_cast<std::size_t>(worker * scratch)].values;
        if (inTiles) {
            scoreRowsInTiles(work);
        } else {
            HWY_DYNAMIC_DISPATCH(scoreRows)(work);
        }
        HWY_DYNAMIC_DISPATCH(softmaxRows)(work);
    });
}

}  // namespace fw::kernels::cpu
#endif
