// The order in which a layer of LinGen reads the tokens: the path through the volume of frames, rows and columns.
#pragma once

#include "ui/inspector/inspector_view.h"

namespace fw::ui {

// The four orders of Rotary Major Scan (LinGen, arXiv 2412.09856, figure 4): layer l scans in order l mod 4.
enum class ScanOrder : quint8 { SpatialRow, SpatialColumn, TemporalRow, TemporalColumn };

// Position in the sequence of token (t, h, w) in a grid [T, H, W].
[[nodiscard]] int scanPosition(ScanOrder order, const std::array<int, 3>& grid, int t, int h, int w);
// The token at a position: its inverse.
[[nodiscard]] std::array<int, 3> scanToken(ScanOrder order, const std::array<int, 3>& grid, int position);

// Of the path, `part` 0 … 1 of its length. Its lines are thin: the end of the heat scale that lies near the ground
// of the theme is left out.
[[nodiscard]] QRgb scanPathColour(double part, bool dark);

class ScanView final : public InspectorView {
 public:
    [[nodiscard]] QString id() const override { return QStringLiteral("scan"); }
    [[nodiscard]] QString title() const override;
    [[nodiscard]] QString missing(const RunModel& run) const override;
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;
    [[nodiscard]] bool usesStep() const override { return false; }

 private:
    void drawVolume(Canvas& canvas, const QRectF& area, const std::array<int, 3>& grid, ScanOrder order,
                    int token) const;
};

}  // namespace fw::ui
