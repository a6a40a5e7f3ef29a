// What a clip looked like after each step of its denoising, within a limit of memory.
#pragma once

#include <QtGlobal>
#include <vector>

#include "app/values/studio_values.h"

namespace fw::ui {

class PreviewHistory {
 public:
    static constexpr qint64 kDefaultLimit = qint64{256} << 20;

    struct Entry {
        app::JobPreview preview;
        bool exact = false;  // decoded as the finished clip will be, not projected from the latents
        qint64 bytes = 0;
    };

    // `limit` in bytes of pixels.
    explicit PreviewHistory(qint64 limit = kDefaultLimit) : m_limit(limit) {}

    void clear();
    // In the order of steps. An exact preview takes the place of a projected one of the same step, never the
    // reverse. Beyond the limit entries go, those first whose step is nearest to its neighbours', so that what
    // stays is spread evenly; the first, the newest and the exact ones go last.
    void add(const app::JobPreview& preview, bool exact);

    [[nodiscard]] bool isEmpty() const { return m_entries.empty(); }
    [[nodiscard]] int count() const { return static_cast<int>(m_entries.size()); }
    [[nodiscard]] const Entry& at(int index) const { return m_entries[static_cast<std::size_t>(index)]; }
    [[nodiscard]] qint64 bytes() const { return m_bytes; }

 private:
    void thin(std::size_t newest);

    qint64 m_limit;
    qint64 m_bytes = 0;
    std::vector<Entry> m_entries;
};

}  // namespace fw::ui
