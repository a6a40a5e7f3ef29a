// What a step cache decided: every module of every block in every step, computed or answered from memory.
#pragma once

#include "ui/inspector/inspector_view.h"

namespace fw::ui {

class CacheView final : public InspectorView {
 public:
    [[nodiscard]] QString id() const override { return QStringLiteral("cache"); }
    [[nodiscard]] QString title() const override;
    [[nodiscard]] QString missing(const RunModel& run) const override;
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;
    [[nodiscard]] std::vector<ViewOption> options(const RunModel& run) const override;
    void setOption(std::size_t, int value) override { m_errors = value == 0; }

 private:
    // Whether the lower chart shows measured errors, not changes from step to step.
    [[nodiscard]] bool showsErrors(const RunModel& run) const;
    // Gives the lower end of what it drew.
    // Gives the left end of its columns and where it ends below.
    QPointF drawTimeline(Canvas& canvas, const QRectF& area, Scene& scene) const;
    // Steps stand under the columns of the timeline, which begin at `left`.
    void drawCurves(Canvas& canvas, const QRectF& area, const Scene& scene, double left) const;

    bool m_errors = true;
};

}  // namespace fw::ui
