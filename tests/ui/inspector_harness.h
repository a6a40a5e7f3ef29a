// What the tests of the inspector share: synthetic traces, a panel that shows one, and waiting for its frames.
#pragma once

#include <QComboBox>
#include <QDir>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <memory>

#include "synthetic_trace.h"
#include "ui/inspector/imgui_widget.h"
#include "ui/inspector/inspect_window.h"
#include "ui/inspector/inspector_panel.h"
#include "ui/theme.h"

namespace fw::ui::test {

inline constexpr int kLongMs = 20000;  // a loaded machine

class InspectorHarness {
 protected:
    // Writes the traces "run", "other" and "plain"; false where they cannot be written.
    [[nodiscard]] bool begin() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
        m_theme->setChoice(ThemeChoice::Dark);
        return m_folder.isValid() && writeSyntheticTrace({}, path("run")) &&
               writeSyntheticTrace({.maskShift = 2}, path("other")) &&
               writeSyntheticTrace({.probes = false}, path("plain"));
    }
    [[nodiscard]] QString path(const char* name) const {
        return m_folder.filePath(QLatin1String(name) + QStringLiteral(".trace.safetensors"));
    }
    // A visible panel on the trace; the surface has drawn it.
    std::unique_ptr<InspectorPanel> open(const QString& trace) {
        auto panel = std::make_unique<InspectorPanel>();
        panel->resize(1100, 760);
        QSignalSpy opened(panel.get(), &InspectorPanel::opened);
        panel->setTarget({trace, inspectTarget(trace).clip, QStringLiteral("a clip"), true});
        panel->show();
        if (!QTest::qWaitForWindowExposed(panel.get()) || (opened.isEmpty() && !opened.wait(kLongMs))) {
            return nullptr;
        }
        settle(*panel);
        return panel;
    }
    static void settle(InspectorPanel& panel) {
        const int before = panel.surface()->frameCount();
        panel.surface()->redraw();
        QTRY_VERIFY_WITH_TIMEOUT(panel.surface()->frameCount() >= before + 2 || !panel.surface()->isVisible() ||
                                     !panel.surface()->problem().isEmpty(),
                                 kLongMs);
    }
    // Chooses an entry of one of the view's own controls.
    static void choose(InspectorPanel& panel, const QString& control, const QString& entry) {
        for (auto* box : panel.findChildren<QComboBox*>()) {
            if (box->isVisible() && box->accessibleName() == control) {
                QVERIFY2(box->findText(entry) >= 0, qPrintable(entry));
                box->setCurrentIndex(box->findText(entry));
                return;
            }
        }
        QFAIL(qPrintable(control));
    }
    static void keep(InspectorPanel& panel, const QString& name) {
        const QString folder = qEnvironmentVariable("FW_PICTURES");
        if (!folder.isEmpty()) {
            QDir().mkpath(folder);
            panel.grab().save(QDir(folder).filePath(QStringLiteral("inspector-") + name + QStringLiteral(".png")));
        }
    }

    QTemporaryDir m_folder;
    std::unique_ptr<Theme> m_theme;
};

}  // namespace fw::ui::test
