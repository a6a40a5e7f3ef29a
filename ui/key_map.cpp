#include "ui/key_map.h"

#include <QKeyEvent>
#include <QWidget>

namespace fw::ui {
namespace {

bool matches(const QKeySequence& sequence, const QKeyEvent& event) {
    if (sequence.count() != 1 || sequence[0].key() != event.key()) {
        return false;
    }
    const auto wanted = sequence[0].keyboardModifiers();
    const auto held = event.modifiers() & ~Qt::KeypadModifier;
    return held == wanted || (wanted == Qt::NoModifier && held == Qt::ShiftModifier);
}

}  // namespace

KeyMap::KeyMap(QWidget* widget) : QObject(widget) {}

bool KeyMap::handle(const QKeyEvent& event) const {
    for (const KeyCommand& command : m_commands) {
        for (qsizetype i = 0; i < command.keys.size(); ++i) {
            if (matches(command.keys[i], event) && command.run(static_cast<int>(i))) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace fw::ui
