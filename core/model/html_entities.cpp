// Follows https://docs.python.org/3/library/html.html#html.unescape and the HTML standard's rules for numeric
// character references (https://html.spec.whatwg.org/#numeric-character-reference-end-state).
#include "core/model/html_entities.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

#include "core/model/unicode_text.h"

namespace fw::model {
namespace {

struct HtmlEntity {
    std::string_view name;  // without "&"
    std::string_view text;  // UTF-8
};

#include "core/model/html_entities.inc"

std::optional<std::string_view> findEntity(std::span<const HtmlEntity> table, std::string_view name) {
    const auto found =
        std::lower_bound(table.begin(), table.end(), name,
                         [](const HtmlEntity& entity, std::string_view n) { return entity.name < n; });
    if (found == table.end() || found->name != name) {
        return std::nullopt;
    }
    return found->text;
}

bool isDigit(char32_t c) {
    return c >= U'0' && c <= U'9';
}
bool isHexDigit(char32_t c) {
    return isDigit(c) || (c >= U'a' && c <= U'f') || (c >= U'A' && c <= U'F');
}
bool isAlphanumeric(char32_t c) {
    return isDigit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

// What &#number; stands for.
std::u32string numericReference(std::uint32_t number) {
    if (number == 0 || (number >= 0xD800 && number <= 0xDFFF) || number > 0x10FFFF) {
        return U"\uFFFD";
    }
    if (number >= 0x80 && number <= 0x9F) {
        return {windows1252(static_cast<char32_t>(number))};
    }
    const bool control = number < 0x20 && number != '\t' && number != '\n' && number != '\f' && number != '\r';
    const bool nonCharacter = (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFEU) == 0xFFFE;
    if (control || number == 0x7F || nonCharacter) {
        return {};
    }
    return {static_cast<char32_t>(number)};
}

// A reference found in a text: how many characters it spans and what stands for it.
struct Match {
    std::size_t length = 0;
    std::u32string replacement;
};

// "#233", "#xE9;", at `start`, just behind "&".
std::optional<Match> matchNumeric(std::u32string_view text, std::size_t start) {
    if (start >= text.size() || text[start] != U'#') {
        return std::nullopt;
    }
    std::size_t position = start + 1;
    const bool hex = position < text.size() && (text[position] == U'x' || text[position] == U'X');
    position += hex ? 1 : 0;
    const std::size_t firstDigit = position;
    std::uint32_t number = 0;
    while (position < text.size() && (hex ? isHexDigit(text[position]) : isDigit(text[position]))) {
        const char32_t c = text[position++];
        const std::uint32_t digit = isDigit(c) ? c - U'0' : (c | 0x20U) - U'a' + 10;
        number =
            std::min<std::uint32_t>(number * (hex ? 16 : 10) + digit, 0x110000);  // stays out of range once it is
    }
    if (position == firstDigit) {
        return std::nullopt;
    }
    if (position < text.size() && text[position] == U';') {
        ++position;
    }
    return Match{position - start, numericReference(number)};
}

// "amp;", "amp", "notit", at `start`, just behind "&": the longest run of up to 32 characters that could be a name,
// then the whole of it or its longest prefix that is one.
std::optional<Match> matchName(std::u32string_view text, std::size_t start) {
    std::size_t end = start;
    while (end < text.size() && end - start < 32 &&
           std::u32string_view(U"\t\n\f <&#;").find(text[end]) == text.npos) {
        ++end;
    }
    if (end == start) {
        return std::nullopt;
    }
    if (end < text.size() && text[end] == U';') {
        ++end;
    }
    // Names are ASCII: a prefix that is not cannot match.
    std::string name;
    for (std::size_t i = start; i < end && text[i] < 0x80; ++i) {
        name.push_back(static_cast<char>(text[i]));
    }
    for (std::size_t length = name.size(); length >= 2; --length) {
        if (const auto found = findEntity(kHtml5Entities, std::string_view(name).substr(0, length))) {
            return Match{length, decodeUtf8(*found)};
        }
    }
    return std::nullopt;
}

// Copies `text`, replacing what `match` finds behind each "&".
template <class Matcher>
std::u32string replaceReferences(const std::u32string& text, const Matcher& match) {
    std::u32string result;
    std::size_t position = 0;
    while (position < text.size()) {
        const std::size_t ampersand = std::min(text.find(U'&', position), text.size());
        result.append(text, position, ampersand - position);
        if (ampersand == text.size()) {
            break;
        }
        if (const auto found = match(std::u32string_view(text), ampersand + 1)) {
            result += found->replacement;
            position = ampersand + 1 + found->length;
        } else {
            result.push_back(U'&');
            position = ampersand + 1;
        }
    }
    return result;
}

// "&name;" or "&#233;": up to 24 letters or digits between "&" or "&#" and ";".
std::optional<Match> matchUnambiguous(std::u32string_view text, std::size_t start) {
    std::size_t end = start < text.size() && text[start] == U'#' ? start + 1 : start;
    const std::size_t first = end;
    while (end < text.size() && isAlphanumeric(text[end])) {
        ++end;
    }
    if (end == first || end - first > 24 || end >= text.size() || text[end] != U';') {
        return std::nullopt;
    }
    const std::size_t length = end + 1 - start;
    if (first > start) {
        auto numeric = matchNumeric(text, start);
        // The digits must reach the semicolon, and "&#59;" is left alone.
        const bool whole = numeric && numeric->length == length && numeric->replacement != U";";
        return whole ? numeric : std::nullopt;
    }
    const std::string name(text.begin() + static_cast<std::ptrdiff_t>(start),
                           text.begin() + static_cast<std::ptrdiff_t>(end + 1));
    auto found = findEntity(kHtml5Entities, name);
    if (!found) {
        found = findEntity(kUpperCaseEntities, name);
    }
    return found ? std::optional(Match{length, decodeUtf8(*found)}) : std::nullopt;
}

}  // namespace

std::u32string unescapeHtml(const std::u32string& text) {
    return replaceReferences(text, [](std::u32string_view all, std::size_t start) {
        auto numeric = matchNumeric(all, start);
        return numeric ? numeric : matchName(all, start);
    });
}

std::u32string unescapeUnambiguousHtml(const std::u32string& text) {
    return replaceReferences(text, matchUnambiguous);
}

}  // namespace fw::model
