#include "kernels/cpu/scan_conv.h"

#include <vector>

#include "kernels/cpu/rows.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scan_conv.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

#ifndef FW_KERNELS_CPU_SCAN_CONV_TYPES_
#define FW_KERNELS_CPU_SCAN_CONV_TYPES_
namespace fw::kernels::cpu {

inline std::int64_t rowAt(const std::int32_t* order, bool reverse, std::int64_t rows, std::int64_t position) {
    const std::int64_t place = reverse ? rows - 1 - position : position;
    return order == nullptr ? place : order[place];
}

// The row at a position; positions below 0 are the prefix's. Null before that.
template <class T>
const T* rowBefore(const ScanConvArgs& args, std::int64_t batch, std::int64_t position) {
    if (position >= 0) {
        return rowOf<T>(args.x, batch, rowAt(args.order, args.reverse, args.extents.rows, position));
    }
    const std::int64_t inPrefix = args.prefixRows + position;
    return inPrefix < 0
               ? nullptr
               : rowOf<T>(args.prefix, batch, rowAt(args.prefixOrder, args.reverse, args.prefixRows, inPrefix));
}

}  // namespace fw::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

void convPositions(const ScanConvArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    withElement(args.x.element, [&](auto t) HWY_ATTR {
        using T = decltype(t);
        std::vector<const T*> rows(static_cast<std::size_t>(args.taps));
        for (std::int64_t position = first; position < last; ++position) {
            std::int64_t firstTap = 0;
            for (std::int64_t tap = 0; tap < args.taps; ++tap) {
                const T* row = rowBefore<T>(args, batch, position - (args.taps - 1) + tap);
                rows[static_cast<std::size_t>(tap)] = row;
                firstTap = row == nullptr ? tap + 1 : firstTap;
            }
            T* y = rowOf<T>(args.y, batch, rowAt(args.order, args.reverse, args.extents.rows, position));
            forVectors(args.extents.channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
                Floats sum = load(args.bias + i, lanes);
                for (std::int64_t tap = firstTap; tap < args.taps; ++tap) {
                    const Floats weight = load(args.weight + tap * args.extents.channels + i, lanes);
                    sum = hn::MulAdd(weight, load(rows[static_cast<std::size_t>(tap)] + i, lanes), sum);
                }
                store(silu(sum), y + i, lanes);
            });
        }
    });
}

struct Span {
    std::int64_t first, last;
};

// Tokens of box `index` along one axis.
HWY_INLINE Span boxSpan(std::int64_t index, std::int64_t box, std::int64_t extent) {
    return {index * box, std::min((index + 1) * box, extent)};
}

void poolBoxes(const PoolArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    const FloatTag d;
    const std::int64_t channels = args.extents.channels;
    const auto boxes = [&](std::size_t axis) { return (args.grid[axis] + args.box[axis] - 1) / args.box[axis]; };
    std::vector<float> sums(static_cast<std::size_t>(channels));
    float* sum = sums.data();
    withElement(args.x.element, [&](auto type) HWY_ATTR {
        using T = decltype(type);
        for (std::int64_t m = first; m < last; ++m) {
            const Span t = boxSpan(m / (boxes(1) * boxes(2)), args.box[0], args.grid[0]);
            const Span h = boxSpan(m / boxes(2) % boxes(1), args.box[1], args.grid[1]);
            const Span w = boxSpan(m % boxes(2), args.box[2], args.grid[2]);
            std::fill(sums.begin(), sums.end(), 0.0F);
            for (std::int64_t token = 0; token < (t.last - t.first) * (h.last - h.first); ++token) {
                const std::int64_t frame = t.first + token / (h.last - h.first);
                const std::int64_t line = h.first + token % (h.last - h.first);
                for (std::int64_t column = w.first; column < w.last; ++column) {
                    const T* x = rowOf<T>(args.x, batch, (frame * args.grid[1] + line) * args.grid[2] + column);
                    forVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
                        store(hn::Add(load(static_cast<const float*>(sum) + i, lanes), load(x + i, lanes)), sum + i,
                              lanes);
                    });
                }
            }
            const auto count = static_cast<float>((t.last - t.first) * (h.last - h.first) * (w.last - w.first));
            const Floats factor = hn::Set(d, 1.0F / count);
            T* y = rowOf<T>(args.y, batch, m);
            forVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
                store(hn::Mul(load(static_cast<const float*>(sum) + i, lanes), factor), y + i, lanes);
            });
        }
    });
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(convPositions);
HWY_EXPORT(poolBoxes);

void scanConv(const ScanConvArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(convPositions)(args, batch, first, last);
    });
}

void poolRows(const PoolArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(poolBoxes)(args, batch, first, last);
    });
}

}  // namespace fw::kernels::cpu
#endif
