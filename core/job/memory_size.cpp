#include "core/job/memory_size.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fw::job {

namespace {

constexpr double kKibi = 1024.0;
constexpr std::string_view kUnits = "KMGT";
constexpr double kMostBytes = 9.0e18;

}  // namespace

Result<std::int64_t> memorySizeFromText(std::string_view text) {
    const auto bad = [&] {
        return fail(ErrorCode::InvalidArgument, "'{}' is no amount of memory; write 8G, 7.5G or 800M", text);
    };
    double value = 0.0;
    const char* last = text.data() + text.size();
    const auto [end, code] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
    if (code != std::errc{} || !std::isfinite(value)) {
        return bad();
    }
    std::string_view unit(end, static_cast<std::size_t>(last - end));
    unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
    if (!unit.empty() && unit != "B") {
        const auto known = kUnits.find(static_cast<char>(unit.front() & ~0x20));  // either case
        unit.remove_prefix(1);
        if (known == std::string_view::npos || (!unit.empty() && unit != "B" && unit != "iB")) {
            return bad();
        }
        value *= std::pow(kKibi, static_cast<double>(known + 1));
    }
    if (value < 1.0 || value > kMostBytes) {
        return bad();
    }
    return static_cast<std::int64_t>(value);
}

std::string memorySizeText(std::int64_t bytes) {
    const double mebibytes = static_cast<double>(bytes) / (kKibi * kKibi);
    return mebibytes < kKibi ? fmt::format("{:.1f} MiB", mebibytes) : fmt::format("{:.2f} GiB", mebibytes / kKibi);
}

}  // namespace fw::job
