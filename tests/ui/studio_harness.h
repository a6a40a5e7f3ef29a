// A window on a library of its own, with the scripted worker (studio_worker.cpp) or the real one behind it.
#pragma once

#include <QAction>
#include <QString>
#include <QTemporaryDir>
#include <memory>
#include <optional>
#include <vector>

#include "app/studio/studio_session.h"
#include "core/store/records.h"
#include "ui/main_window.h"

namespace fw::ui {
class Theme;
}

namespace fw::ui::test {

class StudioHarness {
 public:
    // `worker`: the program. The theme is the application's and outlives the harness.
    StudioHarness(Theme& theme, QString worker);
    ~StudioHarness();

    // Opens the library, the window and the queue; with `model` instead of the embedded one.
    void open(const QString& model = QString());
    void close();
    // What a studio that is killed now leaves behind becomes this harness's library; the window is closed.
    void dieAndKeepLibrary();

    [[nodiscard]] MainWindow& window() const { return *m_window; }
    [[nodiscard]] app::StudioSession& session() const { return *m_session; }
    [[nodiscard]] QString folder() const { return m_folder->path() + QStringLiteral("/library"); }
    [[nodiscard]] QString path(const QString& name) const { return m_folder->filePath(name); }

    // A visible widget of the window by its accessible name or its text; nothing when there is none.
    template <class Widget>
    [[nodiscard]] Widget* find(const QString& name) const {
        for (auto* widget : m_window->template findChildren<Widget*>()) {
            if (widget->isVisible() && widget->accessibleName() == name) {
                return widget;
            }
        }
        return nullptr;
    }
    // The command of the menus with this text.
    [[nodiscard]] QAction* command(const QString& text) const;
    // Types `prompt` into the form and presses Ctrl+Enter, when Run allows it.
    void run(const QString& prompt) const;

    [[nodiscard]] std::vector<store::Job> jobs() const;
    [[nodiscard]] std::vector<store::Clip> clips(const std::string& query = std::string()) const;
    [[nodiscard]] int count(store::JobState state) const;

 private:
    Theme& m_theme;
    QString m_worker;
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<app::StudioSession> m_session;
    std::unique_ptr<MainWindow> m_window;
};

}  // namespace fw::ui::test
