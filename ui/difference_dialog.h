// The settings of several clips side by side.
#pragma once

#include <QDialog>
#include <vector>

#include "core/store/records.h"

class QCheckBox;
class QTableWidget;

namespace fw::ui {

class ThumbnailCache;

class DifferenceDialog : public QDialog {
    Q_OBJECT

 public:
    static constexpr int kMostClips = 12;

    // At least two clips; those beyond kMostClips are left out, and the title says so.
    DifferenceDialog(const std::vector<store::Clip>& clips, ThumbnailCache& thumbnails, QWidget* parent = nullptr);

    [[nodiscard]] QTableWidget* table() const { return m_table; }

 private:
    void fill();

    std::vector<store::Clip> m_clips;
    ThumbnailCache& m_thumbnails;
    QTableWidget* m_table;
    QCheckBox* m_all;
};

}  // namespace fw::ui
