// Reading the fields of a message: every mistake names the field, nothing throws.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::ipc {

// Collects the first mistake while a message is read; readers return a neutral value after one.
class Fields {
 public:
    explicit Fields(const Json& json) : m_json(json) {}

    std::string text(const char* name) {
        const Json* value = find(name);
        if (value != nullptr && value->is_string()) {
            return value->get<std::string>();
        }
        wrong(name, "text");
        return {};
    }
    std::int64_t integer(const char* name, std::int64_t minimum = std::numeric_limits<std::int64_t>::min()) {
        const Json* value = find(name);
        if (value != nullptr && value->is_number_integer() &&
            !(value->is_number_unsigned() &&
              value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) &&
            value->get<std::int64_t>() >= minimum) {
            return value->get<std::int64_t>();
        }
        wrong(name, "an integer in range");
        return 0;
    }
    int smallInteger(const char* name) {
        const std::int64_t value = integer(name, 0);
        if (value > std::numeric_limits<int>::max()) {
            wrong(name, "an integer in range");
            return 0;
        }
        return static_cast<int>(value);
    }
    std::uint64_t counter(const char* name) {
        const Json* value = find(name);
        if (value != nullptr && value->is_number_unsigned()) {
            return value->get<std::uint64_t>();
        }
        wrong(name, "a non-negative integer");
        return 0;
    }
    double real(const char* name) {
        const Json* value = find(name);
        if (value != nullptr && value->is_number()) {
            return value->get<double>();
        }
        wrong(name, "a number");
        return 0.0;
    }
    bool boolean(const char* name) {
        const Json* value = find(name);
        if (value != nullptr && value->is_boolean()) {
            return value->get<bool>();
        }
        wrong(name, "true or false");
        return false;
    }
    Json any(const char* name) {
        const Json* value = find(name);
        if (value == nullptr) {
            wrong(name, "present");
            return {};
        }
        return *value;
    }
    Json array(const char* name) {
        Json value = any(name);
        if (!value.is_array()) {
            wrong(name, "a list");
            return Json::array();
        }
        return value;
    }
    std::vector<std::string> texts(const char* name) {
        std::vector<std::string> result;
        for (const Json& value : array(name)) {
            if (!value.is_string()) {
                wrong(name, "a list of texts");
                return {};
            }
            result.push_back(value.get<std::string>());
        }
        return result;
    }
    void wrong(const char* name, const char* expected) {
        if (m_mistake.empty()) {
            m_mistake = fmt::format("field '{}' should be {}", name, expected);
        }
    }
    [[nodiscard]] const std::string& mistake() const { return m_mistake; }

 private:
    const Json* find(const char* name) const {
        const auto it = m_json.find(name);
        return it == m_json.end() ? nullptr : &*it;
    }
    const Json& m_json;
    std::string m_mistake;
};

}  // namespace fw::ipc
