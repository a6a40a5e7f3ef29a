// What kind of head one is, from its statistics: where its attention goes.
#pragma once

#include <QColor>
#include <QString>
#include <array>
#include <span>

namespace fw::ui {

// After Sparse VideoGen (arXiv 2502.01776), which tells spatial from temporal heads, and StreamingLLM (arXiv
// 2309.17453) for sinks.
enum class HeadClass : quint8 { Spatial, Temporal, Global, Sink };

// `stats`: the six numbers of trace::HeadStatistic; `grid`: tokens [T, H, W].
// Sink: one key holds 30 % of the mass. Spatial: half of what lies between the share a frame has of all tokens and
// 1 stays in the query's own frame. Temporal: the keys lie less than half as far in height and width as those of
// attention to everything alike, and more of that than in time. Global: the rest.
[[nodiscard]] HeadClass classifyHead(std::span<const float> stats, const std::array<int, 3>& grid);

[[nodiscard]] QString headClassTitle(HeadClass kind);
// The same in every view, step and run.
[[nodiscard]] QColor headClassColour(HeadClass kind, bool dark);

}  // namespace fw::ui
