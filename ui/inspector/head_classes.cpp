#include "ui/inspector/head_classes.h"

#include <QCoreApplication>
#include <algorithm>

#include "core/base/check.h"
#include "core/trace/probe_data.h"
#include "ui/inspector/heat_colours.h"

namespace fw::ui {
namespace {

struct Heads {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Heads)
};

// Mean |i - j| of two places chosen alike among n.
double evenDistance(int n) {
    return n > 1 ? (static_cast<double>(n) * n - 1.0) / (3.0 * n) : 1.0;
}

}  // namespace

HeadClass classifyHead(std::span<const float> stats, const std::array<int, 3>& grid) {
    FW_CHECK(stats.size() == static_cast<std::size_t>(trace::kHeadStatistics), "{} statistics", stats.size());
    constexpr double kSinkShare = 0.3;
    if (static_cast<double>(stats[trace::kSink]) >= kSinkShare) {
        return HeadClass::Sink;
    }
    const double even = 1.0 / std::max(1, grid[0]);
    if (static_cast<double>(stats[trace::kOwnFrame]) >= even + (1.0 - even) / 2.0 && grid[0] > 1) {
        return HeadClass::Spatial;
    }
    const double inTime = static_cast<double>(stats[trace::kTimeDistance]) / evenDistance(grid[0]);
    const double inSpace = (static_cast<double>(stats[trace::kHeightDistance]) / evenDistance(grid[1]) +
                            static_cast<double>(stats[trace::kWidthDistance]) / evenDistance(grid[2])) /
                           2.0;
    return inSpace < 0.5 && inTime > inSpace ? HeadClass::Temporal : HeadClass::Global;
}

QString headClassTitle(HeadClass kind) {
    switch (kind) {
        case HeadClass::Spatial:
            return Heads::tr("spatial");
        case HeadClass::Temporal:
            return Heads::tr("temporal");
        case HeadClass::Global:
            return Heads::tr("global");
        case HeadClass::Sink:
            return Heads::tr("sink");
    }
    return {};
}

QColor headClassColour(HeadClass kind, bool dark) {
    static constexpr int kColours[] = {0, 1, 2, 3};
    return categoryColour(kColours[static_cast<std::size_t>(kind)], dark);
}

}  // namespace fw::ui
