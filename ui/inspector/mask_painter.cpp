#include "ui/inspector/mask_painter.h"

#include <algorithm>
#include <cstdlib>

namespace fw::ui {

namespace {

constexpr std::size_t kMostUndo = 100;

ConstTensorView viewOf(const std::vector<std::uint8_t>& bits) {
    return {bits.data(), DType::U8, {static_cast<std::int64_t>(bits.size())}};
}

}  // namespace

void MaskPainter::setActive(bool active) {
    m_active = active;
    end();
}

MaskBits MaskPainter::bits(int layer, int head) const {
    const auto found = m_masks.find({layer, head});
    return found == m_masks.end() ? MaskBits() : MaskBits(viewOf(found->second.bits), found->second.tiles);
}

void MaskPainter::remember() {
    m_undo.push_back({m_masks, m_compute, m_parameters});
    if (m_undo.size() > kMostUndo) {
        m_undo.erase(m_undo.begin());
    }
    ++m_revision;
}

void MaskPainter::set(Mask& mask, std::int64_t query, std::int64_t key, bool on) {
    const MaskBits before(viewOf(mask.bits), mask.tiles);
    if (before.at(query, key) == on) {
        return;
    }
    if (!on) {
        std::int64_t left = 0;
        for (std::int64_t other = 0; other < mask.tiles; ++other) {
            left += before.at(query, other) ? 1 : 0;
        }
        if (left < 2) {
            return;
        }
    }
    const std::int64_t bit = query * mask.tiles + key;
    mask.bits[static_cast<std::size_t>(bit / 8)] ^= static_cast<std::uint8_t>(1U << static_cast<unsigned>(bit % 8));
    ++m_revision;
}

void MaskPainter::begin(int layer, int head, const MaskBits& base, std::int64_t query, std::int64_t key) {
    if (base.isEmpty()) {
        return;
    }
    const bool sets = !base.at(query, key);
    remember();
    Mask& mask = m_masks[{layer, head}];
    if (mask.tiles == 0) {
        mask.tiles = base.tiles();
        mask.bits.assign(static_cast<std::size_t>((mask.tiles * mask.tiles + 7) / 8), 0);
        for (std::int64_t q = 0; q < mask.tiles; ++q) {
            for (std::int64_t k = 0; k < mask.tiles; ++k) {
                const std::int64_t bit = q * mask.tiles + k;
                if (base.at(q, k)) {
                    mask.bits[static_cast<std::size_t>(bit / 8)] |=
                        static_cast<std::uint8_t>(1U << static_cast<unsigned>(bit % 8));
                }
            }
        }
    }
    m_stroke = Stroke{{layer, head}, sets, query, key};
    set(mask, query, key, sets);
}

void MaskPainter::drag(std::int64_t query, std::int64_t key) {
    if (!m_stroke || (m_stroke->query == query && m_stroke->key == key)) {
        return;
    }
    Mask& mask = m_masks[m_stroke->head];
    const std::int64_t down = query - m_stroke->query, across = key - m_stroke->key;
    const std::int64_t steps = std::max(std::abs(down), std::abs(across));
    for (std::int64_t i = 1; i <= steps; ++i) {
        set(mask, m_stroke->query + down * i / steps, m_stroke->key + across * i / steps, m_stroke->sets);
    }
    m_stroke->query = query;
    m_stroke->key = key;
}

void MaskPainter::toggleCompute(int step) {
    remember();
    if (m_compute.erase(step) == 0) {
        m_compute.insert(step);
    }
}

void MaskPainter::setParameter(const std::string& name, double value, double base) {
    const auto known = m_parameters.find(name);
    if (value == (known == m_parameters.end() ? base : known->second)) {
        return;
    }
    remember();
    if (value == base) {
        m_parameters.erase(name);
    } else {
        m_parameters[name] = value;
    }
}

void MaskPainter::undo() {
    if (m_undo.empty()) {
        return;
    }
    end();
    m_masks = std::move(m_undo.back().masks);
    m_compute = std::move(m_undo.back().compute);
    m_parameters = std::move(m_undo.back().parameters);
    m_undo.pop_back();
    ++m_revision;
}

void MaskPainter::clear() {
    end();
    m_masks.clear();
    m_compute.clear();
    m_parameters.clear();
    m_undo.clear();
    ++m_revision;
}

job::WhatIf MaskPainter::whatIf(const trace::MaskTiles& tiles, int fromStep) const {
    job::WhatIf result;
    result.compute.assign(m_compute.begin(), m_compute.end());
    if (!hasStep()) {
        return result;
    }
    job::Change& change = result.changes.emplace_back();
    change.fromStep = fromStep;
    for (const auto& [name, value] : m_parameters) {
        change.parameters[name] = value;
    }
    for (const auto& [head, mask] : m_masks) {
        job::PaintedMask painted{head.first, head.second, tiles.size, tiles.box, {}};
        const MaskBits bits(viewOf(mask.bits), mask.tiles);
        for (std::int64_t query = 0; query < mask.tiles; ++query) {
            auto& row = painted.rows.emplace_back();
            for (std::int64_t key = 0; key < mask.tiles; ++key) {
                if (bits.at(query, key)) {
                    row.push_back(static_cast<std::int32_t>(key));
                }
            }
        }
        change.masks.push_back(std::move(painted));
    }
    return result;
}

}  // namespace fw::ui
