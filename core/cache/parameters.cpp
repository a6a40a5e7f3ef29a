#include "core/cache/parameters.h"

#include <iterator>
#include <utility>

namespace fw::cache {

job::ParameterSchema wholeNumber(std::string name, std::string unit, int minimum, int maximum, int defaultValue,
                                 std::string help) {
    job::ParameterSchema schema;
    schema.name = std::move(name);
    schema.type = job::ParameterType::Integer;
    schema.unit = std::move(unit);
    schema.minimum = minimum;
    schema.maximum = maximum;
    schema.defaultValue = defaultValue;
    schema.help = std::move(help);
    return schema;
}

job::ParameterSchema number(std::string name, double minimum, double maximum, double defaultValue,
                            std::string help) {
    job::ParameterSchema schema;
    schema.name = std::move(name);
    schema.type = job::ParameterType::Real;
    schema.minimum = minimum;
    schema.maximum = maximum;
    schema.defaultValue = defaultValue;
    schema.help = std::move(help);
    return schema;
}

job::ParameterSchema fraction(std::string name, double defaultValue, std::string help) {
    return number(std::move(name), 0.0, 1.0, defaultValue, std::move(help));
}

job::ParameterSchema choice(std::string name, std::vector<std::string> choices, std::string defaultValue,
                            std::string help) {
    job::ParameterSchema schema;
    schema.name = std::move(name);
    schema.type = job::ParameterType::Choice;
    schema.choices = std::move(choices);
    schema.defaultValue = std::move(defaultValue);
    schema.help = std::move(help);
    return schema;
}

void append(std::vector<job::ParameterSchema>& parameters, std::vector<job::ParameterSchema> more) {
    parameters.insert(parameters.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace fw::cache
