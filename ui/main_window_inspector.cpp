// The inspector's dock: it follows the clip on the stage and the one chosen in the library.
#include <QDockWidget>
#include <utility>

#include "app/clips/clip_files.h"
#include "app/studio/studio_session.h"
#include "ui/error_presenter.h"
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

// What a clip was asked for, apart from who looked on.
Json settingsWithoutProbes(const std::string& requestJson) {
    Json settings = Json::parse(requestJson, nullptr, false);
    if (settings.is_object()) {
        settings.erase("probes");
    }
    return settings;
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
    connect(m_director, &StageDirector::clipMade, this, &MainWindow::checkRerun);
    connect(&m_session.clips(), &app::ClipFiles::compared, this,
            [this](const QString&, const QString&, const app::ClipComparison& result) { sayComparison(result); });
    connect(
        &m_session.clips(), &app::ClipFiles::compareFailed, this,
        [this](const QString&, const QString&, const Error& error) { m_director->say(asSentence(error.message)); });
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
    m_rerun = Rerun{settingsWithoutProbes(m_inspected->requestJson),
                    m_session.folder() + QLatin1Char('/') + QString::fromStdString(m_inspected->file)};
    m_director->expectJob();
    m_session.queue().add({*request}, 1);
}

void MainWindow::checkRerun(const store::Clip& clip) {
    const bool isProbed = Json::parse(clip.requestJson, nullptr, false).contains("probes");
    if (m_rerun && isProbed && m_rerun->settings == settingsWithoutProbes(clip.requestJson)) {
        const QString first = std::exchange(m_rerun, std::nullopt)->first;
        m_session.clips().compare(first, m_session.folder() + QLatin1Char('/') + QString::fromStdString(clip.file));
    }
}

void MainWindow::sayComparison(const app::ClipComparison& result) {
    if (result.differing == 0) {
        m_director->say(tr("Made again with probes: the clip is the same in every pixel."));
        return;
    }
    // Short enough for the bar, which cuts longer sentences in the middle.
    m_director->say(
        tr("Made again, but not the same: %1 of %2 frames differ. Another device, number type or version?")
            .arg(result.differing)
            .arg(result.frames));
}

}  // namespace fw::ui
