// Just enough reading of C++ and CMake text for the layering test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fw::layering {

struct Include {
    int line = 0;
    std::string name;
    bool quoted = false;  // "name" as opposed to <name>
};

// Every #include directive, in order; those inside // comments do not count.
[[nodiscard]] std::vector<Include> readIncludes(std::string_view source);

struct Command {
    int line = 0;
    std::string name;  // lower case
    std::vector<std::string> arguments;
};

// Every command with its arguments, which may span lines; comments are skipped, quotes removed.
[[nodiscard]] std::vector<Command> readCommands(std::string_view script);

}  // namespace fw::layering
