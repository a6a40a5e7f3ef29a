// Short forms of parameter schemas, for the descriptions of caches.
#pragma once

#include <string>
#include <vector>

#include "core/job/parameter_schema.h"

namespace fw::cache {

[[nodiscard]] job::ParameterSchema wholeNumber(std::string name, std::string unit, int minimum, int maximum,
                                               int defaultValue, std::string help);
[[nodiscard]] job::ParameterSchema number(std::string name, double minimum, double maximum, double defaultValue,
                                          std::string help);
// A number from 0 to 1.
[[nodiscard]] job::ParameterSchema fraction(std::string name, double defaultValue, std::string help);
[[nodiscard]] job::ParameterSchema choice(std::string name, std::vector<std::string> choices,
                                          std::string defaultValue, std::string help);
void append(std::vector<job::ParameterSchema>& parameters, std::vector<job::ParameterSchema> more);

}  // namespace fw::cache
