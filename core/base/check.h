// Programmer errors: FW_CHECK stays active in release builds and ends the process with place and reason.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace fw {
[[noreturn]] void checkFailed(const char* file, int line, const char* condition, std::string_view message);
}  // namespace fw

// FW_CHECK(a == b, "a is {}, b is {}", a, b); the message is optional.
#define FW_CHECK(condition, ...)                                                              \
    do {                                                                                      \
        if (!(condition)) [[unlikely]] {                                                      \
            ::fw::checkFailed(__FILE__, __LINE__, #condition, ::fmt::format("" __VA_ARGS__)); \
        }                                                                                     \
    } while (false)
