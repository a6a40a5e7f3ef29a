#include "kernels/cpu/block_selection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/block_selection.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

#ifndef FW_KERNELS_CPU_BLOCK_SELECTION_TYPES_
#define FW_KERNELS_CPU_BLOCK_SELECTION_TYPES_
namespace fw::kernels::cpu {

// Mean of the rows order[first … last) of one head of an operand.
struct MeanTask {
    const void* data;
    Element element;
    std::int64_t offset, tokenStride, width;
    const std::int32_t* order;
    std::int64_t first, last;
    float* mean;
};

struct DotTask {
    const float* a;
    const float* b;  // [count, width]
    std::int64_t count, width;
    float* products;
};

// One sampled query of the choice between two orders.
struct SampleTask {
    const OrderChoiceArgs* args;
    std::int64_t batch, head, query;
    float* weights;  // [tokens]
    float* sums;     // [3, width]: dense, window in raster order, window in the second order
};

}  // namespace fw::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

void meanOfRows(const MeanTask& task) {
    std::fill(task.mean, task.mean + task.width, 0.0F);
    withElement(task.element, [&](auto t) HWY_ATTR {
        for (std::int64_t i = task.first; i < task.last; ++i) {
            const auto* row =
                static_cast<const decltype(t)*>(task.data) + task.offset + task.order[i] * task.tokenStride;
            forVectors(task.width, [&](std::int64_t d, auto lanes) HWY_ATTR {
                const Floats sum = load(static_cast<const float*>(task.mean) + d, lanes);
                store(hn::Add(sum, load(row + d, lanes)), task.mean + d, lanes);
            });
        }
    });
    const float factor = 1.0F / static_cast<float>(task.last - task.first);
    for (std::int64_t d = 0; d < task.width; ++d) {
        task.mean[d] *= factor;
    }
}

void dotRows(const DotTask& task) {
    for (std::int64_t i = 0; i < task.count; ++i) {
        task.products[i] = sumVectors(task.width, [&](std::int64_t d, auto lanes) HWY_ATTR {
            return hn::Mul(load(task.a + d, lanes), load(task.b + i * task.width + d, lanes));
        });
    }
}

template <class T>
HWY_INLINE void scoreKeys(const SampleTask& task, const AttentionArgs& o) {
    const auto* q =
        static_cast<const T*>(o.q) + task.batch * o.qBatch + task.query * o.qToken + task.head * o.qHead;
    const auto* k = static_cast<const T*>(o.k) + task.batch * o.kBatch + task.head * o.kHead;
    for (std::int64_t key = 0; key < o.keys; ++key) {
        task.weights[key] = o.scale * sumVectors(o.headDim, [&](std::int64_t d, auto lanes) HWY_ATTR {
                                const Floats product =
                                    hn::Mul(load(q + d, lanes), load(k + key * o.kToken + d, lanes));
                                return zeroPastEnd(product, lanes);
                            });
    }
}

template <class T>
HWY_INLINE void addValue(const T* value, float weight, std::int64_t width, float* sum) {
    const Floats factor = hn::Set(FloatTag(), weight);
    forVectors(width, [&](std::int64_t d, auto lanes) HWY_ATTR {
        const Floats before = load(static_cast<const float*>(sum) + d, lanes);
        store(hn::MulAdd(factor, load(value + d, lanes), before), sum + d, lanes);
    });
}

// The three results of one query, each divided by its own sum of weights.
template <class T>
HWY_INLINE void sampleRow(const SampleTask& task) {
    const OrderChoiceArgs& args = *task.args;
    const AttentionArgs& o = args.operands;
    const std::int64_t plane = o.keys / args.frames;
    const auto second = [&](std::int64_t token) { return token % plane * args.frames + token / plane; };
    scoreKeys<T>(task, o);
    const float top = *std::max_element(task.weights, task.weights + o.keys);
    const auto* v = static_cast<const T*>(o.v) + task.batch * o.vBatch + task.head * o.vHead;
    float totals[3] = {0.0F, 0.0F, 0.0F};
    std::fill(task.sums, task.sums + 3 * o.headDim, 0.0F);
    for (std::int64_t key = 0; key < o.keys; ++key) {
        const float weight = std::exp(task.weights[key] - top);
        const bool sink = args.sinkFrame && key < plane;
        const bool seen[3] = {true, sink || std::abs(key - task.query) <= args.window,
                              sink || std::abs(second(key) - second(task.query)) <= args.window};
        for (int i = 0; i < 3; ++i) {
            if (seen[i]) {
                totals[i] += weight;
                addValue(v + key * o.vToken, weight, o.headDim, task.sums + i * o.headDim);
            }
        }
    }
    for (std::int64_t i = 0; i < 3 * o.headDim; ++i) {
        const float total = totals[i / o.headDim];
        task.sums[i] = total > 0.0F ? task.sums[i] / total : 0.0F;  // scores too low to be seen beside the largest
    }
}

void sampleQuery(const SampleTask& task) {
    withElement(task.args->operands.element, [&](auto t) HWY_ATTR { sampleRow<decltype(t)>(task); });
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(meanOfRows);
HWY_EXPORT(dotRows);
HWY_EXPORT(sampleQuery);

namespace {

// Per head: mean queries and mean keys [blocks, headDim] each; then per thread: scores and candidates [blocks]
// each.
struct SelectionPlan {
    explicit SelectionPlan(const BlockSelectionArgs& args)
        : heads(args.operands.batch * args.operands.heads),
          means(args.blocks * args.operands.headDim),
          threads(std::max(args.operands.threads, 1)),
          blocks(args.blocks) {}
    [[nodiscard]] std::int64_t floats() const { return heads * 2 * means + threads * 2 * blocks; }

    std::int64_t heads, means, threads, blocks;
};

struct RowTask {
    std::int64_t batch = 0, head = 0, row = 0;
    float* scores = nullptr;             // [blocks]
    std::int32_t* candidates = nullptr;  // [blocks]
};

// The chosen blocks of one row from its scores.
void chooseRow(const BlockSelectionArgs& args, const RowTask& task) {
    const std::int32_t* forcedEnd = args.forced + std::min(args.forcedCount, args.kept);
    std::int32_t* list =
        args.lists + task.batch * args.listBatch + task.head * args.listHead + task.row * args.listRow;
    std::int32_t* end = std::copy(args.forced, forcedEnd, list);
    std::int32_t* last = task.candidates;
    for (std::int32_t block = 0; block < static_cast<std::int32_t>(args.blocks); ++block) {
        float& score = task.scores[block];
        score = std::isnan(score) ? -std::numeric_limits<float>::infinity() : score;
        if (!std::binary_search(args.forced, forcedEnd, block)) {
            *last++ = block;
        }
    }
    const std::int64_t wanted = args.kept - (end - list);
    std::nth_element(task.candidates, task.candidates + wanted, last, [&](std::int32_t a, std::int32_t b) {
        return task.scores[a] != task.scores[b] ? task.scores[a] > task.scores[b] : a < b;
    });
    end = std::copy(task.candidates, task.candidates + wanted, end);
    std::sort(list, end);
    args.counts[task.batch * args.countBatch + task.head * args.countHead + task.row * args.countRow] =
        static_cast<std::int32_t>(args.kept);
}

}  // namespace

std::int64_t blockSelectionWorkspaceBytes(const BlockSelectionArgs& args) {
    return SelectionPlan(args).floats() * static_cast<std::int64_t>(sizeof(float));
}

void selectBlocks(const BlockSelectionArgs& args) {
    const AttentionArgs& o = args.operands;
    const SelectionPlan plan(args);
    auto* means = static_cast<float*>(o.workspace);
    float* rows = means + plan.heads * 2 * plan.means;
    parallelFor(plan.heads * 2 * args.blocks, o.threads, [&](std::int64_t index, int) {
        const std::int64_t block = index % args.blocks;
        const bool isKey = index / args.blocks % 2 == 1;
        const std::int64_t head = index / args.blocks / 2;
        const std::int64_t b = head / o.heads;
        const std::int64_t h = head % o.heads;
        HWY_DYNAMIC_DISPATCH(meanOfRows)
        ({isKey ? o.k : o.q, o.element, isKey ? b * o.kBatch + h * o.kHead : b * o.qBatch + h * o.qHead,
          isKey ? o.kToken : o.qToken, o.headDim, args.order, args.starts[block], args.starts[block + 1],
          means + index * o.headDim});
    });
    parallelFor(plan.heads * args.blocks, o.threads, [&](std::int64_t index, int worker) {
        const std::int64_t head = index / args.blocks;
        float* scores = rows + worker * 2 * args.blocks;
        const float* queries = means + head * 2 * plan.means;
        const std::int64_t row = index % args.blocks;
        HWY_DYNAMIC_DISPATCH(dotRows)
        ({queries + row * o.headDim, queries + plan.means, args.blocks, o.headDim, scores});
        static_assert(sizeof(std::int32_t) == sizeof(float));
        chooseRow(args, {head / o.heads, head % o.heads, row, scores,
                         reinterpret_cast<std::int32_t*>(scores + args.blocks)});
    });
}

std::int64_t orderChoiceWorkspaceBytes(const OrderChoiceArgs& args) {
    const AttentionArgs& o = args.operands;
    return std::max(o.threads, 1) * (o.keys + 3 * o.headDim) * static_cast<std::int64_t>(sizeof(float));
}

void chooseOrders(const OrderChoiceArgs& args) {
    const AttentionArgs& o = args.operands;
    const std::int64_t samples = std::min(args.samples, o.queries);
    const std::int64_t heads = o.batch * o.heads;
    std::vector<double> errors(static_cast<std::size_t>(2 * heads * samples));
    auto* scratch = static_cast<float*>(o.workspace);
    parallelFor(heads * samples, o.threads, [&](std::int64_t index, int worker) {
        const std::int64_t head = index / samples;
        float* weights = scratch + worker * (o.keys + 3 * o.headDim);
        const std::int64_t query = (2 * (index % samples) + 1) * o.queries / (2 * samples);
        const SampleTask task{&args, head / o.heads, head % o.heads, query, weights, weights + o.keys};
        HWY_DYNAMIC_DISPATCH(sampleQuery)(task);
        for (std::int64_t order = 0; order < 2; ++order) {
            double& error = errors[static_cast<std::size_t>(2 * index + order)];
            for (std::int64_t d = 0; d < o.headDim; ++d) {
                const double off = static_cast<double>(task.sums[(1 + order) * o.headDim + d] - task.sums[d]);
                error += off * off;
            }
        }
    });
    for (std::int64_t head = 0; head < heads; ++head) {
        double sums[2] = {0.0, 0.0};
        for (std::int64_t sample = 0; sample < samples; ++sample) {
            for (std::size_t order = 0; order < 2; ++order) {
                sums[order] += errors[static_cast<std::size_t>(2 * (head * samples + sample)) + order];
            }
        }
        args.choice[head / o.heads * args.choiceBatch + head % o.heads * args.choiceHead] = sums[1] < sums[0];
    }
}

}  // namespace fw::kernels::cpu
#endif  // HWY_ONCE
