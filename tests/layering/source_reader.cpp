#include "source_reader.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace fw::layering {
namespace {

bool isSpace(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool isNameCharacter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string_view trimLeft(std::string_view text) {
    while (!text.empty() && isSpace(text.front())) {
        text.remove_prefix(1);
    }
    return text;
}

// Removes `word` from the front of `text`, after white space; false and unchanged when it is not there.
bool takeWord(std::string_view& text, std::string_view word) {
    const std::string_view rest = trimLeft(text);
    if (!rest.starts_with(word)) {
        return false;
    }
    text = rest.substr(word.size());
    return true;
}

// CMake text with every comment turned into spaces, so that positions and lines stay.
std::string withoutComments(std::string_view script) {
    std::string text(script);
    bool quoted = false;
    bool comment = false;
    for (char& c : text) {
        if (c == '\n') {
            comment = false;
        } else if (comment) {
            c = ' ';
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == '#' && !quoted) {
            comment = true;
            c = ' ';
        }
    }
    return text;
}

// The arguments up to the parenthesis that closes the command; `at` starts behind the opening one and ends behind
// the closing one.
std::vector<std::string> readArguments(std::string_view text, std::size_t& at) {
    std::vector<std::string> arguments;
    std::string word;
    int depth = 1;
    const auto flush = [&] {
        if (!word.empty()) {
            arguments.push_back(std::exchange(word, {}));
        }
    };
    for (; at < text.size() && depth > 0; ++at) {
        const char c = text[at];
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (isSpace(c) || c == '(' || c == ')' || c == '"' || c == ';') {
            flush();
        } else {
            word += c;
        }
    }
    flush();
    return arguments;
}

}  // namespace

std::vector<Include> readIncludes(std::string_view source) {
    std::vector<Include> includes;
    int line = 0;
    while (!source.empty()) {
        ++line;
        const std::size_t end = source.find('\n');
        std::string_view text = source.substr(0, end);
        source = end == std::string_view::npos ? std::string_view() : source.substr(end + 1);
        if (!takeWord(text, "#") || !takeWord(text, "include")) {
            continue;
        }
        text = trimLeft(text);
        const bool quoted = text.starts_with('"');
        if (!quoted && !text.starts_with('<')) {
            continue;
        }
        const std::size_t close = text.find(quoted ? '"' : '>', 1);
        if (close != std::string_view::npos) {
            includes.push_back({line, std::string(text.substr(1, close - 1)), quoted});
        }
    }
    return includes;
}

std::vector<Command> readCommands(std::string_view script) {
    const std::string text = withoutComments(script);
    std::vector<Command> commands;
    std::string name;
    int line = 1;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at++];
        line += c == '\n' ? 1 : 0;
        if (isNameCharacter(c)) {
            name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else if (c == '(' && !name.empty()) {
            const std::size_t begin = at;
            const int first = line;
            std::vector<std::string> arguments = readArguments(text, at);
            line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                                text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
            commands.push_back({first, std::exchange(name, {}), std::move(arguments)});
        } else if (!isSpace(c) || c == '\n') {
            name.clear();
        }
    }
    return commands;
}

}  // namespace fw::layering
