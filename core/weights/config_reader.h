// Checked access to the keys of one JSON object. Internal to the configuration readers and the catalog.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::weights {

// Inclusive.
struct IntegerRange {
    std::int64_t low = 1;
    std::int64_t high = 1;
};
struct NumberRange {
    double low = 0.0;
    double high = 0.0;
};

// Remembers the first problem, so a reader is a plain list of assignments followed by one look at status(). After a
// problem every call returns a harmless value (the lower bound, false, empty).
// A fallback makes a key optional; JSON null counts as missing.
class ConfigReader {
 public:
    // `json` must outlive the reader; anything but an object is a problem.
    explicit ConfigReader(const Json& json);

    [[nodiscard]] std::int64_t integer(std::string_view key, IntegerRange range,
                                       std::optional<std::int64_t> fallback = std::nullopt);
    // Finite numbers only.
    [[nodiscard]] double number(std::string_view key, NumberRange range,
                                std::optional<double> fallback = std::nullopt);
    [[nodiscard]] bool boolean(std::string_view key, std::optional<bool> fallback = std::nullopt);
    [[nodiscard]] std::string text(std::string_view key, const std::optional<std::string>& fallback = std::nullopt);
    // Lists of `count` entries.
    [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key, IntegerRange count, IntegerRange range);
    [[nodiscard]] std::vector<double> numbers(std::string_view key, std::int64_t count, NumberRange range);
    [[nodiscard]] std::vector<bool> booleans(std::string_view key, std::int64_t count);

    // One of `choices`.
    [[nodiscard]] std::string choice(std::string_view key, std::initializer_list<std::string_view> choices,
                                     const std::optional<std::string>& fallback = std::nullopt);
    // The key must be missing, null, or equal `allowed`; otherwise "`key` is X, which is not supported: `reason`".
    void only(std::string_view key, const Json& allowed, std::string_view reason);
    // A problem found by the caller; `message` is a whole sentence without a full stop.
    void require(bool condition, std::string_view message);

    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
    // BadModel with the first problem.
    [[nodiscard]] Status status() const;

 private:
    [[nodiscard]] const Json* find(std::string_view key) const;
    // The value of a key that must be there; null after noting a problem.
    const Json* need(std::string_view key);
    void note(std::string problem);
    std::int64_t checkedInteger(std::string_view key, const Json& value, IntegerRange range);
    double checkedNumber(std::string_view key, const Json& value, NumberRange range);

    const Json& m_json;
    std::string m_problem;
};

// Short text of a value for messages: at most about 80 bytes.
[[nodiscard]] std::string shortText(const Json& value);

}  // namespace fw::weights
