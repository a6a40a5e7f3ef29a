// The inspector's dock: it follows the clip on the stage and the one chosen in the library.
#include <QDockWidget>
#include <utility>

#include "app/studio/studio_session.h"
#include "ui/inspector/inspector_panel.h"
#include "ui/library_panel.h"
#include "ui/main_window.h"
#include "ui/stage_director.h"

namespace fw::ui {
namespace {

QString shortened(const std::string& prompt) {
    constexpr int kMost = 60;
    const QString text = QString::fromStdString(prompt).simplified();
    return text.size() > kMost ? text.left(kMost - 1).trimmed() + QChar(0x2026) : text;
}

}  // namespace

void MainWindow::connectInspector() {
    connect(m_director, &StageDirector::shownChanged, this, [this] {
        if (m_director->clip()) {
            inspect(*m_director->clip());
        }
    });
    connect(m_library, &LibraryPanel::clipSelected, this, &MainWindow::inspect);
    connect(m_inspector, &InspectorPanel::notice, this,
            [this](const QString& sentence) { m_director->say(sentence); });
    connect(m_inspector, &InspectorPanel::rerunRequested, this, &MainWindow::rerunWithProbes);
}

void MainWindow::inspect(const store::Clip& clip) {
    const auto path = [this](const std::string& file) {
        return file.empty() ? QString() : m_session.folder() + QLatin1Char('/') + QString::fromStdString(file);
    };
    m_inspected = clip;
    m_inspector->setTarget({.trace = path(clip.traceFile),
                            .clip = path(clip.file),
                            .name = shortened(clip.prompt),
                            .canRerun = !clip.requestJson.empty()});
}

void MainWindow::rerunWithProbes() {
    if (!m_inspected) {
        return;
    }
    auto request = job::requestFromJson(Json::parse(m_inspected->requestJson, nullptr, false));
    if (!request) {
        m_director->say(tr("The settings of this clip cannot be read."));
        return;
    }
    // Everything the views show; and of the patch that was chosen, exactly where it attends.
    Json kinds = {"map", "stats", "mask", "kept", "gate", "change", "words"};
    request->probes = Json::object();
    const int token = m_inspector->selection().token;
    if (m_inspector->run() != nullptr && token >= 0) {
        kinds.push_back("row");
        (*request->probes)["queries"] = {token};
    }
    (*request->probes)["kinds"] = std::move(kinds);
    m_director->expectJob();
    m_session.queue().add({*request}, 1);
}

}  // namespace fw::ui
