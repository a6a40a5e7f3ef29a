#include "app/cli/progress_line.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cmath>

#include "app/cli/output.h"

namespace fw::cli {

namespace {

constexpr int kDefaultWidth = 80;
constexpr int kSmallestBar = 4;
constexpr int kLargestBar = 40;

std::string barText(double fraction, int cells) {
    const int full = static_cast<int>(std::floor(fraction * cells));
    return "[" + std::string(static_cast<std::size_t>(full), '#') +
           std::string(static_cast<std::size_t>(cells - full), '.') + "]";
}

}  // namespace

std::string durationText(double seconds) {
    const auto total = static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 0.0, 1e9)));
    const std::int64_t hours = total / 3600;
    const std::int64_t minutes = total / 60 % 60;
    if (hours > 0) {
        return fmt::format("{}:{:02}:{:02}", hours, minutes, total % 60);
    }
    return fmt::format("{}:{:02}", minutes, total % 60);
}

std::string progressLine(const pipeline::Progress& progress, int width) {
    const double fraction = std::clamp(progress.fraction, 0.0, 1.0);
    const std::string head =
        fmt::format("{:<7} {:>3}/{:<3}", pipeline::phaseName(progress.phase), progress.step, progress.steps);
    std::string tail = fmt::format(" {:>3.0f}%", std::floor(fraction * 100.0));
    if (progress.secondsLeft >= 0.0) {
        tail += fmt::format("  {} left", durationText(progress.secondsLeft));
    }
    const int room = width - static_cast<int>(head.size() + tail.size()) - 3;  // a space and two brackets
    std::string line = head;
    if (room >= kSmallestBar) {
        line += " " + barText(fraction, std::min(room, kLargestBar));
    }
    line += tail;
    line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(width, 0))));
    return line;
}

int terminalWidth(std::FILE* stream) {
    winsize size{};
    if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return kDefaultWidth;
}

void ProgressPrinter::show(const pipeline::Progress& progress) {
    if (m_style == ProgressStyle::Silent) {
        return;
    }
    if (m_style == ProgressStyle::Bar) {
        // The last column stays free: some terminals wrap when it is written.
        say(m_stream, "\r\x1b[K{}", progressLine(progress, terminalWidth(m_stream) - 1));
        m_drawn = true;
    } else {
        const int tenth = static_cast<int>(std::floor(progress.fraction * 10.0));
        if (m_any && progress.phase == m_phase && tenth == m_tenth) {
            return;
        }
        m_tenth = tenth;
        say(m_stream, "{}\n", progressLine(progress, 0x7fff).substr(0, 200));
    }
    m_any = true;
    m_phase = progress.phase;
    std::fflush(m_stream);
}

void ProgressPrinter::clear() {
    if (m_drawn) {
        say(m_stream, "\r\x1b[K");
        std::fflush(m_stream);
        m_drawn = false;
    }
}

}  // namespace fw::cli
