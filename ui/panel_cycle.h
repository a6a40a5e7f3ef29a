// F6 and Shift+F6: from panel to panel by keyboard, back to where one was in each.
#pragma once

#include <QHash>
#include <QList>
#include <QObject>
#include <QPointer>
#include <QWidget>

namespace fw::ui {

class PanelCycle : public QObject {
    Q_OBJECT

 public:
    explicit PanelCycle(QObject* parent = nullptr);

    // In the order of the cycle. `dock` is brought to the front first when it is hidden behind others; it may be
    // null.
    void add(QWidget* panel, QWidget* dock);
    void next() { go(1); }
    void previous() { go(-1); }

 private:
    void go(int direction);
    [[nodiscard]] int current() const;
    [[nodiscard]] QWidget* target(QWidget* panel) const;

    struct Entry {
        QWidget* panel;
        QWidget* dock;
    };
    QList<Entry> m_entries;
    QHash<QWidget*, QPointer<QWidget>> m_last;  // what had the focus in each panel
};

}  // namespace fw::ui
