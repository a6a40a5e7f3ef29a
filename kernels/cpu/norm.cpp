#include "kernels/cpu/norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/rows.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/norm.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

template <class T>
HWY_INLINE float sumOfSquares(const T* x, std::int64_t count) {
    return sumVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats value = load(x + i, lanes);
        return hn::Mul(value, value);
    });
}

// One row of the rotary tables spread to both elements of each pair: [c0 c0 c1 c1 …] and [-s0 s0 -s1 s1 …], so that
// the rotation is x·cosine + swapped(x)·sine.
struct SpreadTables {
    HWY_ALIGN float cosine[kMaxRopeHeadDim];
    HWY_ALIGN float sine[kMaxRopeHeadDim];
};

HWY_INLINE void spreadTables(const float* cosine, const float* sine, std::int64_t headDim, SpreadTables& tables) {
    for (std::int64_t pair = 0; pair < headDim / 2; ++pair) {
        tables.cosine[2 * pair] = cosine[pair];
        tables.cosine[2 * pair + 1] = cosine[pair];
        tables.sine[2 * pair] = -sine[pair];
        tables.sine[2 * pair + 1] = sine[pair];
    }
}

template <class TX, class TY>
HWY_INLINE void rmsRow(const TX* x, TY* y, const RmsNormArgs& args) {
    const FloatTag d;
    const std::int64_t channels = args.extents.channels;
    const float mean = sumOfSquares(x, channels) / static_cast<float>(channels);
    const Floats factor = hn::Set(d, 1.0F / std::sqrt(mean + args.eps));
    forVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats value = hn::Mul(load(x + i, lanes), factor);
        store(hn::Mul(value, load(args.weight + i, lanes)), y + i, lanes);
    });
}

#if HWY_TARGET == HWY_SCALAR
template <class TX, class TY>
HWY_INLINE void rmsRopeRow(const TX* x, TY* y, const RmsNormArgs& args, const SpreadTables& tables) {
    const std::int64_t channels = args.extents.channels;
    const float mean = sumOfSquares(x, channels) / static_cast<float>(channels);
    const float factor = 1.0F / std::sqrt(mean + args.eps);
    const auto normalised = [&](std::int64_t i) {
        return hn::GetLane(load(x + i, FullVector{})) * factor * args.weight[i];
    };
    for (std::int64_t i = 0; i < channels; i += 2) {
        const std::int64_t lane = i % args.headDim;
        const float even = normalised(i);
        const float odd = normalised(i + 1);
        const FloatTag d;
        store(hn::Set(d, even * tables.cosine[lane] + odd * tables.sine[lane]), y + i, FullVector{});
        store(hn::Set(d, odd * tables.cosine[lane + 1] + even * tables.sine[lane + 1]), y + i + 1, FullVector{});
    }
}
#else
template <class TX, class TY>
HWY_INLINE void rmsRopeRow(const TX* x, TY* y, const RmsNormArgs& args, const SpreadTables& tables) {
    const FloatTag d;
    const std::int64_t channels = args.extents.channels;
    const float mean = sumOfSquares(x, channels) / static_cast<float>(channels);
    const Floats factor = hn::Set(d, 1.0F / std::sqrt(mean + args.eps));
    for (std::int64_t head = 0; head < channels; head += args.headDim) {
        forVectors(args.headDim, [&](std::int64_t i, auto lanes) HWY_ATTR {
            const Floats scaled = hn::Mul(load(x + head + i, lanes), factor);
            const Floats value = hn::Mul(scaled, load(args.weight + head + i, lanes));
            const Floats swapped = hn::Reverse2(d, value);
            const Floats sine = load(static_cast<const float*>(tables.sine) + i, lanes);
            const Floats cosine = load(static_cast<const float*>(tables.cosine) + i, lanes);
            store(hn::MulAdd(swapped, sine, hn::Mul(value, cosine)), y + head + i, lanes);
        });
    }
}

#endif

void rmsRows(const RmsNormArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    SpreadTables tables;
    withElement(args.x.element, [&](auto tx) HWY_ATTR {
        withElement(args.y.element, [&](auto ty) HWY_ATTR {
            for (std::int64_t row = first; row < last; ++row) {
                const auto* x = rowOf<decltype(tx)>(args.x, batch, row);
                auto* y = rowOf<decltype(ty)>(args.y, batch, row);
                if (args.cosine == nullptr) {
                    rmsRow(x, y, args);
                    continue;
                }
                spreadTables(args.cosine + row * args.cosineStride, args.sine + row * args.sineStride, args.headDim,
                             tables);
                rmsRopeRow(x, y, args, tables);
            }
        });
    });
}

void gatedRmsRows(const GatedRmsNormArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    const FloatTag d;
    const std::int64_t width = args.extents.channels / args.groups;
    std::vector<float> gated(static_cast<std::size_t>(width));
    float* values = gated.data();
    withElement(args.x.element, [&](auto t) HWY_ATTR {
        using T = decltype(t);
        for (std::int64_t i = 0; i < (last - first) * args.groups; ++i) {
            const std::int64_t row = first + i / args.groups, offset = i % args.groups * width;
            const T* x = rowOf<T>(args.x, batch, row) + offset;
            const T* gate = rowOf<T>(args.gate, batch, row) + offset;
            T* y = rowOf<T>(args.y, batch, row) + offset;
            forVectors(width, [&](std::int64_t c, auto lanes) HWY_ATTR {
                store(hn::Mul(load(x + c, lanes), silu(load(gate + c, lanes))), values + c, lanes);
            });
            const float mean = sumOfSquares(static_cast<const float*>(values), width) / static_cast<float>(width);
            const Floats factor = hn::Set(d, 1.0F / std::sqrt(mean + args.eps));
            forVectors(width, [&](std::int64_t c, auto lanes) HWY_ATTR {
                const Floats value = hn::Mul(load(static_cast<const float*>(values) + c, lanes), factor);
                store(hn::Mul(value, load(args.weight + offset + c, lanes)), y + c, lanes);
            });
        }
    });
}

template <class TX, class TY>
HWY_INLINE void layerRow(const TX* x, TY* y, const float* scale, const float* shift, const LayerNormArgs& args) {
    const FloatTag d;
    const std::int64_t channels = args.extents.channels;
    const auto count = static_cast<float>(channels);
    const float mean =
        sumVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR { return load(x + i, lanes); }) / count;
    const Floats means = hn::Set(d, mean);
    // Two passes: the difference of squares would lose the variance of a row with a large mean. Lanes past the end
    // would add mean² each, so the tail subtracts only from lanes that exist.
    const float variance = sumVectors(channels,
                                      [&](std::int64_t i, auto lanes) HWY_ATTR {
                                          Floats centred = hn::Sub(load(x + i, lanes), means);
                                          centred = zeroPastEnd(centred, lanes);
                                          return hn::Mul(centred, centred);
                                      }) /
                           count;
    const Floats factor = hn::Set(d, 1.0F / std::sqrt(variance + args.eps));
    const Floats offset = hn::Set(d, args.scaleOffset);
    forVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats value = hn::Mul(hn::Sub(load(x + i, lanes), means), factor);
        store(hn::MulAdd(value, hn::Add(offset, load(scale + i, lanes)), load(shift + i, lanes)), y + i, lanes);
    });
}

void layerRows(const LayerNormArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    const float* scale = args.scale + batch * args.scaleBatchStride;
    const float* shift = args.shift + batch * args.shiftBatchStride;
    if (args.delta.data != nullptr) {
        const float* gate = args.gate == nullptr ? nullptr : args.gate + batch * args.gateBatchStride;
        std::vector<float> sums(static_cast<std::size_t>(args.extents.channels));
        withElement(args.delta.element, [&](auto td) HWY_ATTR {
            withElement(args.y.element, [&](auto ty) HWY_ATTR {
                for (std::int64_t row = first; row < last; ++row) {
                    const float* x = rowOf<float>(args.x, batch, row);
                    std::copy(x, x + args.extents.channels, sums.begin());
                    gatedAddRow(sums.data(), rowOf<decltype(td)>(args.delta, batch, row), gate,
                                args.extents.channels);
                    layerRow(static_cast<const float*>(sums.data()), rowOf<decltype(ty)>(args.y, batch, row), scale,
                             shift, args);
                }
            });
        });
        return;
    }
    withElement(args.x.element, [&](auto tx) HWY_ATTR {
        withElement(args.y.element, [&](auto ty) HWY_ATTR {
            for (std::int64_t row = first; row < last; ++row) {
                layerRow(rowOf<decltype(tx)>(args.x, batch, row), rowOf<decltype(ty)>(args.y, batch, row), scale,
                         shift, args);
            }
        });
    });
}

// sqrt(channels) / max(length, 1e-12) from the sum of squares. std::fmax would swallow a NaN.
HWY_INLINE Floats channelFactor(float squares, std::int64_t channels) {
    const float length = std::sqrt(squares);
    const float root = std::sqrt(static_cast<float>(channels));
    return hn::Set(FloatTag(), root / (length < 1e-12F ? 1e-12F : length));
}

template <class TX, class TY>
HWY_INLINE void channelRow(const TX* x, TY* y, const ChannelNormArgs& args) {
    const std::int64_t channels = args.extents.channels;
    const Floats factor = channelFactor(sumOfSquares(x, channels), channels);
    forVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats value = hn::Mul(hn::Mul(load(x + i, lanes), factor), load(args.gamma + i, lanes));
        store(args.silu ? silu(value) : value, y + i, lanes);
    });
}

// Rows of exactly kVectors vectors stay in registers between the sum and the result.
template <std::size_t kVectors, class TX, class TY>
void channelRowsOf(const ChannelNormArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    const FloatTag d;
    const std::size_t lanes = hn::Lanes(d);
    for (std::int64_t row = first; row < last; ++row) {
        const TX* x = rowOf<TX>(args.x, batch, row);
        TY* y = rowOf<TY>(args.y, batch, row);
        Floats values[kVectors];
        Floats squares = hn::Zero(d);
        for (std::size_t v = 0; v < kVectors; ++v) {
            values[v] = load(x + v * lanes, FullVector{});
            squares = hn::MulAdd(values[v], values[v], squares);
        }
        const Floats factor = channelFactor(hn::GetLane(hn::SumOfLanes(d, squares)), args.extents.channels);
        for (std::size_t v = 0; v < kVectors; ++v) {
            const Floats value = hn::Mul(hn::Mul(values[v], factor), load(args.gamma + v * lanes, FullVector{}));
            store(args.silu ? silu(value) : value, y + v * lanes, FullVector{});
        }
    }
}

template <class TX, class TY>
void channelRowsAny(const ChannelNormArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    const std::int64_t channels = args.extents.channels;
    switch (channels % floatLanes() == 0 ? channels / floatLanes() : 0) {
        case 1:
            return channelRowsOf<1, TX, TY>(args, batch, first, last);
        case 2:
            return channelRowsOf<2, TX, TY>(args, batch, first, last);
        case 3:
            return channelRowsOf<3, TX, TY>(args, batch, first, last);
        case 4:
            return channelRowsOf<4, TX, TY>(args, batch, first, last);
        case 6:
            return channelRowsOf<6, TX, TY>(args, batch, first, last);
        case 8:
            return channelRowsOf<8, TX, TY>(args, batch, first, last);
        default:
            break;
    }
    for (std::int64_t row = first; row < last; ++row) {
        channelRow(rowOf<TX>(args.x, batch, row), rowOf<TY>(args.y, batch, row), args);
    }
}

void channelRows(const ChannelNormArgs& args, std::int64_t batch, std::int64_t first, std::int64_t last) {
    withElement(args.x.element, [&](auto tx) HWY_ATTR {
        withElement(args.y.element, [&](auto ty) HWY_ATTR {
            channelRowsAny<decltype(tx), decltype(ty)>(args, batch, first, last);
        });
    });
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(rmsRows);
HWY_EXPORT(gatedRmsRows);
HWY_EXPORT(layerRows);
HWY_EXPORT(channelRows);

void rmsNorm(const RmsNormArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(rmsRows)(args, batch, first, last);
    });
}

void gatedRmsNorm(const GatedRmsNormArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(gatedRmsRows)(args, batch, first, last);
    });
}

void layerNorm(const LayerNormArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(layerRows)(args, batch, first, last);
    });
}

void channelNorm(const ChannelNormArgs& args, int threads) {
    forRows(args.extents, threads, [&](std::int64_t batch, std::int64_t first, std::int64_t last) {
        HWY_DYNAMIC_DISPATCH(channelRows)(args, batch, first, last);
    });
}

}  // namespace fw::kernels::cpu
#endif
