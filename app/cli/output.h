// Text to stdout and stderr.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace fw::cli {

inline constexpr double kMebibyte = 1024.0 * 1024.0;
inline constexpr double kGiga = 1e9;
inline constexpr double kTera = 1e12;
inline constexpr double kGibibyte = 1024.0 * 1024.0 * 1024.0;

// fmt::print throws when the stream cannot be written. What the program does must not depend on whether somebody
// reads along, so failures are ignored here; runProgram() tells a full disk from a closed pipe at the end.
template <class... Args>
void say(std::FILE* stream, fmt::format_string<Args...> format, Args&&... args) {
    const std::string text = fmt::format(format, std::forward<Args>(args)...);
    std::fwrite(text.data(), 1, text.size(), stream);
}

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
    say(stdout, format, std::forward<Args>(args)...);
}

}  // namespace fw::cli
