// How long the scans of a LinGen model remember, head by head and place by place, and what they take from the
// review tokens.
#pragma once

#include "ui/inspector/frame_grid.h"
#include "ui/inspector/inspector_view.h"

namespace fw::ui {

class MemoryView final : public InspectorView {
 public:
    [[nodiscard]] QString id() const override { return QStringLiteral("memory"); }
    [[nodiscard]] QString title() const override;
    [[nodiscard]] QString missing(const RunModel& run) const override;
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;
    [[nodiscard]] std::vector<ViewOption> options(const RunModel& run) const override;
    void setOption(std::size_t option, int value) override;

 private:
    // One direction's numbers of every head at one layer and step.
    struct Record {
        Selection at;
        std::vector<float> values;  // [S, cells]: tokens until half is forgotten, or shares of review tokens
        std::size_t cells = 0;
        int order = 0;  // of the layer's scan
        [[nodiscard]] std::size_t heads() const { return cells == 0 ? 0 : values.size() / cells; }
        [[nodiscard]] std::span<const float> head(std::size_t index) const {
            return std::span(values).subspan(index * cells, cells);
        }
    };

    [[nodiscard]] bool showsReview(const RunModel& run) const;
    [[nodiscard]] std::optional<Record> record(const RunModel& run, const Selection& at) const;
    void drawHeads(Canvas& canvas, const QRectF& area, const Record& record);
    void drawPlaces(Canvas& canvas, const QRectF& area, Scene& scene, const Record& record);
    void drawAlong(Canvas& canvas, const QRectF& area, const Scene& scene, const Record& record);
    // From cells to tokens, tens of thousands of them: made anew only when the head's numbers change.
    struct Places {
        quint64 key = 0;
        std::vector<float> values;  // of each token
        HeatRange range;
    };
    struct Piece {
        int begin = 0, end = 0;  // places on the path
        double low = 0.0, high = 0.0, mean = 0.0;
    };
    struct Path {
        quint64 key = 0;
        std::vector<Piece> pieces;  // without any that have no finite value
    };

    bool m_review = false;
    int m_direction = 0;
    std::size_t m_head = 0;  // of the scan: there may be more of them than of attention
    Places m_places;
    Path m_path;
    FrameImages m_images;
};

}  // namespace fw::ui
