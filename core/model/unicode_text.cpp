#include "core/model/unicode_text.h"

#include <utf8proc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "core/base/check.h"

namespace fw::model {
namespace {

struct FreeDeleter {
    void operator()(void* pointer) const { std::free(pointer); }
};

std::u32string normalise(std::u32string_view text, int options) {
    const std::string utf8 = encodeUtf8(text);
    utf8proc_uint8_t* raw = nullptr;
    const utf8proc_ssize_t length =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                     static_cast<utf8proc_ssize_t>(utf8.size()), &raw, static_cast<utf8proc_option_t>(options));
    const std::unique_ptr<utf8proc_uint8_t, FreeDeleter> owner(raw);
    FW_CHECK(length >= 0, "{}", utf8proc_errmsg(length));
    return decodeUtf8({reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length)});
}

}  // namespace

std::u32string decodeUtf8(std::string_view text) {
    std::u32string result;
    result.reserve(text.size());
    const auto* data = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    const auto size = static_cast<utf8proc_ssize_t>(text.size());
    for (utf8proc_ssize_t position = 0; position < size;) {
        utf8proc_int32_t codePoint = 0;
        const utf8proc_ssize_t length = utf8proc_iterate(data + position, size - position, &codePoint);
        FW_CHECK(length > 0, "invalid UTF-8 at byte {}", position);
        result.push_back(static_cast<char32_t>(codePoint));
        position += length;
    }
    return result;
}

std::string encodeUtf8(std::u32string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char32_t c : text) {
        std::array<utf8proc_uint8_t, 4> bytes{};
        const utf8proc_ssize_t length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes.data());
        result.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
    }
    return result;
}

char32_t windows1252(char32_t c1) {
    static constexpr std::array<char32_t, 32> kTable{
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};
    FW_CHECK(c1 >= 0x80 && c1 <= 0x9F, "U+{:04X}", static_cast<std::uint32_t>(c1));
    return kTable[c1 - 0x80];
}

bool isSpace(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::u32string normaliseNfc(std::u32string_view text) {
    return normalise(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

std::u32string normaliseNfkc(std::u32string_view text) {
    return normalise(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
}

}  // namespace fw::model
