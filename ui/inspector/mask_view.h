// What a sparse method computed: the mask of tiles, how dense each head is, how much of the attention it kept, and
// what differs from another step, layer, head or run.
#pragma once

#include "ui/inspector/inspector_view.h"
#include "ui/inspector/mask_tiles.h"

namespace fw::ui {

class MaskView final : public InspectorView {
 public:
    [[nodiscard]] QString id() const override { return QStringLiteral("mask"); }
    [[nodiscard]] QString title() const override;
    [[nodiscard]] QString missing(const RunModel& run) const override;
    void draw(Canvas& canvas, const QRectF& area, Scene& scene) override;
    [[nodiscard]] QString caption(const Scene& scene) const override;
    [[nodiscard]] QList<QStringList> table(const Scene& scene) const override;
    [[nodiscard]] std::vector<ViewOption> options(const RunModel& run) const override;
    void setOption(std::size_t, int value) override { m_compare = value; }
    [[nodiscard]] bool usesHead() const override { return true; }

    // Tiles computed by both, only here and only there; `there` as chosen by the option.
    struct Difference {
        std::int64_t common = 0, here = 0, there = 0;
        [[nodiscard]] double jaccard() const;
    };
    [[nodiscard]] std::optional<Difference> difference(const Scene& scene) const;

 private:
    void drawAt(Canvas& canvas, const QRectF& area, Scene& scene);
    void refresh(const Scene& scene, bool dark);
    void drawMatrix(Canvas& canvas, const QRectF& area, Scene& scene);
    void drawHeads(Canvas& canvas, const QRectF& area, Scene& scene) const;
    void drawKeys(Canvas& canvas, const QRectF& area, Scene& scene);
    [[nodiscard]] MaskBits bitsAt(const RunModel& run, const Selection& at) const;
    // What is shown: painted by hand, or what was computed.
    [[nodiscard]] MaskBits shownBits(const Scene& scene) const;
    void paint(Canvas& canvas, const QRectF& map, Scene& scene);
    [[nodiscard]] MaskBits otherBits(const Scene& scene) const;
    [[nodiscard]] std::int64_t chosenTile(const RunModel& run, const Selection& at) const;

    int m_compare = 0;
    const RunModel* m_run = nullptr;
    const RunModel* m_other = nullptr;
    Selection m_shown;
    int m_shownCompare = -1;
    bool m_dark = false;
    quint64 m_shownRevision = 0;
    mutable std::vector<std::uint8_t> m_full;  // the mask of dense attention
    std::optional<Difference> m_difference;
    QImage m_matrix;
    std::vector<QImage> m_frames;  // the keys of the chosen tile, frame by frame
};

}  // namespace fw::ui
