// Keys that a widget takes in its keyPressEvent, each with what it means: one list for what happens and for the
// sheet of keys. For keys that belong to what has the focus; commands of the whole window are actions.
#pragma once

#include <QKeySequence>
#include <QList>
#include <QObject>
#include <QString>
#include <functional>

class QKeyEvent;
class QWidget;

namespace fw::ui {

struct KeyCommand {
    QList<QKeySequence> keys;      // any of them
    QString meaning;               // for the sheet
    std::function<bool(int)> run;  // with the position in `keys`; false: not now, the key goes on
    bool isRange = false;          // the sheet shows the first and the last key, otherwise only the first
};

class KeyMap : public QObject {
    Q_OBJECT

 public:
    // A child of `widget`, where the sheet looks for it.
    explicit KeyMap(QWidget* widget);

    // Commands are tried in the order they were added.
    void add(KeyCommand command) { m_commands.append(std::move(command)); }
    void add(const QList<QKeySequence>& keys, const QString& meaning, const std::function<void()>& run) {
        add({keys, meaning, [run](int) { return run(), true; }});
    }
    // True when the key meant something. A key without modifiers is also taken with Shift, and from the number
    // pad: layouts differ in where digits, plus, < and > are.
    [[nodiscard]] bool handle(const QKeyEvent& event) const;

    [[nodiscard]] const QList<KeyCommand>& commands() const { return m_commands; }

 private:
    QList<KeyCommand> m_commands;
};

}  // namespace fw::ui
