// What each step and module cost, against what the plan promised and what the machine can do.
#pragma once

#include "ui/inspector/inspector_view.h"

namespace fw::ui {

class CostView final : public InspectorView {
 public:
    [[nodiscard]] QString id() const override { return QStringLiteral("cost"); }
    [[nodiscard]] QString title() const override;
    [[nodiscard]] QString missing(const RunModel& run) const override;
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;
    [[nodiscard]] bool usesLayer() const override { return false; }

 private:
    void drawSteps(Canvas& canvas, const QRectF& area, Scene& scene) const;
    void drawTable(Canvas& canvas, const QRectF& area, const Scene& scene) const;
    void drawRoofline(Canvas& canvas, const QRectF& area, const Scene& scene) const;
};

}  // namespace fw::ui
