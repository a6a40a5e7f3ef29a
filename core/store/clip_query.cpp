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

constexpr std::array<QueryField, 16> kFields{{
    {"model", "model", QueryFieldKind::Text, "model:mini"},
    {"method", "method", QueryFieldKind::Text, "method:dense"},
    {"tag", "", QueryFieldKind::Tag, "tag:best"},
    {"star", "stars", QueryFieldKind::Number, "star:>=3"},
    {"project", "", QueryFieldKind::Project, "project:default"},
    {"date", "created_us", QueryFieldKind::Date, "date:>=2026-11-01"},
    {"steps", "steps", QueryFieldKind::Number, "steps:>20"},
    {"guidance", "guidance", QueryFieldKind::Number, "guidance:<=5"},
    {"seed", "seed", QueryFieldKind::Text, "seed:42"},
    {"sampler", "sampler", QueryFieldKind::Text, "sampler:euler"},
    {"frames", "frames", QueryFieldKind::Number, "frames:>=81"},
    {"width", "width", QueryFieldKind::Number, "width:832"},
    {"height", "height", QueryFieldKind::Number, "height:480"},
    {"seconds", "seconds", QueryFieldKind::Number, "seconds:<60"},
    {"device", "device", QueryFieldKind::Text, "device:cpu"},
    {"missing", "missing", QueryFieldKind::Flag, "missing:yes"},
}};

struct Term {
    bool negated = false;
    const QueryField* field = nullptr;  // null: a word
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
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';  // FTS5 reads no further than a zero
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
            std::find_if(kFields.begin(), kFields.end(), [&](const QueryField& f) { return f.name == name; });
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

std::optional<bool> flag(const std::string& text) {
    const std::string word = lower(text);
    if (word == "yes" || word == "no") {
        return word == "yes";
    }
    return std::nullopt;
}

// The LIKE pattern of texts that contain `part`.
std::string partPattern(const std::string& part) {
    std::string pattern = "%";
    for (const char c : part) {
        if (c == '%' || c == '_' || c == '\\') {
            pattern += '\\';
        }
        pattern += c;
    }
    return pattern + "%";
}

// Adds the condition of a term with a field. The message of a mistake otherwise.
std::optional<std::string> addField(const Term& term, ClipConditions& out) {
    const QueryField& field = *term.field;
    if (term.value.empty()) {
        return fmt::format("'{}:' needs a value, for example {}", field.name, field.example);
    }
    std::string condition;
    switch (field.kind) {
        case QueryFieldKind::Text:
            condition = fmt::format("{} LIKE ? ESCAPE '\\'", field.column);
            out.values.emplace_back(partPattern(term.value));
            break;
        case QueryFieldKind::Project:
            condition = "project_id IN (SELECT id FROM project WHERE name LIKE ? ESCAPE '\\')";
            out.values.emplace_back(partPattern(term.value));
            break;
        case QueryFieldKind::Tag:
            condition = "id IN (SELECT clip_id FROM clip_tag JOIN tag ON tag.id = tag_id WHERE name = ?)";
            out.values.emplace_back(term.value);
            break;
        case QueryFieldKind::Flag:
            if (const auto value = flag(term.value)) {
                condition = fmt::format("{} = ?", field.column);
                out.values.emplace_back(std::int64_t{*value ? 1 : 0});
                break;
            }
            return fmt::format("'{}' is neither yes nor no: write for example {}", term.value, field.example);
        case QueryFieldKind::Number:
            if (const auto value = number<double>(term.value)) {
                condition = fmt::format("{} {} ?", field.column, term.comparison);
                out.values.emplace_back(*value);
                break;
            }
            return fmt::format("'{}' is no number: write for example {}", term.value, field.example);
        case QueryFieldKind::Date:
            if (const auto day = dayStartUs(term.value)) {
                addDate(term, *day, out, condition);
                break;
            }
            return fmt::format("'{}' is no date: write for example {}", term.value, field.example);
    }
    out.narrowed = true;
    out.where += term.negated ? fmt::format(" AND NOT ({})", condition) : fmt::format(" AND {}", condition);
    return std::nullopt;
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

// Adds the conditions of the whole line up to the first mistake.
std::optional<QueryMistake> addTerms(const std::string& text, ClipConditions& out) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (isSpace(text[at])) {
            ++at;
            continue;
        }
        const std::size_t begin = at;
        const Term term = readTerm(text, at);
        if (term.field != nullptr) {
            if (auto message = addField(term, out)) {
                return QueryMistake{begin, at, std::move(*message)};
            }
        } else if (hasWordCharacter(term.value)) {  // punctuation alone matches everything
            std::string& list = term.negated ? out.without : out.words;
            list += (list.empty() ? "" : term.negated ? " OR " : " AND ") + matchText(term);
        }
    }
    return std::nullopt;
}

}  // namespace

std::span<const QueryField> queryFields() {
    return kFields;
}

std::optional<QueryMistake> findMistake(const std::string& text) {
    ClipConditions ignored;
    return addTerms(text, ignored);
}

Result<ClipConditions> parseClipQuery(const ClipQuery& query) {
    ClipConditions out;
    out.where = query.trashed ? "trashed_us > 0" : "trashed_us = 0";
    if (query.projectId != 0) {
        out.where += " AND project_id = ?";
        out.values.emplace_back(query.projectId);
        out.narrowed = true;
    }
    if (const auto mistake = addTerms(query.text, out)) {
        return fail(ErrorCode::InvalidArgument, "{}", mistake->message);
    }
    return out;
}

}  // namespace fw::store
