#include "ui/difference_dialog.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/clip_settings.h"
#include "ui/controls.h"
#include "ui/theme.h"
#include "ui/thumbnail_cache.h"

namespace fw::ui {
namespace {
constexpr int kColumn = 22 * kGrid;
constexpr QSize kPicture(20 * kGrid, 15 * kGrid);
}  // namespace

DifferenceDialog::DifferenceDialog(const std::vector<store::Clip>& clips, ThumbnailCache& thumbnails,
                                   QWidget* parent)
    : QDialog(parent),
      m_clips(clips.begin(),
              clips.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(clips.size(), kMostClips))),
      m_thumbnails(thumbnails) {
    setWindowTitle(std::cmp_less(m_clips.size(), clips.size())
                       ? tr("What differs between the first %n clips", nullptr, static_cast<int>(m_clips.size()))
                       : tr("What differs"));
    m_table = new QTableWidget;
    m_table->setAccessibleName(tr("Settings of the clips"));
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->setWordWrap(true);
    m_table->setSelectionMode(QAbstractItemView::NoSelection);
    m_table->verticalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_table->setColumnCount(static_cast<int>(m_clips.size()));
    m_table->horizontalHeader()->hide();
    m_table->horizontalHeader()->setDefaultSectionSize(kColumn);
    m_all = new QCheckBox(tr("Also what is the same"));
    m_all->setToolTip(tr("Shows every setting of the clips"));
    connect(m_all, &QCheckBox::toggled, this, &DifferenceDialog::fill);
    connect(&m_thumbnails, &ThumbnailCache::ready, this, &DifferenceDialog::fill);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(2 * kGrid, 2 * kGrid, 2 * kGrid, 2 * kGrid);
    column->setSpacing(kGrid);
    column->addWidget(m_table, 1);
    auto* row = new QHBoxLayout;
    row->addWidget(m_all, 1);
    row->addWidget(buttons);
    column->addLayout(row);
    fill();
    resize(std::clamp(static_cast<int>(m_clips.size()) * kColumn + 20 * kGrid, 60 * kGrid, 120 * kGrid),
           64 * kGrid);
}

void DifferenceDialog::fill() {
    auto rows = settingRows(m_clips);
    rows.removeIf([this](const SettingRow& row) { return !m_all->isChecked() && !row.differs(); });
    m_table->setRowCount(static_cast<int>(rows.size()) + 1);
    m_table->setVerticalHeaderItem(0, new QTableWidgetItem(tr("Clip")));
    for (int i = 0; i < m_table->columnCount(); ++i) {
        const store::Clip& clip = m_clips[static_cast<std::size_t>(i)];
        auto* picture = new QLabel;
        picture->setAlignment(Qt::AlignCenter);
        picture->setAccessibleName(QString::fromStdString(clip.prompt));
        if (const QPixmap pixmap = m_thumbnails.picture(clip); !pixmap.isNull()) {
            picture->setPixmap(pixmap.scaled(kPicture, Qt::KeepAspectRatio, Qt::SmoothTransformation));
        }
        m_table->setCellWidget(0, i, picture);
    }
    m_table->setRowHeight(0, kPicture.height() + kGrid);
    for (int row = 0; row < rows.size(); ++row) {
        const SettingRow& setting = rows[row];
        m_table->setVerticalHeaderItem(row + 1, new QTableWidgetItem(setting.name));
        for (int i = 0; i < m_table->columnCount(); ++i) {
            const QString value = setting.values[i].left(1000);
            auto* item = new QTableWidgetItem(value.isEmpty() ? QStringLiteral("–") : value);
            item->setToolTip(asToolTip(value));
            item->setTextAlignment(Qt::AlignLeft | Qt::AlignTop);
            m_table->setItem(row + 1, i, item);
        }
        m_table->resizeRowToContents(row + 1);
        m_table->setRowHeight(row + 1, std::min(m_table->rowHeight(row + 1), 20 * kGrid));
    }
}

}  // namespace fw::ui
