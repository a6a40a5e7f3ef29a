// Where a patch of the clip attends, over all frames; and where each word of the prompt is looked up.
#pragma once

#include "ui/inspector/frame_grid.h"
#include "ui/inspector/inspector_view.h"

namespace fw::ui {

class QueryView final : public InspectorView {
 public:
    [[nodiscard]] QString id() const override { return QStringLiteral("query"); }
    [[nodiscard]] QString title() const override;
    [[nodiscard]] QString missing(const RunModel& run) const override;
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;
    [[nodiscard]] std::vector<ViewOption> options(const RunModel& run) const override;
    void setOption(std::size_t option, int value) override;
    [[nodiscard]] bool usesHead() const override { return true; }

 private:
    // What is laid over the frames.
    struct Heat {
        std::vector<float> values;  // of all tokens; empty: none
        std::vector<bool> skipped;  // empty: the method skipped none, or it is not known
        Selection at;               // where it was taken: token and word are what it is of
        bool pooled = false;        // from the map of blocks
        QString problem;            // why there is none
    };

    [[nodiscard]] Heat heat(const RunModel& run, const Selection& selection) const;
    // Computed from queries and keys that were kept; no values where they were not.
    [[nodiscard]] Heat operandHeat(const RunModel& run, const Selection& selection) const;
    [[nodiscard]] Heat rowHeat(const RunModel& run, const Selection& selection) const;
    [[nodiscard]] Heat wordHeat(const RunModel& run, const Selection& selection) const;
    void refresh(const Scene& scene);
    void drawWords(Canvas& canvas, const QRectF& area, const RunModel& run);

    // The last row computed from queries and keys: picture, caption and table want the same one.
    struct Computed {
        const RunModel* run = nullptr;
        Selection at;
        bool allHeads = false;
        Heat heat;
    };
    mutable Computed m_computed;

    int m_word = -1;
    bool m_allHeads = false;
    // Of what is shown, for as long as it is.
    const RunModel* m_run = nullptr;
    Selection m_shown;
    int m_shownWord = -2;
    bool m_shownAll = false, m_overClip = false;
    Heat m_heat;
    HeatRange m_range;
    std::vector<QImage> m_images;
};

}  // namespace fw::ui
