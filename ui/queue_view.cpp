#include "ui/queue_view.h"

#include <QApplication>
#include <QContextMenuEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <utility>

#include "ui/key_map.h"
#include "ui/queue_delegate.h"
#include "ui/queue_model.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr int kScrollZone = 3 * kGrid;  // from the edges of the list, where dragging scrolls it
constexpr int kScrollMs = 16;
}  // namespace

QueueView::QueueView(QueueModel& model, QWidget* parent)
    : QListView(parent), m_model(model), m_keys(new KeyMap(this)) {
    setModel(&model);
    m_delegate = new QueueDelegate(model, this);
    setItemDelegate(m_delegate);
    setSelectionMode(ExtendedSelection);
    setVerticalScrollMode(ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    verticalScrollBar()->setSingleStep(3 * kGrid);
    setFrameShape(NoFrame);
    setMouseTracking(true);
    setObjectName(QStringLiteral("queueList"));
    setAccessibleName(tr("Queue"));
    setAccessibleDescription(
        tr("Enter edits or shows a job, Alt with the up and down keys moves it, Delete removes it."));
    setTabKeyNavigation(false);
    m_keys->add({{Qt::Key_Space, Qt::Key_Return, Qt::Key_Enter}, tr("Fold or unfold what is done"), [this](int) {
                     const QModelIndex index = currentIndex();
                     const bool folds = index.isValid() && m_model.row(index.row()).isHeading();
                     if (folds) {
                         emit foldRequested();
                     }
                     return folds;
                 }});
}

std::vector<std::int64_t> QueueView::selectedIds() const {
    QModelIndexList indexes = selectionModel()->selectedIndexes();
    std::sort(indexes.begin(), indexes.end());
    std::vector<std::int64_t> ids;
    for (const auto& index : std::as_const(indexes)) {
        ids.push_back(m_model.row(index.row()).id);
    }
    return ids;
}

std::vector<std::int64_t> QueueView::selectedWaiting() const {
    std::vector<std::int64_t> ids = selectedIds();
    ids.erase(std::remove_if(ids.begin(), ids.end(),
                             [&](std::int64_t id) { return !m_model.row(m_model.rowOf(id)).isWaiting(); }),
              ids.end());
    return ids;
}

void QueueView::selectIds(const std::vector<std::int64_t>& ids) {
    QItemSelection selection;
    QModelIndex first;
    for (const std::int64_t id : ids) {
        const int row = m_model.rowOf(id);
        if (row >= 0) {
            selection.select(m_model.index(row), m_model.index(row));
            first = first.isValid() ? first : m_model.index(row);
        }
    }
    selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
    if (first.isValid()) {
        selectionModel()->setCurrentIndex(first, QItemSelectionModel::NoUpdate);
        scrollTo(first);
    }
}

void QueueView::hover(const QPoint& position) {
    const QModelIndex index = indexAt(position);
    m_delegate->setHovered(index.isValid() ? index.row() : -1);
    viewport()->setCursor(index.isValid() && m_model.row(index.row()).isHeading() &&
                                  m_model.row(index.row()).section == QueueSection::Finished
                              ? Qt::PointingHandCursor
                              : Qt::ArrowCursor);
    viewport()->update();
}

void QueueView::mousePressEvent(QMouseEvent* event) {
    const QPoint position = event->position().toPoint();
    const QModelIndex index = indexAt(position);
    m_mayDrag = false;
    if (event->button() == Qt::LeftButton && index.isValid()) {
        if (m_model.row(index.row()).isHeading()) {
            if (m_model.row(index.row()).section == QueueSection::Finished) {
                emit foldRequested();
            }
            return;
        }
        if (QueueDelegate::menuButton(visualRect(index)).contains(position)) {
            if (!selectionModel()->isSelected(index)) {
                selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect);
            }
            emit menuRequested(viewport()->mapToGlobal(position));
            return;
        }
        // A press on a selected job may be the start of dragging all of them: the click decides on release.
        m_mayDrag = m_model.row(index.row()).isWaiting();
        m_pressed = position;
        if (m_mayDrag && selectionModel()->isSelected(index) && event->modifiers() == Qt::NoModifier) {
            selectionModel()->setCurrentIndex(index, QItemSelectionModel::NoUpdate);
            return;
        }
    }
    QListView::mousePressEvent(event);
}

void QueueView::mouseMoveEvent(QMouseEvent* event) {
    const QPoint position = event->position().toPoint();
    if (m_mayDrag && event->buttons().testFlag(Qt::LeftButton)) {
        if (m_dragging || (position - m_pressed).manhattanLength() >= QApplication::startDragDistance()) {
            m_dragging = true;
            viewport()->setCursor(Qt::ClosedHandCursor);
            dragTo(position);
        }
        return;  // no rubber band
    }
    QListView::mouseMoveEvent(event);
    hover(position);
}

void QueueView::mouseReleaseEvent(QMouseEvent* event) {
    if (m_dragging) {
        endDrag(true);
        return;
    }
    if (std::exchange(m_mayDrag, false) && event->modifiers() == Qt::NoModifier) {
        const QModelIndex index = indexAt(m_pressed);
        if (index.isValid() && selectionModel()->isSelected(index)) {
            selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect);
        }
    }
    QListView::mouseReleaseEvent(event);
}

void QueueView::mouseDoubleClickEvent(QMouseEvent* event) {
    const QModelIndex index = indexAt(event->position().toPoint());
    m_mayDrag = false;
    if (event->button() == Qt::LeftButton && index.isValid() && !m_model.row(index.row()).isHeading()) {
        emit activated(index);
    }
}

void QueueView::leaveEvent(QEvent* event) {
    m_delegate->setHovered(-1);
    viewport()->update();
    QListView::leaveEvent(event);
}

void QueueView::dragTo(const QPoint& position) {
    m_dragPosition = position;
    const bool nearEdge = position.y() < kScrollZone || position.y() > viewport()->height() - kScrollZone;
    if (nearEdge != m_scrolling.isActive()) {
        nearEdge ? m_scrolling.start(kScrollMs, this) : m_scrolling.stop();
    }
    // The gap between two waiting jobs that is nearest to the mouse.
    int first = -1, end = -1;
    for (int row = 0; row < m_model.rowCount(); ++row) {
        if (m_model.row(row).isWaiting()) {
            first = first < 0 ? row : first;
            end = row + 1;
        }
    }
    const QModelIndex under = indexAt({viewport()->width() / 2, std::clamp(position.y(), 0, viewport()->height())});
    int row = under.isValid() ? under.row() : end;
    if (under.isValid() && position.y() > visualRect(under).center().y()) {
        ++row;
    }
    m_dropRow = first < 0 ? -1 : std::clamp(row, first, end);
    viewport()->update();
}

void QueueView::endDrag(bool drop) {
    m_scrolling.stop();
    m_mayDrag = false;
    m_dragging = false;
    viewport()->setCursor(Qt::ArrowCursor);
    const auto ids = selectedWaiting();
    int row = std::exchange(m_dropRow, -1);
    viewport()->update();
    if (!drop || row < 0 || ids.empty()) {
        return;
    }
    // In front of the first job there that stays.
    const auto stays = [&](int at) { return std::find(ids.begin(), ids.end(), m_model.row(at).id) == ids.end(); };
    while (row < m_model.rowCount() && m_model.row(row).isWaiting() && !stays(row)) {
        ++row;
    }
    const bool last = row >= m_model.rowCount() || !m_model.row(row).isWaiting();
    emit moveRequested(ids, last ? 0 : m_model.row(row).id);
}

void QueueView::timerEvent(QTimerEvent* event) {
    if (event->timerId() != m_scrolling.timerId()) {
        QListView::timerEvent(event);
        return;
    }
    const int y = m_dragPosition.y();
    const int below = y - (viewport()->height() - kScrollZone);
    const int above = kScrollZone - y;
    verticalScrollBar()->setValue(verticalScrollBar()->value() + (below > 0 ? below : -above) / 2);
    dragTo(m_dragPosition);
}

void QueueView::contextMenuEvent(QContextMenuEvent* event) {
    QPoint position = event->globalPos();
    if (event->reason() == QContextMenuEvent::Keyboard && currentIndex().isValid()) {
        position = viewport()->mapToGlobal(visualRect(currentIndex()).center());
    }
    emit menuRequested(position);
}

void QueueView::keyPressEvent(QKeyEvent* event) {
    if (m_dragging && event->key() == Qt::Key_Escape) {
        endDrag(false);
        return;
    }
    if (!m_keys->handle(*event)) {
        QListView::keyPressEvent(event);
    }
}

void QueueView::paintEvent(QPaintEvent* event) {
    QListView::paintEvent(event);
    if (m_dropRow < 0) {
        return;
    }
    const bool atEnd = m_dropRow >= m_model.rowCount();
    const QRect near = visualRect(m_model.index(atEnd ? m_dropRow - 1 : m_dropRow));
    const int y = std::clamp(atEnd ? near.bottom() : near.top(), 1, viewport()->height() - 2);
    QPainter painter(viewport());
    painter.fillRect(QRect(kGrid, y - 1, viewport()->width() - 2 * kGrid, 2), coloursOf(*this).accent);
}

}  // namespace fw::ui
