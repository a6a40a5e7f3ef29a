#include "core/store/clip_query.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string_view>

namespace fw::store {

namespace {

enum class FieldKind { Text, Integer, Real, Project, Tag, Date };
struct Field {
    std::string_view name;
    std::string_view column;
    FieldKind kind;
};
constexpr std::array<Field, 15> kFields{{
    {"model", "model", FieldKind::Text},
    {"method", "method", FieldKind::Text},
    {"sampler", "sampler", FieldKind::Text},
    {"device", "device", FieldKind::Text},
    {"seed", "seed", FieldKind::Text},
    {"steps", "steps", FieldKind::Integer},
    {"frames", "frames", FieldKind::Integer},
    {"width", "width", FieldKind::Integer},
    {"height", "height", FieldKind::Integer},
    {"star", "stars", FieldKind::Integer},
    {"guidance", "guidance", FieldKind::Real},
    {"seconds", "seconds", FieldKind::Real},
    {"project", "", FieldKind::Project},
    {"tag", "", FieldKind::Tag},
    {"date", "created_us", FieldKind::Date},
}};

struct Term {
    bool negated = false;
    const Field* field = nullptr;  // null: a word
    std::string comparison = "=";
    std::string value;
    bool phrase = false;  // was quoted
};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
        return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
    });
    return result;
}

bool isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// One term starting at `at`; moves `at` behind it. A quote that is not closed ends with the text: people type.
Term readTerm(std::string_view text, std::size_t& at) {
    Term term;
    if (text[at] == '-' && at + 1 < text.size() && !isSpace(text[at + 1])) {
        term.negated = true;
        ++at;
    }
    std::string raw;
    std::size_t colon = std::string::npos;
    while (at < text.size() && !isSpace(text[at])) {
        if (text[at] == '"') {
            term.phrase = true;
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                raw += text[at];
            }
            if (at < text.size()) {
                ++at;
            }
            continue;
        }
        if (text[at] == ':' && colon == std::string::npos && !term.phrase) {
            colon = raw.size();
        }
        raw += text[at++];
    }
    if (colon != std::string::npos && colon > 0) {
        const std::string name = lower(raw.substr(0, colon));
        const auto* found =
            std::find_if(kFields.begin(), kFields.end(), [&](const Field& f) { return f.name == name; });
        if (found != kFields.end()) {
            term.field = found;
            raw.erase(0, colon + 1);
            for (const std::string_view comparison : {">=", "<=", ">", "<", "="}) {
                if (raw.starts_with(comparison)) {
                    term.comparison = comparison;
                    raw.erase(0, comparison.size());
                    break;
                }
            }
        }
    }
    term.value = raw;
    return term;
}

// Microseconds at the start of a day, UTC; nothing when it is not YYYY-MM-DD.
std::optional<std::int64_t> dayStartUs(const std::string& text) {
    std::tm day{};
    const char* end = strptime(text.c_str(), "%Y-%m-%d", &day);
    if (end == nullptr || *end != '\0') {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(timegm(&day)) * 1'000'000;
}

template <class Number>
std::optional<Number> number(const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

void addDate(const Term& term, std::int64_t day, ClipConditions& out, std::string& condition) {
    constexpr std::int64_t kDayUs = 86'400'000'000;
    if (term.comparison == "=") {
        condition = "(created_us >= ? AND created_us < ?)";
        out.values.emplace_back(day);
        out.values.emplace_back(day + kDayUs);
        return;
    }
    // "after the 3rd" starts with the 4th, "up to the 3rd" includes it.
    const bool next = term.comparison == ">" || term.comparison == "<=";
    condition = term.comparison.starts_with('>') ? "created_us >= ?" : "created_us < ?";
    out.values.emplace_back(next ? day + kDayUs : day);
}

Status addField(const Term& term, ClipConditions& out) {
    const Field& field = *term.field;
    if (term.value.empty()) {
        return fail(ErrorCode::InvalidArgument, "'{}:' needs a value, for example {}", field.name,
                    field.kind == FieldKind::Date ? "date:>=2026-11-01" : fmt::format("{}:…", field.name));
    }
    std::string condition;
    switch (field.kind) {
        case FieldKind::Text:
            condition = fmt::format("instr(lower({}), ?) > 0", field.column);
            out.values.emplace_back(lower(term.value));
            break;
        case FieldKind::Project:
            condition = "project_id IN (SELECT id FROM project WHERE instr(lower(name), ?) > 0)";
            out.values.emplace_back(lower(term.value));
            break;
        case FieldKind::Tag:
            condition = "id IN (SELECT clip_id FROM clip_tag JOIN tag ON tag.id = tag_id WHERE name = ?)";
            out.values.emplace_back(term.value);
            break;
        case FieldKind::Integer:
        case FieldKind::Real:
            if (const auto value = number<double>(term.value)) {
                condition = fmt::format("{} {} ?", field.column, term.comparison);
                out.values.emplace_back(*value);
                break;
            }
            return fail(ErrorCode::InvalidArgument, "'{}' is no number: write for example {}:>20", term.value,
                        field.name);
        case FieldKind::Date:
            if (const auto day = dayStartUs(term.value)) {
                addDate(term, *day, out, condition);
                break;
            }
            return fail(ErrorCode::InvalidArgument, "'{}' is no date: write for example date:>=2026-11-01",
                        term.value);
    }
    out.where += term.negated ? fmt::format(" AND NOT ({})", condition) : fmt::format(" AND {}", condition);
    return {};
}

// A word for FTS5: quoted, so that nothing in it is an operator; the last letters may be missing unless it was
// quoted.
std::string matchText(const Term& term) {
    std::string quoted = "\"";
    for (const char c : term.value) {
        quoted += c;
        if (c == '"') {
            quoted += c;
        }
    }
    return quoted + (term.phrase ? "\"" : "\"*");
}

bool hasWordCharacter(const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x80 || std::isalnum(c) != 0; });
}

}  // namespace

Result<ClipConditions> parseClipQuery(const ClipQuery& query) {
    ClipConditions out;
    out.where = query.trashed ? "trashed_us > 0" : "trashed_us = 0";
    if (query.projectId != 0) {
        out.where += " AND project_id = ?";
        out.values.emplace_back(query.projectId);
    }
    std::string words;
    std::size_t at = 0;
    while (at < query.text.size()) {
        if (isSpace(query.text[at])) {
            ++at;
            continue;
        }
        const Term term = readTerm(query.text, at);
        if (term.field != nullptr) {
            FW_TRY(addField(term, out));
        } else if (!hasWordCharacter(term.value)) {
            continue;  // punctuation alone matches everything
        } else if (term.negated) {
            out.where += " AND id NOT IN (SELECT rowid FROM clip_words WHERE clip_words MATCH ?)";
            out.values.emplace_back(matchText(term));
        } else {
            words += (words.empty() ? "" : " AND ") + matchText(term);
        }
    }
    if (!words.empty()) {
        out.where += " AND id IN (SELECT rowid FROM clip_words WHERE clip_words MATCH ?)";
        out.values.emplace_back(words);
    }
    return out;
}

}  // namespace fw::store
