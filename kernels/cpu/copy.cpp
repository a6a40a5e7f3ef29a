#include "kernels/cpu/copy.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <type_traits>

#include "kernels/cpu/rows.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/copy.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

#ifndef FW_KERNELS_CPU_COPY_SCALAR_
#define FW_KERNELS_CPU_COPY_SCALAR_
namespace fw::kernels::cpu {

// Element types as C++ types, so that overloads can tell the two 16-bit formats apart.
struct Bf16Bits {
    std::uint16_t bits;
};
struct F16Bits {
    std::uint16_t bits;
};

inline float toFloat(float value) {
    return value;
}
inline float toFloat(Bf16Bits value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16U);
}
// Exact; https://en.wikipedia.org/wiki/Half-precision_floating-point_format
inline float toFloat(F16Bits value) {
    const std::uint32_t sign = (value.bits & 0x8000U) << 16U;
    const std::uint32_t exponent = (value.bits >> 10U) & 0x1fU;
    const std::uint32_t mantissa = value.bits & 0x3ffU;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    const std::uint32_t rebiased = exponent == 0x1f ? 0xffU : exponent + 112U;
    return std::bit_cast<float>(sign | (rebiased << 23U) | (mantissa << 13U));
}

inline void fromFloat(float value, float& to) {
    to = value;
}
inline void fromFloat(float value, Bf16Bits& to) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const bool isNan = (bits & 0x7fffffffU) > 0x7f800000U;
    const std::uint32_t rounded = isNan ? bits | 0x00400000U : bits + 0x7fffU + ((bits >> 16U) & 1U);
    to.bits = static_cast<std::uint16_t>(rounded >> 16U);
}
// Rounds to nearest even; too large gives infinity.
inline void fromFloat(float value, F16Bits& to) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7fffffffU;
    std::uint32_t half = 0;
    if (magnitude > 0x7f800000U) {
        half = 0x7e00U;
    } else if (magnitude >= 0x47800000U) {  // 2^16 and above
        half = 0x7c00U;
    } else if (magnitude < 0x38800000U) {  // below 2^-14: subnormal, rounded by the addition's own rounding
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        half = std::bit_cast<std::uint32_t>(shifted) - 0x3f000000U;
    } else {
        const std::uint32_t odd = (magnitude >> 13U) & 1U;
        half = (magnitude - 0x38000000U + 0xfffU + odd) >> 13U;
    }
    to.bits = static_cast<std::uint16_t>(sign | half);
}

// A block of a copy: `outer` lines of `inner` elements.
struct CopyBlock {
    const void* x;
    void* y;
    std::int64_t outer, inner;
    std::int64_t xOuter, xInner, yOuter, yInner;  // strides in elements
};

}  // namespace fw::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

HWY_INLINE const std::uint16_t* words(const Bf16Bits* from) {
    return reinterpret_cast<const std::uint16_t*>(from);
}
HWY_INLINE std::uint16_t* words(Bf16Bits* from) {
    return reinterpret_cast<std::uint16_t*>(from);
}
HWY_INLINE const float* words(const float* from) {
    return from;
}
HWY_INLINE float* words(float* from) {
    return from;
}

// `count` neighbouring elements.
template <class TX, class TY>
HWY_INLINE void copyLine(const TX* x, TY* y, std::int64_t count) {
    constexpr bool kVectors = !std::is_same_v<TX, F16Bits> && !std::is_same_v<TY, F16Bits>;
    if constexpr (std::is_same_v<TX, TY>) {
        std::memcpy(y, x, static_cast<std::size_t>(count) * sizeof(TX));
    } else if constexpr (kVectors) {
        forVectors(count, [&](std::int64_t i, auto lanes)
                              HWY_ATTR { store(load(words(x) + i, lanes), words(y) + i, lanes); });
    } else {
        for (std::int64_t i = 0; i < count; ++i) {
            fromFloat(toFloat(x[i]), y[i]);
        }
    }
}

template <class TX, class TY>
HWY_INLINE void copyTyped(const CopyBlock& block) {
    const auto* x = static_cast<const TX*>(block.x);
    auto* y = static_cast<TY*>(block.y);
    for (std::int64_t line = 0; line < block.outer; ++line) {
        const TX* from = x + line * block.xOuter;
        TY* to = y + line * block.yOuter;
        if (block.xInner == 1 && block.yInner == 1) {
            copyLine(from, to, block.inner);
            continue;
        }
        for (std::int64_t i = 0; i < block.inner; ++i) {
            if constexpr (std::is_same_v<TX, TY>) {
                to[i * block.yInner] = from[i * block.xInner];
            } else {
                fromFloat(toFloat(from[i * block.xInner]), to[i * block.yInner]);
            }
        }
    }
}

template <class Body>
HWY_INLINE void withStored(Element element, const Body& body) {
    switch (element) {
        case Element::F32:
            body(float{});
            return;
        case Element::Bf16:
            body(Bf16Bits{});
            return;
        case Element::F16:
            body(F16Bits{});
            return;
    }
}

void copyBlock(const CopyBlock& block, Element x, Element y) {
    withStored(x, [&](auto tx) HWY_ATTR {
        withStored(y, [&](auto ty) HWY_ATTR { copyTyped<decltype(tx), decltype(ty)>(block); });
    });
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(copyBlock);

namespace {

std::int64_t sizeOf(Element element) {
    return element == Element::F32 ? 4 : 2;
}

// Loops in descending order of y's strides, so that y is written front to back; at least one loop.
LoopNest<2> orderedByOutput(const LoopNest<2>& nest) {
    LoopNest<2> ordered = nest.merged();
    for (int i = 1; i < ordered.rank; ++i) {
        for (int j = i; j > 0; --j) {
            const auto upper = static_cast<std::size_t>(j - 1);
            const auto lower = static_cast<std::size_t>(j);
            if (ordered.strides[0][upper] >= ordered.strides[0][lower]) {
                break;
            }
            std::swap(ordered.extents[upper], ordered.extents[lower]);
            std::swap(ordered.strides[0][upper], ordered.strides[0][lower]);
            std::swap(ordered.strides[1][upper], ordered.strides[1][lower]);
        }
    }
    ordered = ordered.merged();
    if (ordered.rank == 0) {
        ordered.push(1, {1, 1});
    }
    return ordered;
}

// The loop other than the innermost along which x moves least: transposing tiles over both keeps x in the cache.
int tileLoop(const LoopNest<2>& nest) {
    int best = -1;
    for (int i = 0; i + 1 < nest.rank; ++i) {
        const auto candidate = std::abs(nest.strides[1][static_cast<std::size_t>(i)]);
        if (best < 0 || candidate < std::abs(nest.strides[1][static_cast<std::size_t>(best)])) {
            best = i;
        }
    }
    return best;
}

}  // namespace

void copy(const CopyArgs& args, int threads) {
    const LoopNest<2> nest = orderedByOutput(args.nest);
    const int inner = nest.rank - 1;
    const auto innerStep = nest.step(inner);
    const std::int64_t innerExtent = nest.extents[static_cast<std::size_t>(inner)];
    const bool lines = innerStep[0] == 1 && innerStep[1] == 1;
    // Whole lines where both sides are contiguous, otherwise tiles of 64 x 64.
    const int other = lines && nest.rank > 1 ? nest.rank - 2 : tileLoop(nest);
    const LoopNest<2> rest = other < 0 ? nest.without(inner) : nest.without(inner).without(other);
    const std::int64_t otherExtent = other < 0 ? 1 : nest.extents[static_cast<std::size_t>(other)];
    const auto otherStep = other < 0 ? LoopNest<2>::Offsets{0, 0} : nest.step(other);
    constexpr std::int64_t kTile = 64;
    constexpr std::int64_t kLine = 16384;
    const std::int64_t innerTile = std::min(lines ? kLine : kTile, innerExtent);
    const std::int64_t otherTile =
        std::min(lines ? std::max<std::int64_t>(1, kLine / innerTile) : kTile, otherExtent);
    const std::int64_t innerTiles = (innerExtent + innerTile - 1) / innerTile;
    const std::int64_t otherTiles = (otherExtent + otherTile - 1) / otherTile;
    const std::int64_t tilesPerTask = std::max<std::int64_t>(1, kLine / (innerTile * otherTile));
    const std::int64_t tiles = rest.count() * otherTiles * innerTiles;
    parallelFor((tiles + tilesPerTask - 1) / tilesPerTask, threads, [&](std::int64_t task, int) {
        const std::int64_t last = std::min((task + 1) * tilesPerTask, tiles);
        for (std::int64_t tile = task * tilesPerTask; tile < last; ++tile) {
            const std::int64_t i = tile % innerTiles * innerTile;
            const std::int64_t o = tile / innerTiles % otherTiles * otherTile;
            const auto base = rest.offsetsAt(tile / innerTiles / otherTiles);
            const std::int64_t y = base[0] + o * otherStep[0] + i * innerStep[0];
            const std::int64_t x = base[1] + o * otherStep[1] + i * innerStep[1];
            const CopyBlock block{static_cast<const char*>(args.x) + x * sizeOf(args.xElement),
                                  static_cast<char*>(args.y) + y * sizeOf(args.yElement),
                                  std::min(otherTile, otherExtent - o),
                                  std::min(innerTile, innerExtent - i),
                                  otherStep[1],
                                  innerStep[1],
                                  otherStep[0],
                                  innerStep[0]};
            HWY_DYNAMIC_DISPATCH(copyBlock)(block, args.xElement, args.yElement);
        }
    });
}

void embed(const EmbedArgs& args, int threads) {
    forRows({1, args.rows, args.channels}, threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row < last; ++row) {
            const std::int64_t id = args.ids[row];
            const std::int64_t from = id * args.table.rowStride * sizeOf(args.table.element);
            const std::int64_t to = row * args.y.rowStride * sizeOf(args.y.element);
            const CopyBlock block{static_cast<const char*>(args.table.data) + from,
                                  static_cast<char*>(args.y.data) + to,
                                  1,
                                  args.channels,
                                  0,
                                  1,
                                  0,
                                  1};
            HWY_DYNAMIC_DISPATCH(copyBlock)(block, args.table.element, args.y.element);
        }
    });
}

void upsample2x(const Upsample2xArgs& args, int threads) {
    const auto [batches, frames, height, width] = args.extents;
    const std::int64_t rowsPerTask = std::max<std::int64_t>(1, 16384 / (4 * width * args.pixelBytes));
    const std::int64_t rows = batches * frames * height;
    parallelFor((rows + rowsPerTask - 1) / rowsPerTask, threads, [&](std::int64_t task, int) {
        const std::int64_t last = std::min((task + 1) * rowsPerTask, rows);
        for (std::int64_t row = task * rowsPerTask; row < last; ++row) {
            const std::int64_t h = row % args.extents[2];
            const std::int64_t t = row / args.extents[2] % args.extents[1];
            const std::int64_t b = row / args.extents[2] / args.extents[1];
            const char* x = static_cast<const char*>(args.x) + b * args.xStrides[0] + t * args.xStrides[1] +
                            h * args.xStrides[2];
            char* y =
                static_cast<char*>(args.y) + b * args.yStrides[0] + t * args.yStrides[1] + 2 * h * args.yStrides[2];
            for (std::int64_t w = 0; w < args.extents[3]; ++w) {
                char* corner = y + 2 * w * args.yStrides[3];
                for (const std::int64_t offset :
                     {std::int64_t{0}, args.yStrides[3], args.yStrides[2], args.yStrides[2] + args.yStrides[3]}) {
                    std::memcpy(corner + offset, x + w * args.xStrides[3],
                                static_cast<std::size_t>(args.pixelBytes));
                }
            }
        }
    });
}

}  // namespace fw::kernels::cpu
#endif
