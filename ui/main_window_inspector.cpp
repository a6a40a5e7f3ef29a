// The inspector's dock: it follows the clip on the stage and the one chosen in the library.
#include <QDockWidget>
#include <QFileInfo>
#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "app/clips/clip_files.h"
#include "app/library/clip_filing.h"
#include "app/studio/studio_session.h"
#include "core/job/what_if.h"
#include "ui/error_presenter.h"
#include "ui/frame_player.h"
#include "ui/inspector/inspector_panel.h"
#include "ui/library_panel.h"
#include "ui/main_window.h"
#include "ui/stage_canvas.h"
#include "ui/stage_director.h"
#include "ui/stage_widget.h"

namespace fw::ui {
namespace {

QString shortened(const std::string& prompt) {
    constexpr int kMost = 60;
    const QString text = QString::fromStdString(prompt).simplified();
    return text.size() > kMost ? text.left(kMost - 1).trimmed() + QChar(0x2026) : text;
}

// What the views show; errors of step caches cost the computing of what they saved.
Json everySight() {
    return Json::array({"map", "stats", "mask", "kept", "gate", "change", "words", "scan"});
}

// A few of the steps that are still to come, spread evenly; one at least.
std::vector<int> stepsLeft(const app::JobProgress& progress) {
    constexpr int kMost = 8;
    const int first = progress.step + 1, last = std::max(progress.steps - 1, 0);
    std::vector<int> steps;
    const int count = std::clamp(last - first + 1, 1, kMost);
    for (int i = 0; i < count; ++i) {
        steps.push_back(count == 1 ? last : first + (last - first) * i / (count - 1));
    }
    return steps;
}

// Those that the first run looked at, so that both can be laid beside one another, and those that change.
std::vector<int> stepsBeside(const std::vector<std::int32_t>& seen, const Json& changes) {
    std::set<int> steps(seen.begin(), seen.end());
    if (const auto whatIf = job::whatIfFromJson(changes)) {
        for (const job::Change& change : whatIf->changes) {
            steps.insert(change.fromStep);
        }
        steps.insert(whatIf->compute.begin(), whatIf->compute.end());
    }
    return {steps.begin(), steps.end()};
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
    const auto learn = [this] { m_inspector->setMethods(m_session.engine().methods()); };
    connect(&m_session.engine(), &app::EngineLink::capabilitiesChanged, this, learn);
    learn();
    connect(m_director, &StageDirector::shownChanged, this, [this] {
        if (m_director->clip()) {
            inspect(*m_director->clip());
        }
    });
    connect(m_stage->canvas(), &StageCanvas::pictureClicked, this, &MainWindow::choosePatch);
    connect(&m_director->running(), &app::RunningJob::began, this, [this] {
        if (!m_director->isAway()) {
            watch();
        }
    });
    connect(m_inspector, &InspectorPanel::lookRequested, this, [this](bool withProbes) {
        const auto& progress = m_director->running().progress();
        Json probes;
        if (withProbes) {
            probes["kinds"] = everySight();
            if (progress && progress->phase == app::JobPhase::Denoise) {
                probes["steps"] = stepsLeft(*progress);
            }
        }
        m_session.queue().lookInside(probes);
    });
    connect(&m_session.queue(), &app::JobQueue::traceReady, this, [this](qint64 job, int, const QString& file) {
        if (m_inspector->isWatching() && m_director->running().id() == job) {
            m_inspector->updateTrace(file);
        }
    });
    connect(m_director, &StageDirector::jobEnded, this, &MainWindow::offerTrace);
    connect(m_inspector, &InspectorPanel::branchRequested, this, &MainWindow::branch);
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

// The clip that is being made: its trace comes step by step while the panel is open.
void MainWindow::watch() {
    m_inspected.reset();
    m_inspector->setTarget({.trace = {},
                            .clip = {},
                            .name = shortened(m_director->running().request().prompt),
                            .canRerun = false,
                            .isRunning = true,
                            .pictures = {}});
}

// A patch of the clip that plays: the one the inspector looks into.
void MainWindow::choosePatch(const QPointF& at) {
    const RunModel* run = m_inspector->run();
    const bool isSame = m_inspected && m_director->clip() && m_director->clip()->id == m_inspected->id;
    if (!m_inspector->isVisible() || run == nullptr || run->tokens() == 0 || !isSame) {
        return;
    }
    const auto& [frames, rows, columns] = run->grid();
    const auto part = [](double where, int count) {
        return std::clamp(static_cast<int>(where * count), 0, count - 1);
    };
    // As the views lay the clip's pictures under the tokens: clipFrame().
    const FramePlayer& player = *m_stage->player();
    const double time = static_cast<double>(player.index()) / std::max(1, player.count() - 1);
    Selection selection = m_inspector->selection();
    selection.token = (static_cast<int>(std::lround(time * (frames - 1))) * rows + part(at.y(), rows)) * columns +
                      part(at.x(), columns);
    m_inspector->select(selection);
}

// Of a job that failed: what was seen until then, over the last picture there was.
void MainWindow::offerTrace(const store::Job& job) {
    const QString trace = QString::fromStdString(app::traceOf(m_session.folder().toStdString(), job.id).string());
    if (job.state != store::JobState::Failed || !QFileInfo::exists(trace)) {
        return;
    }
    const auto& preview = m_director->running().preview();
    const auto request = job::requestFromJson(Json::parse(job.requestJson, nullptr, false));
    const InspectTarget target{.trace = trace,
                               .clip = {},
                               .name = request ? shortened(request->prompt) : QString(),
                               .canRerun = false,
                               .isRunning = false,
                               .pictures = preview ? preview->images : app::ClipImages()};
    m_inspected.reset();
    m_inspector->setTarget(target);
    m_director->say(tr("What was seen inside until then is kept."), tr("Look inside"), [this, target] {
        m_inspector->setTarget(target);
        m_inspectorDock->show();
        m_inspectorDock->raise();
    });
}

// The clip again, with changes made by hand.
void MainWindow::branch(const Json& whatIf) {
    if (!m_inspected) {
        return;
    }
    auto request = job::requestFromJson(Json::parse(m_inspected->requestJson, nullptr, false));
    if (!request) {
        m_director->say(tr("The settings of this clip cannot be read."));
        return;
    }
    request->probes = Json{{"kinds", everySight()}};
    if (const RunModel* run = m_inspector->run(); run != nullptr && run->hasProbes()) {
        (*request->probes)["steps"] = stepsBeside(run->probes().steps, whatIf);
    }
    request->whatIf = whatIf;
    m_branch = Branch{whatIf, m_inspector->run()->file()};
    m_director->expectJob();
    m_session.queue().add({*request}, m_library->openProject());
}

void MainWindow::inspect(const store::Clip& clip) {
    const auto path = [this](const std::string& file) {
        return file.empty() ? QString() : m_session.folder() + QLatin1Char('/') + QString::fromStdString(file);
    };
    m_inspected = clip;
    m_inspector->setTarget({.trace = path(clip.traceFile),
                            .clip = path(clip.file),
                            .name = shortened(clip.prompt),
                            .canRerun = !clip.requestJson.empty(),
                            .isRunning = false,
                            .pictures = {}});
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
    Json kinds = everySight();
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
    m_session.queue().add({*request}, m_library->openProject());
}

void MainWindow::checkRerun(const store::Clip& clip) {
    const Json made = Json::parse(clip.requestJson, nullptr, false);
    if (m_branch && made.is_object() && made.contains("what_if") && made["what_if"] == m_branch->whatIf) {
        const QString first = std::exchange(m_branch, std::nullopt)->first;
        inspect(clip);
        m_inspector->setOther(first, true);
        m_director->say(tr("Made again with your changes: the inspector shows both side by side."));
    }
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
