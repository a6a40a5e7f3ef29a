// The list of the queue. Waiting jobs are dragged to another place with the mouse; a line shows where they go.
#pragma once

#include <QBasicTimer>
#include <QListView>
#include <cstdint>
#include <vector>

namespace fw::ui {

class KeyMap;
class QueueDelegate;
class QueueModel;

class QueueView : public QListView {
    Q_OBJECT

 public:
    // `model` outlives the view.
    explicit QueueView(QueueModel& model, QWidget* parent = nullptr);

    // The selected jobs in the order of the list.
    [[nodiscard]] std::vector<std::int64_t> selectedIds() const;
    void selectIds(const std::vector<std::int64_t>& ids);

 signals:
    // `beforeId` 0: to the end of those that wait.
    void moveRequested(const std::vector<std::int64_t>& ids, std::int64_t beforeId);
    void menuRequested(const QPoint& globalPosition);
    void foldRequested();

 protected:
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void timerEvent(QTimerEvent* event) override;

 private:
    void hover(const QPoint& position);
    void dragTo(const QPoint& position);
    void endDrag(bool drop);
    [[nodiscard]] std::vector<std::int64_t> selectedWaiting() const;

    QueueModel& m_model;
    KeyMap* m_keys;
    QueueDelegate* m_delegate;
    QPoint m_pressed;
    bool m_mayDrag = false;   // the button went down on a waiting job
    bool m_dragging = false;  // … and the mouse has moved
    int m_dropRow = -1;       // dragged jobs go in front of this row
    QPoint m_dragPosition;
    QBasicTimer m_scrolling;
};

}  // namespace fw::ui
