// Declared parameters of attention methods and step caches. Forms, flags, validation and JSON follow from these.
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::job {

enum class ParameterType : std::uint8_t { Integer, Real, Boolean, Choice };

struct ParameterSchema {
    std::string name;  // snake_case key in JSON and after --set
    ParameterType type = ParameterType::Real;
    std::string unit;                     // "tokens", "blocks", "" …
    double minimum = 0.0, maximum = 0.0;  // inclusive; numbers only
    std::vector<std::string> choices;     // Choice only
    Json defaultValue;
    std::string help;  // one sentence in a user's words
};

// What a method says about itself; see core/method/attention_method.h.
struct MethodDescription {
    std::string id;    // "dense", "salad"
    std::string name;  // "Dense attention"
    std::string summary;
    std::string paper;  // "arXiv:2601.16515" or empty
    std::vector<ParameterSchema> parameters;
};

// `values` with defaults filled in. InvalidArgument for unknown names, wrong types and values out of range.
[[nodiscard]] Result<Json> resolveParameters(const std::vector<ParameterSchema>& schema, const Json& values);

}  // namespace fw::job
