// The grid of clips: tiles with a picture, the prompt and what matters of the settings. A clip plays while the
// pointer rests on it.
#pragma once

#include <QListView>
#include <QStyledItemDelegate>
#include <QTimer>
#include <QUrl>

#include "ui/library_model.h"
#include "ui/thumbnail_cache.h"

namespace fw::ui {

class KeyMap;

class LibraryGrid : public QListView {
    Q_OBJECT

 public:
    enum class Layout : quint8 { Tiles, Rows };

    // Both outlive the grid.
    LibraryGrid(LibraryModel& model, ThumbnailCache& thumbnails, QWidget* parent = nullptr);

    void setLayoutKind(Layout layout);
    [[nodiscard]] Layout layoutKind() const { return m_layout; }
    void setTileWidth(int pixels);  // the least; tiles grow to fill the row
    [[nodiscard]] int tileWidth() const { return m_tileWidth; }
    [[nodiscard]] bool isTrash() const { return m_trash; }
    void setTrash(bool trash) { m_trash = trash; }

    [[nodiscard]] std::vector<std::int64_t> selectedIds() const;
    void selectIds(const std::vector<std::int64_t>& ids);

    // The selected clips as files, without missing ones and those far outside the view, whose records are not at
    // hand.
    [[nodiscard]] QList<QUrl> selectedFiles() const;

    // The frame that plays over the tile of `clipId`; null when it is not the one under the pointer.
    [[nodiscard]] QPixmap playingFrame(std::int64_t clipId) const;

 signals:
    void clipActivated(int row);
    void starsRequested(int stars);
    void trashRequested();    // delete key: to the trash, or out of it for good
    void collectRequested();  // C: for a comparison
    void undoRequested();
    void redoRequested();
    void menuRequested(const QPoint& globalPosition);
    void selectionEdited();

 protected:
    void selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) override;
    [[nodiscard]] QRegion visualRegionForSelection(const QItemSelection& selection) const override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyboardSearch(const QString&) override {}  // letters are for shortcuts; the search line searches
    void contextMenuEvent(QContextMenuEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void startDrag(Qt::DropActions actions) override;

 private:
    void addKeys();
    void arrange();
    void hover(const QModelIndex& index);
    void updateClip(std::int64_t clipId);

    LibraryModel& m_model;
    ThumbnailCache& m_thumbnails;
    KeyMap* m_keys;
    Layout m_layout = Layout::Tiles;
    int m_tileWidth = 168;
    bool m_trash = false;
    QPersistentModelIndex m_hovered;
    std::int64_t m_hoveredId = 0;
    QTimer m_hoverDelay, m_frameTimer;
    QList<QPixmap> m_frames;
    int m_frame = 0;
};

class ClipDelegate : public QStyledItemDelegate {
    Q_OBJECT

 public:
    // `grid` is its parent.
    ClipDelegate(LibraryModel& model, ThumbnailCache& thumbnails, LibraryGrid& grid);

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

 private:
    struct Look;
    void paintTile(QPainter& painter, const Look& look) const;
    void paintRow(QPainter& painter, const Look& look) const;
    void paintPicture(QPainter& painter, const QRect& area, const Look& look) const;

    LibraryModel& m_model;
    ThumbnailCache& m_thumbnails;
    LibraryGrid& m_grid;
};

// Height of a tile's text under its picture, and the picture's share of its width.
[[nodiscard]] QSize tileSize(int width, const QFontMetrics& metrics);

}  // namespace fw::ui
