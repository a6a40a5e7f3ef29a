// One view of two runs side by side, at the same place of both.
#pragma once

#include "ui/inspector/inspector_view.h"

namespace fw::ui {

class PairView final : public InspectorView {
 public:
    // Two views of one kind, for the scene's run and for its other one; both outlive the object. The second takes
    // over the first one's options.
    PairView(InspectorView& first, InspectorView& second, const RunModel& run);

    [[nodiscard]] QString id() const override { return m_first.id(); }
    [[nodiscard]] QString title() const override { return m_first.title(); }
    [[nodiscard]] QString missing(const RunModel& run) const override { return m_first.missing(run); }
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    // The rows of both, with the run's file in front where the tables have the same headings; else the first one's.
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;
    [[nodiscard]] std::vector<ViewOption> options(const RunModel& run) const override {
        return m_first.options(run);
    }
    void setOption(std::size_t option, int value) override;
    [[nodiscard]] bool usesHead() const override { return m_first.usesHead(); }
    [[nodiscard]] bool usesLayer() const override { return m_first.usesLayer(); }
    [[nodiscard]] bool usesStep() const override { return m_first.usesStep(); }

 private:
    InspectorView& m_first;
    InspectorView& m_second;
};

}  // namespace fw::ui
