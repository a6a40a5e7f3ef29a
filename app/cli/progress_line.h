// Progress on a terminal or in a log.
#pragma once

#include <cstdio>
#include <string>

#include "core/pipeline/generator.h"

namespace fw::cli {

// "0:07", "12:05", "1:02:09"; seconds are rounded up, so the last one shown is 0:01.
[[nodiscard]] std::string durationText(double seconds);

// One line of at most `width` columns: phase, steps, bar, percentage, time left. The bar takes what room there is
// and goes first when there is none.
[[nodiscard]] std::string progressLine(const pipeline::Progress& progress, int width);

// Columns of the terminal behind `stream`; 80 when unknown.
[[nodiscard]] int terminalWidth(std::FILE* stream);

enum class ProgressStyle { Silent, Bar, Lines };

// Bar: one line redrawn in place. Lines: one line per phase and per tenth of the whole job. Used by one thread.
class ProgressPrinter {
 public:
    ProgressPrinter(ProgressStyle style, std::FILE* stream) : m_style(style), m_stream(stream) {}
    ~ProgressPrinter() { clear(); }
    ProgressPrinter(const ProgressPrinter&) = delete;
    ProgressPrinter& operator=(const ProgressPrinter&) = delete;

    void show(const pipeline::Progress& progress);
    // Removes the bar, so that other text can follow.
    void clear();

 private:
    ProgressStyle m_style;
    std::FILE* m_stream;
    bool m_drawn = false;
    bool m_any = false;
    pipeline::Phase m_phase = pipeline::Phase::Load;
    int m_tenth = 0;
};

}  // namespace fw::cli
