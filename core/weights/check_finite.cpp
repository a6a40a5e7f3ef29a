#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/weights/safetensors.h"
#include "core/weights/text.h"

namespace fw::weights {
namespace {

// Index of the first element whose exponent bits are all ones (NaN or infinity), or `count`. Whole blocks are
// tested without branches, so the compiler turns them into SIMD.
template <class Word, Word kExponent>
std::int64_t firstNonFinite(const void* data, std::int64_t count) {
    constexpr std::int64_t kBlock = 1024;
    const auto* words = static_cast<const Word*>(data);
    const auto isBad = [](Word word) { return (word & kExponent) == kExponent; };
    for (std::int64_t start = 0; start < count; start += kBlock) {
        const std::int64_t length = std::min(kBlock, count - start);
        Word any = 0;
        if (length == kBlock) {
            for (std::int64_t i = 0; i < kBlock; ++i) {
                any = static_cast<Word>(any | static_cast<Word>(isBad(words[start + i])));
            }
        }
        if (any == 0 && length == kBlock) {
            continue;
        }
        for (std::int64_t i = start; i < start + length; ++i) {
            if (isBad(words[i])) {
                return i;
            }
        }
    }
    return count;
}

std::int64_t firstNonFinite(const ConstTensorView& view) {
    switch (view.dtype()) {
        case DType::F64:
            return firstNonFinite<std::uint64_t, 0x7ff0000000000000U>(view.data(), view.count());
        case DType::F32:
            return firstNonFinite<std::uint32_t, 0x7f800000U>(view.data(), view.count());
        case DType::F16:
            return firstNonFinite<std::uint16_t, 0x7c00U>(view.data(), view.count());
        case DType::BF16:
            return firstNonFinite<std::uint16_t, 0x7f80U>(view.data(), view.count());
        case DType::I32:
        case DType::I64:
        case DType::I8:
        case DType::U8:
        case DType::F8E4M3:
            return view.count();
    }
    return view.count();
}

// NaN, or the sign of an infinity.
double valueAt(const ConstTensorView& view, std::int64_t index) {
    const auto* bytes = static_cast<const std::byte*>(view.data()) + index * dtypeSize(view.dtype());
    std::uint16_t half = 0;
    std::memcpy(&half, bytes, sizeof half);
    if (view.dtype() == DType::F16) {
        return static_cast<double>(halfToFloat(half));
    }
    if (view.dtype() == DType::BF16) {
        BFloat16 value;
        value.bits = half;
        return static_cast<double>(static_cast<float>(value));
    }
    if (view.dtype() == DType::F32) {
        return static_cast<double>(view.as<float>()[index]);
    }
    return view.as<double>()[index];
}

}  // namespace

Status checkFinite(const ConstTensorView& view, std::string_view name) {
    FW_CHECK(view.device() == DeviceKind::Cpu && view.isContiguous(), "{}", view.text());
    const std::int64_t index = firstNonFinite(view);
    if (index == view.count()) {
        return {};
    }
    return fail(ErrorCode::BadModel, "tensor {} holds {} at element {} of {}; weights must be finite",
                quoteText(name), std::isnan(valueAt(view, index)) ? "NaN" : "an infinity", index, view.count());
}

}  // namespace fw::weights
