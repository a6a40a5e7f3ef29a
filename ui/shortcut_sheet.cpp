#include "ui/shortcut_sheet.h"

#include <QAction>
#include <QDialogButtonBox>
#include <QDockWidget>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QScrollArea>
#include <QSet>
#include <QShortcut>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/key_map.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kMostRows = 25;  // of one column

QString plain(QString text) {
    return text.remove(QLatin1Char('&')).remove(QChar(0x2026));
}

QString keysOf(const QList<QKeySequence>& keys) {
    // The second binding of a command is often the same key on the number pad.
    return keys.isEmpty() ? QString() : keys.first().toString(QKeySequence::NativeText);
}

QString shownKeys(const KeyCommand& command) {
    const QString first = keysOf(command.keys);
    return command.isRange
               ? QStringLiteral("%1 – %2").arg(first, command.keys.last().toString(QKeySequence::NativeText))
               : first;
}

void collect(const QList<QAction*>& actions, ShortcutGroup& group, QSet<const QAction*>& seen) {
    for (const QAction* action : actions) {
        if (seen.contains(action)) {
            continue;
        }
        seen.insert(action);
        if (action->menu() != nullptr) {
            collect(action->menu()->actions(), group, seen);
        } else if (!action->shortcuts().isEmpty()) {
            group.rows.append({keysOf(action->shortcuts()), plain(action->text())});
        }
    }
}

// The panel a widget belongs to, for the heading: its dock, else its nearest ancestor with a name.
QString panelName(const QWidget& widget) {
    QString name;
    for (const QWidget* at = &widget; at != nullptr && !at->isWindow(); at = at->parentWidget()) {
        if (const auto* dock = qobject_cast<const QDockWidget*>(at)) {
            return ShortcutSheet::tr("%1 panel").arg(dock->windowTitle());
        }
        name = name.isEmpty() ? at->accessibleName() : name;
    }
    return name;
}

ShortcutGroup& groupOf(QList<ShortcutGroup>& groups, const QString& title) {
    for (ShortcutGroup& group : groups) {
        if (group.title == title) {
            return group;
        }
    }
    groups.append({title, {}});
    return groups.last();
}

// What another list already says is not said again.
void addNew(QList<ShortcutGroup>& groups, const QWidget& widget, const QList<ShortcutGroup::Row>& rows) {
    for (const ShortcutGroup::Row& row : rows) {
        const bool known = std::any_of(groups.begin(), groups.end(), [&](const ShortcutGroup& group) {
            return std::any_of(group.rows.begin(), group.rows.end(), [&](const ShortcutGroup::Row& other) {
                return other.keys == row.keys && other.meaning == row.meaning;
            });
        });
        if (!known) {
            groupOf(groups, panelName(widget)).rows.append(row);
        }
    }
}

}  // namespace

QList<ShortcutGroup> shortcutsOf(const QMainWindow& window) {
    QList<ShortcutGroup> groups;
    QSet<const QAction*> seen;
    for (const QAction* action : window.findChild<QMenuBar*>()->actions()) {
        ShortcutGroup group{plain(action->text()), {}};
        if (action->menu() != nullptr) {
            collect(action->menu()->actions(), group, seen);
        }
        if (!group.rows.isEmpty()) {
            groups.append(group);
        }
    }
    for (const QWidget* widget : window.findChildren<QWidget*>()) {
        ShortcutGroup found;
        collect(widget->actions(), found, seen);
        addNew(groups, *widget, found.rows);
    }
    // Keys without an action say what they do in whatsThis().
    for (const QShortcut* shortcut : window.findChildren<QShortcut*>()) {
        addNew(groups, *qobject_cast<const QWidget*>(shortcut->parent()),
               {{shortcut->key().toString(QKeySequence::NativeText), shortcut->whatsThis()}});
    }
    for (const KeyMap* keys : window.findChildren<KeyMap*>()) {
        for (const KeyCommand& command : keys->commands()) {
            addNew(groups, *qobject_cast<const QWidget*>(keys->parent()), {{shownKeys(command), command.meaning}});
        }
    }
    return groups;
}

ShortcutSheet::ShortcutSheet(const QMainWindow& window, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keyboard shortcuts"));
    auto* columns = new QHBoxLayout;
    columns->setSpacing(5 * kGrid);
    QGridLayout* grid = nullptr;
    int row = 0;
    for (const ShortcutGroup& group : shortcutsOf(window)) {
        if (grid == nullptr || row + group.rows.size() > kMostRows) {
            grid = new QGridLayout;
            grid->setHorizontalSpacing(3 * kGrid);
            grid->setVerticalSpacing(kGrid * 3 / 4);
            auto* column = new QVBoxLayout;
            column->addLayout(grid);
            column->addStretch(1);
            columns->addLayout(column);
            row = 0;
        } else {
            grid->setRowMinimumHeight(row++, kGrid);
        }
        grid->addWidget(makeLabel(group.title, TextRole::Heading), row++, 0, 1, 2);
        for (const auto& [keys, meaning] : group.rows) {
            grid->addWidget(makeLabel(keys, TextRole::Secondary), row, 0);
            grid->addWidget(makeLabel(meaning, TextRole::Body), row++, 1);
        }
    }
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(3 * kGrid, 3 * kGrid, 3 * kGrid, 2 * kGrid);
    layout->setSpacing(3 * kGrid);
    layout->addLayout(columns);
    layout->addWidget(buttons);
}

}  // namespace fw::ui
