#include "kernels/cpu/attention_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_rows.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

#ifndef FW_KERNELS_CPU_ATTENTION_ROWS_TYPES_
#define FW_KERNELS_CPU_ATTENTION_ROWS_TYPES_
namespace fw::kernels::cpu {

inline constexpr std::int64_t kRowGroup = 32;  // rows that share one pass over the keys
inline constexpr std::int64_t kKeyTile = 64;

// Rows [first, last) of one head.
struct RowsTask {
    const AttentionRowsArgs* args = nullptr;
    std::int64_t head = 0, first = 0, last = 0;
    float* queries = nullptr;  // [kRowGroup, headDim]
    float* keys = nullptr;     // [headDim, kKeyTile]: a tile of keys, turned
    float* row = nullptr;      // [headDim]
};

}  // namespace fw::kernels::cpu
#endif

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

// Scores into their softmax, in place; returns its entropy: ln Z - Σ p (s - max).
float softmaxRow(float* scores, std::int64_t count) {
    const FloatTag d;
    bool finite = true;
    float most = scores[0];
    for (std::int64_t i = 0; i < count; ++i) {
        most = std::max(most, scores[i]);
        finite = finite && std::isfinite(scores[i]);
    }
    if (!finite) {
        std::fill_n(scores, count, std::numeric_limits<float>::quiet_NaN());
        return std::numeric_limits<float>::quiet_NaN();
    }
    // What boundedExpOfNegative() can do; beyond, a key has less than 1e-37 of the mass.
    const Floats bound = hn::Set(d, 87.0F);
    const Floats top = hn::Set(d, most);
    const auto below = [&](std::int64_t i, auto lanes)
                           HWY_ATTR { return hn::Min(hn::Sub(top, load(scores + i, lanes)), bound); };
    const float weighted = sumVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats distance = below(i, lanes);
        return zeroPastEnd(hn::Mul(distance, boundedExpOfNegative(distance)), lanes);
    });
    const float sum = sumVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats weight = zeroPastEnd(boundedExpOfNegative(below(i, lanes)), lanes);
        store(weight, scores + i, lanes);
        return weight;
    });
    const Floats factor = hn::Set(d, 1.0F / sum);
    forVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR {
        store(hn::Mul(load(static_cast<const float*>(scores) + i, lanes), factor), scores + i, lanes);
    });
    return std::log(sum) + weighted / sum;
}

void computeRows(const RowsTask& task) {
    const AttentionRowsArgs& args = *task.args;
    const std::int64_t width = args.headDim;
    const std::int64_t rows = task.last - task.first;
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t token = args.wanted[task.first + row];
        float* query = task.queries + row * width;
        widen(args.q, token * args.qToken + task.head * args.qHead, args.element, width, query);
        std::for_each(query, query + width, [&](float& value) { value *= args.scale; });
    }
    float* out = args.out + (task.head * args.rows + task.first) * args.keys;
    for (std::int64_t key = 0; key < args.keys; key += kKeyTile) {
        const std::int64_t columns = std::min(kKeyTile, args.keys - key);
        for (std::int64_t j = 0; j < columns; ++j) {
            widen(args.k, (key + j) * args.kToken + task.head * args.kHead, args.element, width, task.row);
            for (std::int64_t d = 0; d < width; ++d) {
                task.keys[d * kKeyTile + j] = task.row[d];
            }
        }
        std::int64_t row = 0;
        for (; row + 8 <= rows; row += 8) {
            multiplyRows<8>(task.queries + row * width, task.keys, width, columns, out + row * args.keys + key,
                            args.keys);
        }
        for (; row < rows; ++row) {
            multiplyRows<1>(task.queries + row * width, task.keys, width, columns, out + row * args.keys + key,
                            args.keys);
        }
    }
    for (std::int64_t row = 0; row < rows; ++row) {
        args.entropies[task.head * args.rows + task.first + row] = softmaxRow(out + row * args.keys, args.keys);
    }
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(computeRows);

void attentionRows(const AttentionRowsArgs& args) {
    if (args.rows == 0 || args.keys == 0 || args.heads == 0) {
        return;
    }
    const std::int64_t groups = (args.rows + kRowGroup - 1) / kRowGroup;
    const std::int64_t scratch = (kRowGroup + kKeyTile + 1) * args.headDim;
    std::vector<float> memory(static_cast<std::size_t>(scratch * args.threads));
    parallelFor(args.heads * groups, args.threads, [&](std::int64_t task, int worker) {
        RowsTask work;
        work.args = &args;
        work.head = task / groups;
        work.first = task % groups * kRowGroup;
        work.last = std::min(work.first + kRowGroup, args.rows);
        work.queries = memory.data() + worker * scratch;
        work.keys = work.queries + kRowGroup * args.headDim;
        work.row = work.keys + kKeyTile * args.headDim;
        HWY_DYNAMIC_DISPATCH(computeRows)(work);
    });
}

}  // namespace fw::kernels::cpu
#endif
