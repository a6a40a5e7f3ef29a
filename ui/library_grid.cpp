#include "ui/library_grid.h"

#include <QApplication>
#include <QContextMenuEvent>
#include <QDrag>
#include <QKeyEvent>
#include <QMimeData>
#include <QMouseEvent>
#include <QRegion>
#include <QScrollBar>
#include <QUrl>
#include <algorithm>

#include "app/library/clip_paths.h"
#include "ui/key_map.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr int kHoverDelayMs = 120;
constexpr int kRowHeight = 7 * kGrid;
}  // namespace

LibraryGrid::LibraryGrid(LibraryModel& model, ThumbnailCache& thumbnails, QWidget* parent)
    : QListView(parent), m_model(model), m_thumbnails(thumbnails), m_keys(new KeyMap(this)) {
    setObjectName(QStringLiteral("libraryGrid"));
    setAccessibleName(tr("Clips"));
    addKeys();
    setModel(&model);
    setItemDelegate(new ClipDelegate(model, thumbnails, *this));
    // List mode with wrapping lays 100,000 equal items out in a few milliseconds; icon mode keeps a tree of them.
    setViewMode(QListView::ListMode);
    setResizeMode(QListView::Adjust);
    setMovement(QListView::Static);
    setUniformItemSizes(true);
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setDragEnabled(true);
    setDragDropMode(QAbstractItemView::DragOnly);
    setFrameShape(QFrame::NoFrame);
    setMouseTracking(true);
    viewport()->setMouseTracking(true);
    m_hoverDelay.setSingleShot(true);
    m_hoverDelay.setInterval(kHoverDelayMs);
    connect(&m_hoverDelay, &QTimer::timeout, this, [this] {
        if (const store::Clip* clip = m_hovered.isValid() ? m_model.clip(m_hovered.row()) : nullptr) {
            m_thumbnails.readStrip(*clip);
        }
    });
    connect(&m_frameTimer, &QTimer::timeout, this, [this] {
        m_frame = (m_frame + 1) % static_cast<int>(std::max<qsizetype>(1, m_frames.size()));
        updateClip(m_hoveredId);
    });
    connect(&thumbnails, &ThumbnailCache::ready, this, &LibraryGrid::updateClip);
    connect(&thumbnails, &ThumbnailCache::stripReady, this, [this](qint64 id, const app::ClipImages& strip) {
        if (id == m_hoveredId) {
            m_frames.clear();
            for (const QImage& frame : strip.frames) {
                m_frames.append(QPixmap::fromImage(frame));
            }
            m_frame = 0;
            m_frameTimer.start(std::clamp(static_cast<int>(1000.0 / strip.framesPerSecond), 16, 1000));
            updateClip(id);
        }
    });
    connect(this, &QAbstractItemView::activated, this,
            [this](const QModelIndex& index) { emit clipActivated(index.row()); });
    connect(verticalScrollBar(), &QScrollBar::valueChanged, this, [this] { hover({}); });
    arrange();
}

void LibraryGrid::setLayoutKind(Layout layout) {
    m_layout = layout;
    arrange();
}

void LibraryGrid::setTileWidth(int pixels) {
    m_tileWidth = pixels;
    arrange();
}

void LibraryGrid::arrange() {
    // As if the scroll bar were there: nothing moves when it comes.
    const int room = std::max(1, width() - verticalScrollBar()->sizeHint().width());
    if (m_layout == Layout::Rows) {
        setFlow(QListView::TopToBottom);
        setWrapping(false);
        setGridSize(QSize(room, kRowHeight));
        verticalScrollBar()->setSingleStep(kRowHeight);
        m_thumbnails.setSize(QSize(kRowHeight * 2, kRowHeight) * devicePixelRatioF());
        return;
    }
    setFlow(QListView::LeftToRight);
    setWrapping(true);
    const int columns = std::max(1, room / m_tileWidth);
    // One pixel less than a full row: the view wraps a row that fills it exactly.
    const QSize tile = tileSize((room - 1) / columns, fontMetrics());
    setGridSize(tile);
    verticalScrollBar()->setSingleStep(tile.height() / 3);
    // Pictures are made for a tile a step wider, so that dragging the window's edge does not read them all again.
    const int side = (tile.width() / 64 + 1) * 64;
    m_thumbnails.setSize(QSize(side, side * 3 / 4) * devicePixelRatioF());
}

std::vector<std::int64_t> LibraryGrid::selectedIds() const {
    std::vector<std::int64_t> ids;
    for (const QItemSelectionRange& range : selectionModel()->selection()) {
        for (int row = range.top(); row <= range.bottom(); ++row) {
            ids.push_back(m_model.id(row));
        }
    }
    return ids;
}

void LibraryGrid::selectIds(const std::vector<std::int64_t>& ids) {
    QItemSelection selection;
    int first = -1;
    for (const std::int64_t id : ids) {
        if (const int row = m_model.rowOf(id); row >= 0) {
            selection.select(m_model.index(row), m_model.index(row));
            first = first < 0 ? row : std::min(first, row);
        }
    }
    selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
    if (first >= 0) {
        selectionModel()->setCurrentIndex(m_model.index(first), QItemSelectionModel::NoUpdate);
        scrollTo(m_model.index(first));
    }
}

QPixmap LibraryGrid::playingFrame(std::int64_t clipId) const {
    return clipId == m_hoveredId ? m_frames.value(m_frame) : QPixmap();
}

void LibraryGrid::updateClip(std::int64_t clipId) {
    if (m_hovered.isValid() && clipId == m_hoveredId) {
        update(m_hovered);
        return;
    }
    // Only what is on the screen is worth looking for.
    const QModelIndex first = indexAt(QPoint(gridSize().width() / 2, 1));
    for (int row = std::max(0, first.row()); row < m_model.rowCount(); ++row) {
        const QModelIndex index = m_model.index(row);
        if (m_model.id(row) == clipId) {
            update(index);
            return;
        }
        if (visualRect(index).top() > viewport()->height()) {
            return;
        }
    }
}

void LibraryGrid::hover(const QModelIndex& index) {
    if (m_hovered == index && (index.isValid() || m_hoveredId == 0)) {
        return;
    }
    const std::int64_t before = std::exchange(m_hoveredId, index.isValid() ? m_model.id(index.row()) : 0);
    m_hovered = index;
    m_frames.clear();
    m_frameTimer.stop();
    m_thumbnails.cancelStrip();
    updateClip(before);
    if (index.isValid()) {
        m_hoverDelay.start();
    } else {
        m_hoverDelay.stop();
    }
}

void LibraryGrid::selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) {
    QListView::selectionChanged(selected, deselected);
    emit selectionEdited();
}

// What to paint again. The base class asks for the place of each selected row, 100,000 times.
QRegion LibraryGrid::visualRegionForSelection(const QItemSelection& selection) const {
    constexpr int kManyRows = 256;
    int count = 0;
    for (const QItemSelectionRange& range : selection) {
        count += range.height();
    }
    return count > kManyRows ? QRegion(viewport()->rect()) : QListView::visualRegionForSelection(selection);
}

void LibraryGrid::addKeys() {
    m_keys->add({Qt::Key_Return, Qt::Key_Enter}, tr("Play the clip"), [this] {
        if (currentIndex().isValid()) {
            emit clipActivated(currentIndex().row());
        }
    });
    m_keys->add({{Qt::Key_0, Qt::Key_1, Qt::Key_2, Qt::Key_3, Qt::Key_4, Qt::Key_5},
                 tr("Give stars"),
                 [this](int stars) {
                     emit starsRequested(stars);
                     return true;
                 },
                 true});
    m_keys->add({Qt::Key_C}, tr("Add to the comparison"), [this] { emit collectRequested(); });
    // For good where the clips already are in the trash.
    m_keys->add(QKeySequence::keyBindings(QKeySequence::Delete) << Qt::Key_Backspace, tr("Move to the trash"),
                [this] { emit trashRequested(); });
    m_keys->add(QKeySequence::keyBindings(QKeySequence::Undo), tr("Undo"), [this] { emit undoRequested(); });
    m_keys->add(QKeySequence::keyBindings(QKeySequence::Redo), tr("Redo"), [this] { emit redoRequested(); });
}

void LibraryGrid::keyPressEvent(QKeyEvent* event) {
    if (m_keys->handle(*event)) {
        event->accept();
    } else {
        QListView::keyPressEvent(event);
    }
}

void LibraryGrid::contextMenuEvent(QContextMenuEvent* event) {
    QPoint position = event->globalPos();
    if (event->reason() == QContextMenuEvent::Keyboard && currentIndex().isValid()) {
        position = viewport()->mapToGlobal(visualRect(currentIndex()).center());
    }
    emit menuRequested(position);
}

void LibraryGrid::mouseMoveEvent(QMouseEvent* event) {
    hover(event->buttons() == Qt::NoButton ? indexAt(event->pos()) : QModelIndex());
    QListView::mouseMoveEvent(event);
}

void LibraryGrid::leaveEvent(QEvent* event) {
    hover({});
    QListView::leaveEvent(event);
}

void LibraryGrid::resizeEvent(QResizeEvent* event) {
    arrange();
    QListView::resizeEvent(event);
}

void LibraryGrid::changeEvent(QEvent* event) {
    QListView::changeEvent(event);
    if (event->type() == QEvent::FontChange) {
        arrange();
    }
}

QList<QUrl> LibraryGrid::selectedFiles() const {
    QList<QUrl> urls;
    for (const QItemSelectionRange& range : selectionModel()->selection()) {
        for (int row = range.top(); row <= std::min(range.bottom(), range.top() + LibraryModel::kMostRecords);
             ++row) {
            const store::Clip* clip = m_model.clip(row);
            if (clip != nullptr && !clip->missing) {
                if (const QString file = app::fileInLibrary(m_model.folder(), clip->file); !file.isEmpty()) {
                    urls.append(QUrl::fromLocalFile(file));
                }
            }
        }
    }
    return urls;
}

void LibraryGrid::startDrag(Qt::DropActions) {
    const QList<QUrl> urls = selectedFiles();
    if (urls.isEmpty()) {
        return;
    }
    auto* files = new QMimeData;
    files->setUrls(urls);
    auto* drag = new QDrag(this);
    drag->setMimeData(files);
    const store::Clip* clip = m_model.clip(currentIndex().row());
    if (const QPixmap picture = clip != nullptr ? m_thumbnails.picture(*clip) : QPixmap(); !picture.isNull()) {
        drag->setPixmap(picture.scaled(96, 96, Qt::KeepAspectRatio, Qt::SmoothTransformation));
    }
    drag->exec(Qt::CopyAction);  // the library keeps its file
}

}  // namespace fw::ui
