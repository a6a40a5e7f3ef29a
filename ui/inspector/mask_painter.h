// What a person changes by hand to see what would become of the clip: masks of single heads, steps at which the
// step cache stands aside, and settings of the attention method. A value the panel keeps beside the run it shows.
#pragma once

#include <QtGlobal>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/job/what_if.h"
#include "ui/inspector/mask_tiles.h"

namespace fw::ui {

class MaskPainter {
 public:
    // Whether the pointer paints.
    [[nodiscard]] bool isActive() const { return m_active; }
    void setActive(bool active);

    [[nodiscard]] bool isPainted(int layer, int head) const { return m_masks.contains({layer, head}); }
    // Of a painted head; valid until it is painted on or forgotten.
    [[nodiscard]] MaskBits bits(int layer, int head) const;

    // A stroke on a head whose mask is `base` until it is painted on: from its first tile on it sets or clears,
    // whichever changes that tile. A query keeps at least one key.
    void begin(int layer, int head, const MaskBits& base, std::int64_t query, std::int64_t key);
    // The tiles on the line from where the stroke was last.
    void drag(std::int64_t query, std::int64_t key);
    void end() { m_stroke.reset(); }

    void toggleCompute(int step);
    [[nodiscard]] bool computes(int step) const { return m_compute.contains(step); }

    // Of the attention method, by name; `base`: as the run has it, which is no change.
    void setParameter(const std::string& name, double value, double base);
    [[nodiscard]] const std::map<std::string, double>& parameters() const { return m_parameters; }

    [[nodiscard]] bool canUndo() const { return !m_undo.empty(); }
    void undo();
    void clear();
    [[nodiscard]] bool isEmpty() const { return m_masks.empty() && m_compute.empty() && m_parameters.empty(); }
    // Whether a change holds from the chosen step on.
    [[nodiscard]] bool hasStep() const { return !m_masks.empty() || !m_parameters.empty(); }
    [[nodiscard]] int painted() const { return static_cast<int>(m_masks.size()); }
    [[nodiscard]] int computedSteps() const { return static_cast<int>(m_compute.size()); }
    // Grows with every change.
    [[nodiscard]] quint64 revision() const { return m_revision; }

    // For a run with these tiles; masks and settings hold from `fromStep` on.
    [[nodiscard]] job::WhatIf whatIf(const trace::MaskTiles& tiles, int fromStep) const;

 private:
    using Head = std::pair<int, int>;  // layer, head
    struct Mask {
        std::int64_t tiles = 0;
        std::vector<std::uint8_t> bits;  // as records of masks
    };
    struct State {
        std::map<Head, Mask> masks;
        std::set<int> compute;
        std::map<std::string, double> parameters;
    };
    struct Stroke {
        Head head;
        bool sets = true;
        std::int64_t query = 0, key = 0;
    };

    void remember();
    void set(Mask& mask, std::int64_t query, std::int64_t key, bool on);

    bool m_active = false;
    std::map<Head, Mask> m_masks;
    std::set<int> m_compute;
    std::map<std::string, double> m_parameters;
    std::vector<State> m_undo;
    std::optional<Stroke> m_stroke;
    quint64 m_revision = 0;
};

}  // namespace fw::ui
