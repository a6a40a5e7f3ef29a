#include "core/model/prompt_cleaning.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/model/html_entities.h"
#include "core/model/unicode_text.h"
#include "core/weights/text.h"

namespace fw::model {
namespace {

bool isControl(char32_t c) {
    return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || (c >= 0x206A && c <= 0x206F) ||
           c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

// Ligatures and digraphs of Latin letters, sorted by character.
constexpr std::array<std::pair<char32_t, std::u32string_view>, 22> kLigatures{
    {{U'\u0132', U"IJ"},      {U'\u0133', U"ij"},      {U'\u0149', U"\u02BCn"}, {U'\u01C4', U"D\u017D"},
     {U'\u01C5', U"D\u017E"}, {U'\u01C6', U"d\u017E"}, {U'\u01C7', U"LJ"},      {U'\u01C8', U"Lj"},
     {U'\u01C9', U"lj"},      {U'\u01CA', U"NJ"},      {U'\u01CB', U"Nj"},      {U'\u01CC', U"nj"},
     {U'\u01F1', U"DZ"},      {U'\u01F2', U"Dz"},      {U'\u01F3', U"dz"},      {U'\uFB00', U"ff"},
     {U'\uFB01', U"fi"},      {U'\uFB02', U"fl"},      {U'\uFB03', U"ffi"},     {U'\uFB04', U"ffl"},
     {U'\uFB05', U"\u017Ft"}, {U'\uFB06', U"st"}}};

// Replaces one character by what ftfy's fixers before the line breaks make of it: C1 control, ligature, width,
// quotes.
void appendFixed(std::u32string& out, char32_t c) {
    if (c >= 0x80 && c <= 0x9F) {
        c = windows1252(c);
    }
    const auto ligature = std::lower_bound(kLigatures.begin(), kLigatures.end(), c,
                                           [](const auto& entry, char32_t wanted) { return entry.first < wanted; });
    std::u32string text(1, c);
    if (ligature != kLigatures.end() && ligature->first == c) {
        text = ligature->second;
    } else if (c == 0x3000) {
        text = U" ";
    } else if (c >= 0xFF01 && c <= 0xFFEF) {
        text = normaliseNfkc(text);
    }
    for (const char32_t part : text) {
        const bool doubleQuote = part >= 0x201C && part <= 0x201F;
        const bool singleQuote = part == 0x02BC || (part >= 0x2018 && part <= 0x201B);
        out.push_back(doubleQuote ? U'"' : singleQuote ? U'\'' : part);
    }
}

// \r\n, \r, U+2028, U+2029 and U+0085 become \n.
std::u32string unifyLineBreaks(const std::u32string& text) {
    std::u32string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char32_t c = text[i];
        if (c == U'\r' && i + 1 < text.size() && text[i + 1] == U'\n') {
            continue;
        }
        const bool lineBreak = c == U'\r' || c == 0x2028 || c == 0x2029 || c == 0x85;
        result.push_back(lineBreak ? U'\n' : c);
    }
    return result;
}

bool isAsciiDigit(char32_t c) {
    return c >= U'0' && c <= U'9';
}

// ESC [ digits and semicolons, a letter. Python's \d also takes other scripts' digits; no terminal does.
std::u32string removeTerminalEscapes(const std::u32string& text) {
    std::u32string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == 0x1B && i + 1 < text.size() && text[i + 1] == U'[') {
            std::size_t end = i + 2;
            while (end < text.size() && (isAsciiDigit(text[end]) || text[end] == U';')) {
                ++end;
            }
            const char32_t last = end < text.size() ? text[end] : U' ';
            if ((last >= U'a' && last <= U'z') || (last >= U'A' && last <= U'Z')) {
                i = end;
                continue;
            }
        }
        result.push_back(text[i]);
    }
    return result;
}

bool isPlain(const std::u32string& text) {
    return std::all_of(text.begin(), text.end(),
                       [](char32_t c) { return (c >= 0x20 && c < 0x7F) || c == U'\n' || c == U'\t'; });
}

// ftfy's fix_and_explain without the repair of mojibake. Ends because every round but the last shortens the text or
// replaces characters by ones no rule touches.
std::u32string fixSegment(std::u32string text, bool unescape) {
    while (true) {
        const std::u32string before = text;
        if (unescape) {
            text = unescapeUnambiguousHtml(text);
        }
        if (!isPlain(text)) {
            std::u32string fixed;
            for (const char32_t c : text) {
                appendFixed(fixed, c);
            }
            text = removeTerminalEscapes(unifyLineBreaks(fixed));
            std::erase_if(text, isControl);
            text = normaliseNfc(text);
        }
        if (text == before) {
            return text;
        }
    }
}

// ftfy.fix_text: line by line; from the first line with a "<" on, HTML references stay.
std::u32string fixText(const std::u32string& text) {
    std::u32string result;
    bool unescape = true;
    for (std::size_t position = 0; position < text.size();) {
        const std::size_t lineBreak = text.find(U'\n', position);
        const std::size_t end = lineBreak == text.npos ? text.size() : lineBreak + 1;
        std::u32string segment = text.substr(position, end - position);
        unescape = unescape && segment.find(U'<') == segment.npos;
        result += fixSegment(std::move(segment), unescape);
        position = end;
    }
    return result;
}

std::u32string collapseSpaces(const std::u32string& text) {
    std::u32string result;
    for (const char32_t c : text) {
        if (!isSpace(c)) {
            result.push_back(c);
        } else if (!result.empty() && result.back() != U' ') {
            result.push_back(U' ');
        }
    }
    if (!result.empty() && result.back() == U' ') {
        result.pop_back();
    }
    return result;
}

}  // namespace

Result<std::string> cleanPrompt(std::string_view text) {
    if (text.size() > kMaxPromptBytes) {
        return fail(ErrorCode::InvalidArgument, "the prompt has {} bytes; at most {} can be read", text.size(),
                    kMaxPromptBytes);
    }
    if (const auto position = weights::firstInvalidUtf8(text)) {
        return fail(ErrorCode::InvalidArgument, "the prompt is not valid UTF-8: byte {} (0x{:02X}) is wrong",
                    *position, static_cast<unsigned>(static_cast<unsigned char>(text[*position])));
    }
    const std::u32string fixed = fixText(decodeUtf8(text));
    return encodeUtf8(collapseSpaces(unescapeHtml(unescapeHtml(fixed))));
}

}  // namespace fw::model
