#include "ui/tab_titles.h"

#include <QDockWidget>
#include <QGuiApplication>
#include <QMainWindow>
#include <algorithm>

namespace fw::ui {
namespace {
constexpr int kDragMs = 50;
}

TabTitles::TabTitles(QMainWindow* window) : QObject(window), m_window(window) {
    m_soon.setSingleShot(true);
    m_soon.setInterval(0);
    connect(&m_soon, &QTimer::timeout, this, &TabTitles::update);
}

void TabTitles::add(QDockWidget* dock) {
    m_docks.append(dock);
    for (const auto signal : {&QDockWidget::topLevelChanged, &QDockWidget::visibilityChanged}) {
        connect(dock, signal, &m_soon, qOverload<>(&QTimer::start));
    }
    connect(dock, &QDockWidget::dockLocationChanged, &m_soon, qOverload<>(&QTimer::start));
    m_soon.start();
}

void TabTitles::update() {
    if (QGuiApplication::mouseButtons() != Qt::NoButton) {
        m_soon.start(kDragMs);  // a dock that is being dragged is not taken apart
        return;
    }
    for (QDockWidget* dock : m_docks) {
        // A floating window has no other handle than its title.
        const auto others = m_window->tabifiedDockWidgets(dock);
        const bool tabbed = dock->window() == m_window && !dock->isHidden() &&
                            std::any_of(others.begin(), others.end(), [](const QDockWidget* other) {
                                return !other->isFloating() && !other->isHidden();
                            });
        QWidget* none = dock->titleBarWidget();
        if (tabbed && none == nullptr) {
            dock->setTitleBarWidget(new QWidget(dock));
        } else if (!tabbed && none != nullptr) {
            dock->setTitleBarWidget(nullptr);
            delete none;
        }
    }
}

}  // namespace fw::ui
