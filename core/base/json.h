// The project's JSON type.
#pragma once

#include <nlohmann/json.hpp>

namespace fw {
using Json = nlohmann::json;
// Keeps insertion order: for files and messages people read.
using OrderedJson = nlohmann::ordered_json;
}  // namespace fw
