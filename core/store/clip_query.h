// The search line of the library as conditions on clips.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/store/library_store.h"

namespace fw::store {

// What can be asked for as `name:value`.
enum class QueryFieldKind : std::uint8_t { Text, Number, Project, Tag, Date, Flag };
struct QueryField {
    std::string_view name;
    std::string_view column;  // of the clip table; empty for Project and Tag
    QueryFieldKind kind;
    std::string_view example;  // a whole term
};
[[nodiscard]] std::span<const QueryField> queryFields();

// A term that cannot be understood: bytes [begin, end) of the text, and one sentence with an example of what could.
struct QueryMistake {
    std::size_t begin = 0, end = 0;
    std::string message;
};
// The first mistake of a search line, for showing it while it is typed. Needs no database.
[[nodiscard]] std::optional<QueryMistake> findMistake(const std::string& text);

struct ClipConditions {
    // A conjunction over columns of the index clip_facts, with '?' for each of `values`.
    std::string where;
    std::vector<std::variant<std::int64_t, double, std::string>> values;
    bool narrowed = false;  // `where` asks for more than in or out of the trash
    // FTS5 expressions: what a clip's words must match, and what they must not; empty: anything, nothing.
    std::string words, without;
};

// InvalidArgument with the message of the first mistake.
[[nodiscard]] Result<ClipConditions> parseClipQuery(const ClipQuery& query);

}  // namespace fw::store
