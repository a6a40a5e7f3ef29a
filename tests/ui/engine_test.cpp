// From the first start to the clip, with the real worker and the embedded model, on small clips.
#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QTest>
#include <algorithm>
#include <csignal>
#include <memory>

#include "studio_harness.h"
#include "ui/frame_player.h"
#include "ui/progress_row.h"
#include "ui/prompt_panel.h"
#include "ui/stage_canvas.h"
#include "ui/stage_widget.h"
#include "ui/theme.h"

namespace fw::ui::test {
namespace {

constexpr int kClipMs = 240'000;    // far more than a small clip takes on a busy machine
constexpr qint64 kBlockedMs = 500;  // the window never stands still longer, even on a busy machine

job::GenerationRequest smallRequest(const std::string& prompt, int steps) {
    job::GenerationRequest request;
    request.prompt = prompt;
    request.width = request.height = 64;
    request.frames = 9;
    request.steps = steps;
    request.guidance = 4.0;
    request.seed = 7;
    return request;
}

// The longest time the event loop did not come round.
class Heartbeat {
 public:
    Heartbeat() {
        m_timer.setInterval(10);
        QObject::connect(&m_timer, &QTimer::timeout,
                         [this] { m_longest = std::max(m_longest, m_clock.restart()); });
        m_clock.start();
        m_timer.start();
    }
    [[nodiscard]] qint64 longest() const { return m_longest; }

 private:
    QTimer m_timer;
    QElapsedTimer m_clock;
    qint64 m_longest = 0;
};

}  // namespace

class EngineTest : public QObject {
    Q_OBJECT

 private:
    [[nodiscard]] MainWindow& window() const { return m_studio->window(); }
    [[nodiscard]] StageWidget* stage() const { return window().stage(); }
    [[nodiscard]] QString reason() const { return window().findChild<QLabel*>(QStringLiteral("reason"))->text(); }
    void prepare(const std::string& prompt, int steps) const {
        QTRY_VERIFY_WITH_TIMEOUT(window().panel()->hasModel(), kClipMs);
        window().panel()->showRequest(smallRequest(prompt, steps));
        QTRY_VERIFY_WITH_TIMEOUT(window().panel()->blockedReason().isEmpty() || prompt.empty(), kClipMs);
    }

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<StudioHarness> m_studio;

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
    }
    void init() {
        m_studio = std::make_unique<StudioHarness>(*m_theme, QStringLiteral(FW_ENGINE_WORKER));
        m_studio->open();
    }
    void cleanup() { m_studio.reset(); }

    void typedPromptBecomesAClip() {
        prepare("", 4);
        QCOMPARE(reason(), QStringLiteral("Write a prompt first."));
        window().panel()->focusPrompt();
        auto* prompt = window().focusWidget();
        QTest::keyClicks(prompt, QStringLiteral("a dog runs to the right in a meadow"));
        QTRY_VERIFY_WITH_TIMEOUT(window().panel()->blockedReason().isEmpty(), kClipMs);
        QSignalSpy progressed(&m_studio->session().queue(), &app::JobQueue::progress);
        const Heartbeat heartbeat;
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Running, kClipMs);
        QTRY_VERIFY_WITH_TIMEOUT(stage()->previewCount() >= 3, kClipMs);
        QCOMPARE(stage()->player()->count(), 3);  // one per latent frame
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kClipMs);
        QVERIFY2(heartbeat.longest() < kBlockedMs, qPrintable(QString::number(heartbeat.longest())));

        double fraction = 0.0;
        for (const auto& call : progressed) {
            const auto progress = call.at(0).value<ipc::Progress>();
            QVERIFY(progress.fraction >= fraction && progress.fraction <= 1.0);
            fraction = progress.fraction;
        }
        QVERIFY(fraction > 0.9);
        QCOMPARE(stage()->player()->count(), 9);
        QCOMPARE(stage()->player()->image().size(), QSize(64, 64));
        QCOMPARE(stage()->clip()->request->seed.value_or(0), 7u);
        QVERIFY(QFile::exists(stage()->clip()->file));
        QCOMPARE(m_studio->clips("dog meadow model:mini").size(), 1U);
    }

    // The worker is killed in the middle; the clip is made all the same, from the step it had reached.
    void aKilledWorkerCostsOneStep() {
        prepare("a cat runs to the left on a beach", 30);
        window().run();
        QTRY_VERIFY_WITH_TIMEOUT(stage()->previewCount() >= 3, kClipMs);
        ::kill(static_cast<pid_t>(m_studio->session().worker().hello()->processId), SIGKILL);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kClipMs);
        const auto clips = m_studio->clips();
        QCOMPARE(clips.size(), 1U);
        const Json report = Json::parse(clips.front().reportJson, nullptr, false);
        QVERIFY(report["resumed_steps"].get<int>() >= 2);
        QCOMPARE(m_studio->jobs().front().workerLosses, 1);
    }

    void cancelLeavesNothing() {
        prepare("a cat runs to the left on a beach", 200);
        window().run();
        QTRY_VERIFY_WITH_TIMEOUT(stage()->previewCount() >= 2, kClipMs);
        QTest::keyClick(&window(), Qt::Key_Escape);
        QCOMPARE(stage()->state(), StageState::Cancelled);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Cancelled), 1, kClipMs);
        QVERIFY(m_studio->clips().empty());
        QVERIFY(window().panel()->blockedReason().isEmpty());
    }

    void onlyTheKeyboard() {
        prepare("", 2);
        window().panel()->focusPrompt();
        QTest::keyClicks(window().focusWidget(), QStringLiteral("a fish swims to the left underwater"));
        QTRY_VERIFY_WITH_TIMEOUT(window().panel()->blockedReason().isEmpty(), kClipMs);
        for (int i = 0; i < 60 && window().focusWidget()->objectName() != QStringLiteral("run"); ++i) {
            QTest::keyClick(window().focusWidget(), Qt::Key_Tab);
        }
        QCOMPARE(window().focusWidget()->objectName(), QStringLiteral("run"));
        QTest::keyClick(window().focusWidget(), Qt::Key_Space);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kClipMs);
        for (int i = 0; i < 8 && !stage()->isAncestorOf(window().focusWidget()); ++i) {
            QTest::keyClick(window().focusWidget(), Qt::Key_F6);
        }
        QVERIFY(stage()->isAncestorOf(window().focusWidget()));
        stage()->canvas()->setFocus();
        QTest::keyClick(window().focusWidget(), Qt::Key_Space);
        QVERIFY(!stage()->player()->isPlaying());
        QTest::keyClick(window().focusWidget(), Qt::Key_End);
        QCOMPARE(stage()->player()->index(), 8);
    }

    void brokenModelIsExplained() {
        m_studio->close();
        const QString model = m_studio->path(QStringLiteral("broken"));
        QVERIFY(QDir().mkpath(model));
        QFile index(model + QStringLiteral("/model_index.json"));
        QVERIFY(index.open(QIODevice::WriteOnly) && index.write("{\"_class_name\": \"WanPipeline\"}") > 0);
        index.close();
        m_studio->open(model);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Failed, kClipMs);
        window().panel()->setPrompt(QStringLiteral("a dog"));
        QVERIFY(!reason().isEmpty() && !window().panel()->blockedReason().isEmpty());
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::EngineTest)
#include "engine_test.moc"
