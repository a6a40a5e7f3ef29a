#include "ui/preview_history.h"

#include <algorithm>
#include <limits>

namespace fw::ui {

void PreviewHistory::clear() {
    m_entries.clear();
    m_bytes = 0;
}

void PreviewHistory::add(const app::JobPreview& preview, bool exact) {
    if (preview.images.frames.isEmpty()) {
        return;
    }
    Entry entry{preview, exact, 0};
    for (const QImage& frame : preview.images.frames) {
        entry.bytes += frame.sizeInBytes();
    }
    auto place = std::lower_bound(m_entries.begin(), m_entries.end(), preview.step,
                                  [](const Entry& a, int step) { return a.preview.step < step; });
    if (place != m_entries.end() && place->preview.step == preview.step) {
        if (place->exact && !exact) {
            return;
        }
        m_bytes -= place->bytes;
        *place = std::move(entry);
    } else {
        place = m_entries.insert(place, std::move(entry));
    }
    m_bytes += place->bytes;
    thin(static_cast<std::size_t>(place - m_entries.begin()));
}

void PreviewHistory::thin(std::size_t newest) {
    while (m_bytes > m_limit && m_entries.size() > 1) {
        std::size_t victim = m_entries.size();
        int least = std::numeric_limits<int>::max();
        for (std::size_t i = 0; i < m_entries.size(); ++i) {
            if (i == newest) {
                continue;
            }
            const bool end = i == 0 || i + 1 == m_entries.size();
            // What is to be kept longest weighs more than any distance between steps.
            constexpr int kKeep = 1 << 20;
            const int gap = end ? kKeep : m_entries[i + 1].preview.step - m_entries[i - 1].preview.step;
            const int weight = gap + (m_entries[i].exact ? kKeep : 0);
            if (weight < least) {
                least = weight;
                victim = i;
            }
        }
        m_bytes -= m_entries[victim].bytes;
        m_entries.erase(m_entries.begin() + static_cast<std::ptrdiff_t>(victim));
        newest -= victim < newest ? 1 : 0;
    }
}

}  // namespace fw::ui
