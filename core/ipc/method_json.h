// Descriptions of methods and caches as JSON, for Hello.
#pragma once

#include <vector>

#include "core/base/json.h"
#include "core/ipc/fields.h"
#include "core/job/parameter_schema.h"

namespace fw::ipc {

[[nodiscard]] Json toJson(const std::vector<job::MethodDescription>& methods);
// `list` should be an array of descriptions; a mistake is noted in `outer` under `name`.
[[nodiscard]] std::vector<job::MethodDescription> methodsFromJson(const Json& list, const char* name,
                                                                  Fields& outer);

}  // namespace fw::ipc
