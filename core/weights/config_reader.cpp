#include "core/weights/config_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/weights/text.h"

namespace fw::weights {

std::string shortText(const Json& value) {
    if (value.is_object()) {
        return "an object";
    }
    if (value.is_array() && value.size() > 8) {
        return fmt::format("a list of {}", value.size());
    }
    if (value.is_string()) {
        return quoteText(value.get_ref<const std::string&>());
    }
    const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return text.size() > 80 ? std::string(cutUtf8(text, 80)) + "…" : text;
}

ConfigReader::ConfigReader(const Json& json) : m_json(json) {
    if (!json.is_object()) {
        note(fmt::format("the top level is {} where an object is expected", shortText(json)));
    }
}

void ConfigReader::note(std::string problem) {
    if (m_problem.empty()) {
        m_problem = std::move(problem);
    }
}

void ConfigReader::require(bool condition, std::string_view message) {
    if (!condition) {
        note(std::string(message));
    }
}

Status ConfigReader::status() const {
    if (!m_problem.empty()) {
        return fail(ErrorCode::BadModel, "{}", m_problem);
    }
    return {};
}

const Json* ConfigReader::find(std::string_view key) const {
    if (!m_json.is_object()) {
        return nullptr;
    }
    const auto found = m_json.find(key);
    return found == m_json.end() || found->is_null() ? nullptr : &*found;
}

const Json* ConfigReader::need(std::string_view key) {
    const Json* value = find(key);
    if (value == nullptr) {
        note(fmt::format("the key \"{}\" is missing", key));
    }
    return value;
}

std::int64_t ConfigReader::checkedInteger(std::string_view key, const Json& value, IntegerRange range) {
    // 1.0 is not accepted: no writer of these files produces it for an integer.
    if (!value.is_number_integer()) {
        note(fmt::format("\"{}\" is {} where an integer is expected", key, shortText(value)));
        return range.low;
    }
    const bool tooBig =
        value.is_number_unsigned() &&
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (tooBig || value.get<std::int64_t>() < range.low || value.get<std::int64_t>() > range.high) {
        note(fmt::format("\"{}\" is {} where {} to {} is possible", key, shortText(value), range.low, range.high));
        return range.low;
    }
    return value.get<std::int64_t>();
}

double ConfigReader::checkedNumber(std::string_view key, const Json& value, NumberRange range) {
    if (!value.is_number()) {
        note(fmt::format("\"{}\" is {} where a number is expected", key, shortText(value)));
        return range.low;
    }
    const auto result = value.get<double>();
    if (!std::isfinite(result) || result < range.low || result > range.high) {
        note(fmt::format("\"{}\" is {} where {} to {} is possible", key, shortText(value), range.low, range.high));
        return range.low;
    }
    return result;
}

std::int64_t ConfigReader::integer(std::string_view key, IntegerRange range, std::optional<std::int64_t> fallback) {
    const Json* value = fallback ? find(key) : need(key);
    return value == nullptr ? fallback.value_or(range.low) : checkedInteger(key, *value, range);
}

double ConfigReader::number(std::string_view key, NumberRange range, std::optional<double> fallback) {
    const Json* value = fallback ? find(key) : need(key);
    return value == nullptr ? fallback.value_or(range.low) : checkedNumber(key, *value, range);
}

bool ConfigReader::boolean(std::string_view key, std::optional<bool> fallback) {
    const Json* value = fallback ? find(key) : need(key);
    if (value == nullptr) {
        return fallback.value_or(false);
    }
    if (!value->is_boolean()) {
        note(fmt::format("\"{}\" is {} where true or false is expected", key, shortText(*value)));
        return false;
    }
    return value->get<bool>();
}

std::string ConfigReader::text(std::string_view key, const std::optional<std::string>& fallback) {
    const Json* value = fallback ? find(key) : need(key);
    if (value == nullptr) {
        return fallback.value_or("");
    }
    if (!value->is_string()) {
        note(fmt::format("\"{}\" is {} where a text is expected", key, shortText(*value)));
        return "";
    }
    return value->get<std::string>();
}

std::vector<std::int64_t> ConfigReader::integers(std::string_view key, IntegerRange count, IntegerRange range) {
    std::vector<std::int64_t> result;
    const Json* value = need(key);
    if (value == nullptr) {
        return result;
    }
    const auto size = static_cast<std::int64_t>(value->is_array() ? value->size() : 0);
    if (!value->is_array() || size < count.low || size > count.high) {
        const std::string wanted =
            count.low == count.high ? fmt::format("{}", count.low) : fmt::format("{} to {}", count.low, count.high);
        note(fmt::format("\"{}\" is {} where a list of {} integers is expected", key, shortText(*value), wanted));
        return result;
    }
    for (const Json& entry : *value) {
        result.push_back(checkedInteger(key, entry, range));
    }
    return result;
}

std::vector<double> ConfigReader::numbers(std::string_view key, std::int64_t count, NumberRange range) {
    std::vector<double> result;
    const Json* value = need(key);
    if (value == nullptr) {
        return result;
    }
    if (!value->is_array() || static_cast<std::int64_t>(value->size()) != count) {
        note(fmt::format("\"{}\" is {} where a list of {} numbers is expected", key, shortText(*value), count));
        return result;
    }
    for (const Json& entry : *value) {
        result.push_back(checkedNumber(key, entry, range));
    }
    return result;
}

std::vector<bool> ConfigReader::booleans(std::string_view key, std::int64_t count) {
    std::vector<bool> result;
    const Json* value = need(key);
    if (value == nullptr) {
        return result;
    }
    const auto isBoolean = [](const Json& entry) { return entry.is_boolean(); };
    if (!value->is_array() || static_cast<std::int64_t>(value->size()) != count ||
        !std::all_of(value->begin(), value->end(), isBoolean)) {
        note(fmt::format("\"{}\" is {} where a list of {} times true or false is expected", key, shortText(*value),
                         count));
        return result;
    }
    for (const Json& entry : *value) {
        result.push_back(entry.get<bool>());
    }
    return result;
}

std::string ConfigReader::choice(std::string_view key, std::initializer_list<std::string_view> choices,
                                 const std::optional<std::string>& fallback) {
    std::string value = text(key, fallback);
    if (m_problem.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
        note(fmt::format("\"{}\" is {}; supported: {}", key, quoteText(value), fmt::join(choices, ", ")));
    }
    return value;
}

void ConfigReader::only(std::string_view key, const Json& allowed, std::string_view reason) {
    const Json* value = find(key);
    if (value != nullptr && *value != allowed) {
        note(fmt::format("\"{}\" is {}, which is not supported: {}", key, shortText(*value), reason));
    }
}

}  // namespace fw::weights
