#include "app/engine/output_name.h"

#include <fmt/chrono.h>

#include <system_error>

namespace fw::app {

namespace {

constexpr std::size_t kMaxWordsLength = 48;

std::string promptWords(const std::string& prompt) {
    std::string words;
    for (const char c : prompt) {
        const bool digit = c >= '0' && c <= '9';
        const bool lower = c >= 'a' && c <= 'z';
        const bool upper = c >= 'A' && c <= 'Z';
        if (digit || lower || upper) {
            words += upper ? static_cast<char>(c - 'A' + 'a') : c;
        } else if (!words.empty() && words.back() != '-') {
            if (words.size() >= kMaxWordsLength) {
                break;
            }
            words += '-';
        }
    }
    words.resize(std::min(words.size(), kMaxWordsLength));
    while (!words.empty() && words.back() == '-') {
        words.pop_back();
    }
    return words.empty() ? "clip" : words;
}

}  // namespace

std::string clipBaseName(const job::GenerationRequest& resolved, const std::tm& date) {
    return fmt::format("{:%Y%m%d}-{}-{}", date, promptWords(resolved.prompt), resolved.seed.value_or(0));
}

std::filesystem::path freeName(const std::filesystem::path& folder, const std::string& base,
                               const std::string& extension) {
    std::filesystem::path candidate = folder / (base + extension);
    std::error_code error;
    for (int number = 2; std::filesystem::exists(candidate, error); ++number) {
        candidate = folder / fmt::format("{}-{}{}", base, number, extension);
    }
    return candidate;
}

}  // namespace fw::app
