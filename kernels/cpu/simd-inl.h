// What the SIMD kernels share, compiled once per instruction set (Highway's foreach_target): loading f32 and bf16
// as f32 vectors, storing them back with rounding to nearest even, tails, sums, activations.

#if defined(FW_KERNELS_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FW_KERNELS_CPU_SIMD_INL_H_
#undef FW_KERNELS_CPU_SIMD_INL_H_
#else
#define FW_KERNELS_CPU_SIMD_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/cpu/element.h"

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using Floats = hn::Vec<FloatTag>;

// Lanes a load or store touches: all of a vector, or the first few.
struct FullVector {};
struct Tail {
    std::int64_t count;
};

HWY_INLINE std::int64_t floatLanes() {
    return static_cast<std::int64_t>(hn::Lanes(FloatTag()));
}

HWY_INLINE Floats load(const float* from, FullVector) {
    return hn::LoadU(FloatTag(), from);
}

HWY_INLINE Floats load(const std::uint16_t* from, FullVector) {
    const FloatTag d;
    const hn::RebindToUnsigned<FloatTag> d32;
    const hn::Rebind<std::uint16_t, FloatTag> d16;
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, hn::LoadU(d16, from))));
}

HWY_INLINE void store(Floats value, float* to, FullVector) {
    hn::StoreU(value, FloatTag(), to);
}

HWY_INLINE void store(Floats value, std::uint16_t* to, FullVector) {
    const hn::Rebind<std::uint16_t, FloatTag> d16;
    const hn::RebindToUnsigned<FloatTag> d32;
    const auto bits = hn::BitCast(d32, value);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1U));
    const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fffU)));
    // Adding could carry a NaN's payload out of the mantissa: set the quiet bit instead.
    const auto quiet = hn::Or(bits, hn::Set(d32, 0x00400000U));
    const auto isNan = hn::RebindMask(d32, hn::IsNaN(value));
    hn::StoreU(hn::TruncateTo(d16, hn::ShiftRight<16>(hn::IfThenElse(isNan, quiet, rounded))), d16, to);
}

// Tails go through a full vector on the stack: nothing beyond the row is read or written. Missing lanes read as
// zero.
template <class T>
HWY_INLINE Floats load(const T* from, Tail tail) {
    HWY_ALIGN T lanes[hn::MaxLanes(FloatTag())] = {};
    std::memcpy(lanes, from, static_cast<std::size_t>(tail.count) * sizeof(T));
    return load(static_cast<const T*>(lanes), FullVector{});
}

template <class T>
HWY_INLINE void store(Floats value, T* to, Tail tail) {
    HWY_ALIGN T lanes[hn::MaxLanes(FloatTag())];
    store(value, static_cast<T*>(lanes), FullVector{});
    std::memcpy(to, lanes, static_cast<std::size_t>(tail.count) * sizeof(T));
}

HWY_INLINE Floats zeroPastEnd(Floats value, FullVector) {
    return value;
}
HWY_INLINE Floats zeroPastEnd(Floats value, Tail tail) {
    return hn::IfThenElseZero(hn::FirstN(FloatTag(), static_cast<std::size_t>(tail.count)), value);
}

// Calls body(i, lanes) for the vectors of [0, count).
template <class Body>
HWY_INLINE void forVectors(std::int64_t count, const Body& body) {
    const std::int64_t lanes = floatLanes();
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        body(i, FullVector{});
    }
    if (i < count) {
        body(i, Tail{count - i});
    }
}

// Σ term(i, lanes) over the vectors of [0, count); term must return zero in lanes that do not exist.
// Four chains hide the latency of the additions.
template <class Term>
HWY_INLINE float sumVectors(std::int64_t count, const Term& term) {
    const FloatTag d;
    const std::int64_t lanes = floatLanes();
    Floats sum0 = hn::Zero(d);
    Floats sum1 = hn::Zero(d);
    Floats sum2 = hn::Zero(d);
    Floats sum3 = hn::Zero(d);
    std::int64_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
        sum0 = hn::Add(sum0, term(i, FullVector{}));
        sum1 = hn::Add(sum1, term(i + lanes, FullVector{}));
        sum2 = hn::Add(sum2, term(i + 2 * lanes, FullVector{}));
        sum3 = hn::Add(sum3, term(i + 3 * lanes, FullVector{}));
    }
    for (; i + lanes <= count; i += lanes) {
        sum0 = hn::Add(sum0, term(i, FullVector{}));
    }
    if (i < count) {
        sum1 = hn::Add(sum1, term(i, Tail{count - i}));
    }
    return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
}

// e^-x for |x| <= 87, relative error below 4e-7: 2^n · 2^f with n the nearest integer to -x·log2(e).
HWY_INLINE Floats boundedExpOfNegative(Floats x) {
    const FloatTag d;
    const hn::RebindToSigned<FloatTag> di;
    const Floats log2E = hn::Set(d, 1.44269502F);
    // Adding 1.5·2^23 rounds to an integer and leaves it in the low bits of the sum.
    const Floats magic = hn::Set(d, 12582912.0F);
    const Floats shifted = hn::NegMulAdd(x, log2E, magic);
    const Floats n = hn::Sub(shifted, magic);
    // -x·log2(e) - n without the rounding of the product; the second constant is what log2(e) lacks in f32.
    const Floats f = hn::NegMulAdd(x, hn::Set(d, 1.92596303e-8F), hn::NegMulSub(x, log2E, n));
    // Taylor series of 2^f, |f| <= 1/2: the first term left out is 1.2e-7 of the result.
    Floats p = hn::Set(d, 1.54035304e-4F);
    p = hn::MulAdd(p, f, hn::Set(d, 1.33335581e-3F));
    p = hn::MulAdd(p, f, hn::Set(d, 9.61812911e-3F));
    p = hn::MulAdd(p, f, hn::Set(d, 5.55041087e-2F));
    p = hn::MulAdd(p, f, hn::Set(d, 2.40226507e-1F));
    p = hn::MulAdd(p, f, hn::Set(d, 6.93147181e-1F));
    p = hn::MulAdd(p, f, hn::Set(d, 1.0F));
    return hn::BitCast(d, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
}

// 1/x for 1 <= x < 2^126: the processor's estimate and one Newton step, relative error below 1e-6.
HWY_INLINE Floats reciprocal(Floats x) {
    const Floats estimate = hn::ApproximateReciprocal(x);
    return hn::Mul(estimate, hn::NegMulAdd(x, estimate, hn::Set(FloatTag(), 2.0F)));
}

// x · sigmoid(argument). NaN in x stays NaN.
HWY_INLINE Floats timesSigmoid(Floats x, Floats argument) {
    const FloatTag d;
    // Bounded so that the exponential stays finite: beyond, the product is below 1e-35 or the factor is 1 anyway.
    const Floats bounded = hn::Min(hn::Max(argument, hn::Set(d, -87.0F)), hn::Set(d, 87.0F));
    return hn::Mul(x, reciprocal(hn::Add(hn::Set(d, 1.0F), boundedExpOfNegative(bounded))));
}

HWY_INLINE Floats silu(Floats x) {
    return timesSigmoid(x, x);
}

// gelu_tanh(x) = x/2 · (1 + tanh(u)) = x · sigmoid(2u), u = √(2/π)·(x + 0.044715 x³);
// https://arxiv.org/abs/1606.08415
HWY_INLINE Floats geluTanh(Floats x) {
    const FloatTag d;
    constexpr float kTwiceRoot = 1.5957691216057308F;  // 2·√(2/π)
    const Floats inner = hn::MulAdd(hn::Mul(x, x), hn::Set(d, 0.044715F * kTwiceRoot), hn::Set(d, kTwiceRoot));
    return timesSigmoid(x, hn::Mul(x, inner));
}

// residual += gate · delta, without a gate residual += delta, along a row.
template <class TR, class TD>
HWY_INLINE void gatedAddRow(TR* residual, const TD* delta, const float* gate, std::int64_t channels) {
    if (gate == nullptr) {
        forVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
            store(hn::Add(load(static_cast<const TR*>(residual) + i, lanes), load(delta + i, lanes)), residual + i,
                  lanes);
        });
        return;
    }
    forVectors(channels, [&](std::int64_t i, auto lanes) HWY_ATTR {
        const Floats before = load(static_cast<const TR*>(residual) + i, lanes);
        store(hn::MulAdd(load(gate + i, lanes), load(delta + i, lanes), before), residual + i, lanes);
    });
}

// Runs body(T{}) with T = float or std::uint16_t (bf16).
template <class Body>
HWY_INLINE void withElement(Element element, const Body& body) {
    if (element == Element::F32) {
        body(float{});
    } else {
        body(std::uint16_t{});
    }
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
