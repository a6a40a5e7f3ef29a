#include "ui/panel_cycle.h"

#include <QApplication>

namespace fw::ui {
namespace {

bool takesTab(const QWidget& widget, const QWidget& panel) {
    return widget.isEnabled() && widget.isVisibleTo(&panel) && (widget.focusPolicy() & Qt::TabFocus) != 0;
}

}  // namespace

PanelCycle::PanelCycle(QObject* parent) : QObject(parent) {
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
        for (const Entry& entry : m_entries) {
            if (now != nullptr && entry.panel->isAncestorOf(now)) {
                m_last.insert(entry.panel, now);
            }
        }
    });
}

void PanelCycle::add(QWidget* panel, QWidget* dock) {
    m_entries.append(Entry{panel, dock});
}

int PanelCycle::current() const {
    const QWidget* focused = QApplication::focusWidget();
    for (int i = 0; i < m_entries.size(); ++i) {
        if (focused != nullptr && (m_entries[i].panel == focused || m_entries[i].panel->isAncestorOf(focused))) {
            return i;
        }
    }
    return -1;
}

QWidget* PanelCycle::target(QWidget* panel) const {
    QWidget* last = m_last.value(panel);
    if (last != nullptr && takesTab(*last, *panel)) {
        return last;
    }
    if (takesTab(*panel, *panel)) {
        return panel;
    }
    // In the order of Tab, which is not that of the children.
    for (QWidget* widget = panel->nextInFocusChain(); widget != panel; widget = widget->nextInFocusChain()) {
        if (panel->isAncestorOf(widget) && takesTab(*widget, *panel)) {
            return widget;
        }
    }
    return nullptr;
}

void PanelCycle::go(int direction) {
    const auto count = static_cast<int>(m_entries.size());
    int at = current();
    for (int tried = 0; tried < count; ++tried) {
        at = at < 0 ? (direction > 0 ? 0 : count - 1) : (at + direction + count) % count;
        const Entry& entry = m_entries[at];
        // A dock behind a tab is not visible but can be raised; a closed one stays closed.
        if (entry.dock != nullptr && entry.dock->isHidden()) {
            continue;
        }
        if (entry.dock != nullptr) {
            entry.dock->raise();
        }
        if (QWidget* widget = target(entry.panel)) {
            widget->setFocus(Qt::TabFocusReason);
            return;
        }
    }
}

}  // namespace fw::ui
