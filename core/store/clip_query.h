// The search line of the library as SQL conditions.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/store/library_store.h"

namespace fw::store {

// `where` is a conjunction over the clip table with '?' for each of `values`.
struct ClipConditions {
    std::string where;
    std::vector<std::variant<std::int64_t, double, std::string>> values;
};

// InvalidArgument naming the term that cannot be understood and what would be.
[[nodiscard]] Result<ClipConditions> parseClipQuery(const ClipQuery& query);

}  // namespace fw::store
