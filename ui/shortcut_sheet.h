// Every key of the window on one page, read from its actions: a key that is missing here does not exist.
#pragma once

#include <QDialog>
#include <QList>
#include <QString>

class QMainWindow;

namespace fw::ui {

struct ShortcutGroup {
    QString title;
    struct Row {
        QString keys, meaning;
    };
    QList<Row> rows;
};

// The menus of `window` in their order, then the actions, shortcuts and key maps of its panels by the panels'
// names.
[[nodiscard]] QList<ShortcutGroup> shortcutsOf(const QMainWindow& window);

class ShortcutSheet : public QDialog {
    Q_OBJECT

 public:
    explicit ShortcutSheet(const QMainWindow& window, QWidget* parent = nullptr);
};

}  // namespace fw::ui
