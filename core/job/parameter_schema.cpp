#include "core/job/parameter_schema.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace fw::job {

namespace {

// What a value of this parameter looks like, for error messages: "a whole number from 1 to 64 blocks".
std::string expectation(const ParameterSchema& parameter) {
    const std::string unit = parameter.unit.empty() ? "" : " " + parameter.unit;
    switch (parameter.type) {
        case ParameterType::Integer:
            return fmt::format("a whole number from {} to {}{}", parameter.minimum, parameter.maximum, unit);
        case ParameterType::Real:
            return fmt::format("a number from {} to {}{}", parameter.minimum, parameter.maximum, unit);
        case ParameterType::Boolean:
            return "true or false";
        case ParameterType::Choice:
            return fmt::format("one of {}", fmt::join(parameter.choices, ", "));
    }
    return "";
}

bool inRange(const ParameterSchema& parameter, const Json& value) {
    const auto number = value.get<double>();
    return std::isfinite(number) && number >= parameter.minimum && number <= parameter.maximum;
}

bool fits(const ParameterSchema& parameter, const Json& value) {
    switch (parameter.type) {
        case ParameterType::Integer:
            return value.is_number_integer() && inRange(parameter, value);
        case ParameterType::Real:
            return value.is_number() && inRange(parameter, value);
        case ParameterType::Boolean:
            return value.is_boolean();
        case ParameterType::Choice:
            return value.is_string() && std::find(parameter.choices.begin(), parameter.choices.end(),
                                                  value.get<std::string>()) != parameter.choices.end();
    }
    return false;
}

}  // namespace

Result<Json> resolveParameters(const std::vector<ParameterSchema>& schema, const Json& values) {
    if (!values.is_object()) {
        return fail(ErrorCode::InvalidArgument, "method parameters must be a JSON object, got {}",
                    values.type_name());
    }
    Json resolved = Json::object();
    std::vector<std::string> known;
    for (const ParameterSchema& parameter : schema) {
        known.push_back(parameter.name);
        const auto given = values.find(parameter.name);
        if (given == values.end()) {
            resolved[parameter.name] = parameter.defaultValue;
            continue;
        }
        if (!fits(parameter, *given)) {
            return fail(ErrorCode::InvalidArgument, "parameter {} is {}, but must be {}", parameter.name,
                        given->dump(-1, ' ', false, Json::error_handler_t::replace), expectation(parameter));
        }
        resolved[parameter.name] = *given;
    }
    for (const auto& [name, value] : values.items()) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            return fail(ErrorCode::InvalidArgument, "parameter '{}' is not known; this method has: {}", name,
                        known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
        }
    }
    return resolved;
}

}  // namespace fw::job
