#include "studio_harness.h"

#include <QApplication>
#include <QDir>
#include <QMenu>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QTest>
#include <filesystem>
#include <utility>

#include "ui/prompt_panel.h"
#include "ui/theme.h"

namespace fw::ui::test {
namespace {

constexpr int kStartMs = 30'000;

// Asks the library and waits for the answer.
template <class Work>
auto ask(app::LibraryService& library, Work work) {
    using Answer = decltype(work(std::declval<store::LibraryStore&>()));
    QObject context;
    std::optional<Answer> answer;
    library.write(&context, work, [&](Answer result) { answer = std::move(result); });
    while (!answer) {
        QTest::qWait(1);
    }
    return std::move(**answer);
}

}  // namespace

StudioHarness::StudioHarness(Theme& theme, QString worker)
    : m_theme(theme), m_worker(std::move(worker)), m_folder(std::make_unique<QTemporaryDir>()) {
    qputenv("FW_SAMPLE_CLIP", FW_SOURCE_DIR "/tests/ui/data/heart.mp4");
    qputenv("XDG_RUNTIME_DIR", QFile::encodeName(m_folder->path()));
}

StudioHarness::~StudioHarness() {
    close();
}

void StudioHarness::open(const QString& model) {
    app::WorkerClientOptions worker;
    worker.program = m_worker;
    auto session = app::StudioSession::open(folder().toStdString(), worker);
    QVERIFY2(session, session ? "" : session.error().message.c_str());
    m_session = std::move(*session);
    m_window = std::make_unique<MainWindow>(*m_session, m_theme, StudioOptions{model, path("settings.ini")});
    m_window->show();
    m_session->start();
    QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    // There is no window manager to give the focus.
    m_window->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    QTRY_COMPARE_WITH_TIMEOUT(m_session->worker().state(), app::WorkerClient::State::Ready, kStartMs);
}

void StudioHarness::close() {
    m_window.reset();
    m_session.reset();
}

void StudioHarness::dieAndKeepLibrary() {
    namespace fs = std::filesystem;
    const fs::path living = folder().toStdString();
    const fs::path left = path("left").toStdString();
    fs::copy(living, left, fs::copy_options::recursive);
    close();
    fs::remove_all(living);
    fs::rename(left, living);
}

QAction* StudioHarness::command(const QString& text) const {
    for (const auto* menu : m_window->menuBar()->actions()) {
        for (auto* action : menu->menu()->actions()) {
            if (QString(action->text()).remove(QLatin1Char('&')) == text) {
                return action;
            }
        }
    }
    return nullptr;
}

void StudioHarness::run(const QString& prompt) const {
    auto* box = find<QPlainTextEdit>(PromptPanel::tr("Prompt"));
    QVERIFY(box);
    box->setFocus();
    box->selectAll();
    QTest::keyClicks(box, prompt);
    QTRY_VERIFY2_WITH_TIMEOUT(m_window->panel()->blockedReason().isEmpty(),
                              qPrintable(m_window->panel()->blockedReason()), kStartMs);
    const auto before = jobs().size();
    QTest::keyClick(box, Qt::Key_Return, Qt::ControlModifier);
    QTRY_COMPARE(jobs().size(), before + 1);
}

std::vector<store::Job> StudioHarness::jobs() const {
    using store::JobState;
    return ask(m_session->library(), [](store::LibraryStore& s) {
        return s.jobs({JobState::Queued, JobState::Running, JobState::Interrupted, JobState::Done, JobState::Failed,
                       JobState::Cancelled},
                      -1);
    });
}

std::vector<store::Clip> StudioHarness::clips(const std::string& query) const {
    return ask(m_session->library(), [query](store::LibraryStore& s) {
        store::ClipQuery wanted;
        wanted.text = query;
        wanted.order = store::ClipOrder::Oldest;
        return s.clips(wanted, 0, 1000);
    });
}

int StudioHarness::count(store::JobState state) const {
    int result = 0;
    for (const auto& job : jobs()) {
        result += job.state == state ? 1 : 0;
    }
    return result;
}

}  // namespace fw::ui::test
