// One way to look at a run. Views draw and answer; they hold no window and no file.
#pragma once

#include <QList>
#include <QString>
#include <QStringList>
#include <memory>
#include <vector>

#include "app/values/studio_values.h"
#include "ui/inspector/canvas.h"
#include "ui/inspector/heat_colours.h"
#include "ui/inspector/run_model.h"

namespace fw::ui {

class MaskPainter;

// What is looked at. The run outlives the call it is passed to.
struct Scene {
    const RunModel& run;
    Selection& selection;
    const app::ClipImages* clip = nullptr;  // the pictures, once they are read
    const RunModel* other = nullptr;        // a second run to compare with
    MaskPainter* painter = nullptr;         // changes made by hand; none where nothing can be changed
};

// A choice a view offers; the panel makes a control of it.
struct ViewOption {
    QString name, help;
    QStringList values;
    int current = 0;
};

class InspectorView {
 public:
    virtual ~InspectorView() = default;

    [[nodiscard]] virtual QString id() const = 0;  // "cost": of files and settings
    [[nodiscard]] virtual QString title() const = 0;
    // What is missing to show anything, and how to get it; empty: nothing is.
    [[nodiscard]] virtual QString missing(const RunModel& run) const = 0;
    // Draws into `area` and moves the selection when something is clicked.
    virtual void draw(Canvas& canvas, const QRectF& area, Scene& scene) = 0;
    // One sentence with the numbers of the moment: below exports, and for screen readers.
    [[nodiscard]] virtual QString caption(const Scene& scene) const = 0;
    // The numbers drawn, headings first.
    [[nodiscard]] virtual QList<QStringList> table(const Scene& scene) const = 0;

    // May depend on the run; called before every draw.
    [[nodiscard]] virtual std::vector<ViewOption> options(const RunModel&) const { return {}; }
    virtual void setOption(std::size_t, int) {}
    // Whether the selection's head matters.
    [[nodiscard]] virtual bool usesHead() const { return false; }
    [[nodiscard]] virtual bool usesLayer() const { return true; }
    [[nodiscard]] virtual bool usesStep() const { return true; }

 protected:
    InspectorView() = default;
};

// In the order they are offered.
[[nodiscard]] std::vector<std::unique_ptr<InspectorView>> makeInspectorViews();

// --- shared by the views

// Numbers as tables want them: a point, no groups.
[[nodiscard]] QString plain(double value, int digits = 6);
// Numbers as people read them, with `digits` that matter.
[[nodiscard]] QString readable(double value, int digits = 3);
// "probes are missing" for a kind of record, with the way to get it.
[[nodiscard]] QString missingProbes(const QString& what);
// A heat scale with the ends' numbers, its name above; as wide as `rect`. `colours`: others than those of heat.
void drawLegend(Canvas& canvas, const QRectF& rect, const QString& name, const QString& least, const QString& most,
                double gamma = 1.0, const QImage* colours = nullptr);
// Colour and name of each entry in one line; gives the width used.
double drawKey(Canvas& canvas, const QPointF& at, const std::vector<std::pair<QColor, QString>>& entries);
// Largest cell for `columns` x `rows` in `area`, whole pixels.
[[nodiscard]] double cellSize(const QRectF& area, int columns, int rows);

}  // namespace fw::ui
