#include "kernels/cpu/elementwise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/rows.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

#ifndef FW_KERNELS_CPU_ELEMENTWISE_TYPES_
#define FW_KERNELS_CPU_ELEMENTWISE_TYPES_
namespace fw::kernels::cpu {

struct AddRow {
    float* y;
    const float* a;
    const float* b;
    std::int64_t yStride, aStride, bStride, count;
};

}  // namespace fw::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

// target += factor · branch
void scaledAddRow(const BranchAddArgs& args, std::int64_t batch, std::int64_t row, float factor) {
    withElement(args.target.element, [&](auto t) HWY_ATTR {
        auto* target = rowOf<decltype(t)>(args.target, batch, row);
        const auto* branch = rowOf<decltype(t)>(args.branch, batch, row);
        const Floats scale = hn::Set(FloatTag(), factor);
        forVectors(args.extents.channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
            const Floats before = load(static_cast<const decltype(t)*>(target) + i, lanes);
            store(hn::MulAdd(scale, load(branch + i, lanes), before), target + i, lanes);
        });
    });
}

void gatedAddRows(const GatedAddArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    const float* gate = args.gate == nullptr ? nullptr : args.gate + batch * args.gateBatchStride;
    withElement(args.residual.element, [&](auto tr) HWY_ATTR {
        withElement(args.delta.element, [&](auto td) HWY_ATTR {
            for (std::int64_t row = first; row < last; ++row) {
                gatedAddRow(rowOf<decltype(tr)>(args.residual, batch, row),
                            rowOf<decltype(td)>(args.delta, batch, row), gate, args.extents.channels);
            }
        });
    });
}

void siluSpan(const float* x, float* y, std::int64_t count) {
    forVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR { store(silu(load(x + i, lanes)), y + i, lanes); });
}

void gatedGeluRows(const GatedGeluArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    const std::int64_t width = args.extents.channels;
    withElement(args.x.element, [&](auto tx) HWY_ATTR {
        withElement(args.y.element, [&](auto ty) HWY_ATTR {
            for (std::int64_t row = first; row < last; ++row) {
                const auto* x = rowOf<decltype(tx)>(args.x, batch, row);
                auto* y = rowOf<decltype(ty)>(args.y, batch, row);
                forVectors(width, [&](std::int64_t i, auto lanes) HWY_ATTR {
                    store(hn::Mul(geluTanh(load(x + i, lanes)), load(x + width + i, lanes)), y + i, lanes);
                });
            }
        });
    });
}

// One operand of an addition along the inner loop: a vector that moves on (stride 1) or one value (stride 0).
template <class Lanes>
HWY_INLINE Floats loadOrRepeat(const float* from, std::int64_t stride, std::int64_t i, Lanes lanes) {
    return stride == 0 ? hn::Set(FloatTag(), *from) : load(from + i, lanes);
}

void addSpan(const AddRow& row) {
    const bool vectors =
        row.yStride == 1 && (row.aStride == 0 || row.aStride == 1) && (row.bStride == 0 || row.bStride == 1);
    if (vectors) {
        forVectors(row.count, [&](std::int64_t i, auto lanes) HWY_ATTR {
            const Floats a = loadOrRepeat(row.a, row.aStride, i, lanes);
            store(hn::Add(a, loadOrRepeat(row.b, row.bStride, i, lanes)), row.y + i, lanes);
        });
        return;
    }
    for (std::int64_t i = 0; i < row.count; ++i) {
        row.y[i * row.yStride] = row.a[i * row.aStride] + row.b[i * row.bStride];
    }
}

void combineSpan(const CombinationArgs& args, std::int64_t first, std::int64_t last) {
    const FloatTag d;
    forVectors(last - first, [&](std::int64_t offset, auto lanes) HWY_ATTR {
        const std::int64_t i = first + offset;
        Floats sum = hn::Mul(hn::Set(d, args.coefficients[0]), load(args.terms[0] + i, lanes));
        for (std::size_t term = 1; term < args.termCount; ++term) {
            sum = hn::MulAdd(hn::Set(d, args.coefficients[term]), load(args.terms[term] + i, lanes), sum);
        }
        store(sum, args.y + i, lanes);
    });
}

// Four sums at once, so that both operands are read once; four chains of additions are enough to hide their
// latency.
// Rows [first, last) into sums of |a - b|, |b|, (a - b)² and b². kSame: a is b, and only sums of b are not zero.
template <bool kSame, class TA, class TB>
HWY_INLINE void differenceSpan(const DifferenceArgs& args, std::int64_t batch, std::int64_t first,
                               std::int64_t last, double* sums) {
    const FloatTag d;
    Floats far = hn::Zero(d);
    Floats size = hn::Zero(d);
    Floats farSquared = hn::Zero(d);
    Floats sizeSquared = hn::Zero(d);
    for (std::int64_t row = first; row < last; ++row) {
        const TA* a = rowOf<TA>(args.a, batch, row);
        const TB* b = rowOf<TB>(args.b, batch, row);
        forVectors(args.extents.channels, [&](std::int64_t i, auto lanes) HWY_ATTR {  // zero past the end
            const Floats value = load(b + i, lanes);
            size = hn::Add(size, hn::Abs(value));
            sizeSquared = hn::MulAdd(value, value, sizeSquared);
            if constexpr (!kSame) {
                const Floats delta = hn::Sub(load(a + i, lanes), value);
                far = hn::Add(far, hn::Abs(delta));
                farSquared = hn::MulAdd(delta, delta, farSquared);
            }
        });
    }
    if constexpr (kSame) {  // as the differences would: zero, or NaN where a number is not finite
        farSquared = far = hn::Sub(size, size);
    }
    const Floats all[] = {far, size, farSquared, sizeSquared};
    for (int i = 0; i < 4; ++i) {
        sums[i] = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, all[i])));
    }
}

void differenceRows(const DifferenceArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last,
                    double* sums) {
    const bool same = args.a.data == args.b.data && args.a.element == args.b.element &&
                      args.a.batchStride == args.b.batchStride && args.a.rowStride == args.b.rowStride;
    withElement(args.a.element, [&](auto ta) HWY_ATTR {
        withElement(args.b.element, [&](auto tb) HWY_ATTR {
            if (same) {
                differenceSpan<true, decltype(ta), decltype(tb)>(args, batch, first, last, sums);
            } else {
                differenceSpan<false, decltype(ta), decltype(tb)>(args, batch, first, last, sums);
            }
        });
    });
}

template <class TX>
HWY_INLINE void bytesRow(const TX* x, std::uint8_t* y, std::int64_t channels) {
    const FloatTag d;
    const hn::Rebind<std::uint8_t, FloatTag> d8;
    const Floats half = hn::Set(d, 127.5F);
    forVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats bounded = hn::Min(hn::Max(load(x + i, lanes), hn::Set(d, -1.0F)), hn::Set(d, 1.0F));
        const auto value = hn::DemoteTo(d8, hn::NearestInt(hn::MulAdd(bounded, half, half)));
        if constexpr (std::is_same_v<decltype(lanes), FullVector>) {
            hn::StoreU(value, d8, y + i);
        } else {
            HWY_ALIGN std::uint8_t bytes[hn::MaxLanes(FloatTag())];
            hn::Store(value, d8, bytes);
            std::memcpy(y + i, bytes, static_cast<std::size_t>(lanes.count));
        }
    });
}

void bytesRows(const ToBytesArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    withElement(args.x.element, [&](auto tx) HWY_ATTR {
        for (std::int64_t row = first; row < last; ++row) {
            bytesRow(rowOf<decltype(tx)>(args.x, batch, row), rowOf<std::uint8_t>(args.y, batch, row),
                     args.extents.channels);
        }
    });
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(gatedAddRows);
HWY_EXPORT(scaledAddRow);
HWY_EXPORT(siluSpan);
HWY_EXPORT(gatedGeluRows);
HWY_EXPORT(addSpan);
HWY_EXPORT(combineSpan);
HWY_EXPORT(differenceRows);
HWY_EXPORT(bytesRows);

void gatedAdd(const GatedAddArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(gatedAddRows)(args, batch, first, last);
    });
}

void branchAdd(const BranchAddArgs& args, int threads) {
    const auto sigmoid = [](float x) { return 1.0F / (1.0F + std::exp(-x)); };
    const auto logit = [&](std::int64_t batch, std::int64_t row) {
        return args.logits[batch * args.logitBatchStride + row * args.logitRowStride];
    };
    std::vector<float> gates(static_cast<std::size_t>(args.extents.batch), 1.0F);
    for (std::int64_t batch = 0; args.meanGate && args.logits != nullptr && batch < args.extents.batch; ++batch) {
        double sum = 0.0;
        for (std::int64_t row = 0; row < args.extents.rows; ++row) {
            sum += static_cast<double>(logit(batch, row));
        }
        gates[static_cast<std::size_t>(batch)] =
            sigmoid(static_cast<float>(sum / static_cast<double>(args.extents.rows)));
    }
    const bool perRow = args.logits != nullptr && !args.meanGate;
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row < last; ++row) {
            const float gate = perRow ? sigmoid(logit(batch, row)) : gates[static_cast<std::size_t>(batch)];
            HWY_DYNAMIC_DISPATCH(scaledAddRow)(args, batch, row, args.scale * gate);
        }
    });
}

void silu(const float* x, float* y, std::int64_t count, int threads) {
    forSpans(count, threads, [&](std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(siluSpan)(x + first, y + first, last - first);
    });
}

void gatedGelu(const GatedGeluArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(gatedGeluRows)(args, batch, first, last);
    });
}

void add(const AddArgs& args, int threads) {
    LoopNest<3> nest = args.nest.merged();
    if (nest.rank == 0) {
        nest.push(1, {1, 1, 1});
    }
    const int inner = nest.rank - 1;
    const LoopNest<3> outer = nest.without(inner);
    const auto step = nest.step(inner);
    const std::int64_t count = nest.extents[static_cast<std::size_t>(inner)];
    forRows({1, outer.count(), count}, threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row < last; ++row) {
            const auto offsets = outer.offsetsAt(row);
            HWY_DYNAMIC_DISPATCH(addSpan)
            ({args.y + offsets[0], args.a + offsets[1], args.b + offsets[2], step[0], step[1], step[2], count});
        }
    });
}

void linearCombination(const CombinationArgs& args, int threads) {
    forSpans(args.count, threads, [&](std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(combineSpan)(args, first, last);
    });
}

namespace {

// Rows that are added up in f32 before sums go on in f64.
std::int64_t differenceRowsAtATime(const RowExtents& extents) {
    return std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, extents.channels));
}

std::int64_t differenceTasks(const RowExtents& extents) {
    const std::int64_t rows = differenceRowsAtATime(extents);
    return (extents.rows + rows - 1) / rows;
}

}  // namespace

std::int64_t differenceWorkspaceBytes(const RowExtents& extents) {
    return extents.batch * differenceTasks(extents) * 4 * static_cast<std::int64_t>(sizeof(double));
}

void difference(const DifferenceArgs& args, int threads) {
    const std::int64_t tasks = differenceTasks(args.extents), atATime = differenceRowsAtATime(args.extents);
    parallelFor(args.extents.batch * tasks, threads, [&](std::int64_t task, int) {
        const std::int64_t first = task % tasks * atATime;
        HWY_DYNAMIC_DISPATCH(differenceRows)
        (args, task / tasks, first, std::min(first + atATime, args.extents.rows), args.workspace + 4 * task);
    });
    double sums[4] = {};
    for (std::int64_t i = 0; i < 4 * args.extents.batch * tasks; ++i) {
        sums[i % 4] += args.workspace[i];
    }
    const auto count = static_cast<double>(args.extents.batch * args.extents.rows * args.extents.channels);
    for (int i = 0; i < 4; ++i) {
        args.means[i] = static_cast<float>(sums[i] / count);
    }
}

void toBytes(const ToBytesArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(bytesRows)(args, batch, first, last);
    });
}

}  // namespace fw::kernels::cpu
#endif
