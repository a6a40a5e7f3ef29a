// Docks that share a place have tabs with their names: their title bars, which would only say the same again, go
// meanwhile. Such a dock is moved and floated by dragging its tab, and closed in the View menu.
#pragma once

#include <QList>
#include <QObject>
#include <QTimer>

class QDockWidget;
class QMainWindow;

namespace fw::ui {

class TabTitles : public QObject {
    Q_OBJECT

 public:
    // A child of `window`, whose docks these are.
    explicit TabTitles(QMainWindow* window);

    void add(QDockWidget* dock);

 private:
    void update();

    QMainWindow* m_window;
    QList<QDockWidget*> m_docks;
    QTimer m_soon;  // docks tell of a change before it is complete
};

}  // namespace fw::ui
