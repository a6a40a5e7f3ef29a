// All heads at a glance: small pooled attention maps by layer and head, by step and head or by step and layer, and
// one of them large.
#pragma once

#include <vector>

#include "ui/inspector/head_classes.h"
#include "ui/inspector/inspector_view.h"

namespace fw::ui {

class MapsView final : public InspectorView {
 public:
    [[nodiscard]] QString id() const override { return QStringLiteral("maps"); }
    [[nodiscard]] QString title() const override;
    [[nodiscard]] QString missing(const RunModel& run) const override;
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;
    [[nodiscard]] std::vector<ViewOption> options(const RunModel& run) const override;
    void setOption(std::size_t option, int value) override;
    [[nodiscard]] bool usesHead() const override { return true; }

 private:
    // What rows and columns of the grid run over.
    struct Axes {
        int Selection::*row;
        int Selection::*column;
        std::vector<int> rows, columns;
        QString rowName, columnName;
    };
    struct Cell {
        Selection at;
        QRect place;  // in the picture of all maps
        qint64 record = -1;
    };

    [[nodiscard]] Axes axes(const RunModel& run) const;
    void fillOverview(const Scene& scene, const Axes& axes);
    void drawOverview(Canvas& canvas, const QRectF& area, Scene& scene, const Axes& axes);
    void drawLarge(Canvas& canvas, const QRectF& area, Scene& scene);

    // Whether the heads of each row stand kind by kind, not in the order of their numbers.
    [[nodiscard]] bool isByKind(const RunModel& run) const;

    int m_axes = 0;
    bool m_byKind = false;
    // Of the overview, for as long as what it shows stays.
    const RunModel* m_run = nullptr;
    Selection m_shown;
    int m_shownAxes = -1;
    bool m_shownByKind = false;
    QImage m_overview;
    std::vector<Cell> m_cells;
    // Of the large map.
    qint64 m_record = -1;
    const RunModel* m_largeRun = nullptr;
    std::vector<float> m_values;
    QImage m_large;
    HeatRange m_range;
};

// The class of a head at a place; nothing where there are no statistics.
[[nodiscard]] std::optional<HeadClass> headClassAt(const RunModel& run, const Selection& at);

}  // namespace fw::ui
