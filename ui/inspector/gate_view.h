// SALAD's linear branch: how far its gate opens at each patch, and how much the branch adds by layer and step.
#pragma once

#include "ui/inspector/frame_grid.h"
#include "ui/inspector/inspector_view.h"

namespace fw::ui {

class GateView final : public InspectorView {
 public:
    [[nodiscard]] QString id() const override { return QStringLiteral("gate"); }
    [[nodiscard]] QString title() const override;
    [[nodiscard]] QString missing(const RunModel& run) const override;
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;

 private:
    [[nodiscard]] QString shareText(const Scene& scene) const;
    void drawGate(Canvas& canvas, const QRectF& area, const Scene& scene);
    void drawShare(Canvas& canvas, const QRectF& area, Scene& scene) const;

    FrameImages m_images;
    const RunModel* m_run = nullptr;
    quint64 m_key = 0;
    qint64 m_record = -1;
    std::vector<float> m_values;
};

}  // namespace fw::ui
