// The window with the real engine and the embedded model: what a person does first, on a small clip.
#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QLabel>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <memory>

#include "app/studio/engine_runner.h"
#include "ui/frame_player.h"
#include "ui/main_window.h"
#include "ui/prompt_panel.h"
#include "ui/recent_strip.h"
#include "ui/stage_canvas.h"
#include "ui/stage_widget.h"
#include "ui/theme.h"

namespace fw::ui::test {
namespace {

constexpr int kClipMs = 120'000;    // far more than a small clip takes on a busy machine
constexpr int kCancelMs = 1'000;    // from the key to an engine that is free again
constexpr qint64 kBlockedMs = 500;  // the window never stands still longer, even on a busy machine

job::GenerationRequest smallRequest(const std::string& prompt, int steps) {
    job::GenerationRequest request;
    request.prompt = prompt;
    request.width = request.height = 128;
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
    [[nodiscard]] StageWidget* stage() const { return m_window->stage(); }
    [[nodiscard]] QString reason() const { return m_window->findChild<QLabel*>(QStringLiteral("reason"))->text(); }
    [[nodiscard]] QString clips() const { return m_folder->filePath(QStringLiteral("clips")); }
    [[nodiscard]] QStringList filesIn(const QString& folder) const {
        return QDir(folder).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot);
    }
    void openWindow(const QString& model = QString(), const QString& output = QString()) {
        m_window = std::make_unique<MainWindow>(
            *m_engine, *m_theme,
            StudioOptions{model, output.isEmpty() ? clips() : output, m_folder->filePath(QStringLiteral("s.ini"))});
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    }
    void waitForModel() { QTRY_VERIFY_WITH_TIMEOUT(m_window->panel()->hasModel(), 20'000); }
    void makeClip(const std::string& prompt) {
        waitForModel();
        m_window->panel()->showRequest(smallRequest(prompt, 2));
        m_window->run();
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kClipMs);
    }
    void save(const QString& path) {
        m_window->saveClipAs(path, true);
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->isSaving(), kClipMs);
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<app::EngineRunner> m_engine;
    std::unique_ptr<MainWindow> m_window;

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
        m_engine = std::make_unique<app::EngineRunner>();
    }
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void cleanup() {
        m_window.reset();
        QTRY_VERIFY_WITH_TIMEOUT(!m_engine->busy(), kClipMs);
    }
    void cleanupTestCase() { m_engine.reset(); }

    void typedPromptBecomesAClip() {
        openWindow();
        waitForModel();
        m_window->panel()->showRequest(smallRequest("", 4));
        QCOMPARE(reason(), QStringLiteral("Write a prompt first."));
        auto* prompt = m_window->findChild<QPlainTextEdit*>();
        m_window->panel()->focusPrompt();
        QTest::keyClicks(prompt, QStringLiteral("a dog runs to the right in a meadow"));
        QTRY_VERIFY_WITH_TIMEOUT(reason().startsWith(QStringLiteral("Ctrl+Enter")), 5'000);

        QSignalSpy progressed(m_engine.get(), &app::ClipEngine::progressed);
        QSignalSpy previewed(m_engine.get(), &app::ClipEngine::previewed);
        QSet<qint64> shown;  // pictures of the preview that were on the stage
        connect(stage()->player(), &FramePlayer::frameChanged, this, [&] {
            if (stage()->state() == StageState::Running) {
                shown.insert(stage()->player()->image().cacheKey());
            }
        });
        const Heartbeat heartbeat;
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(stage()->state(), StageState::Running);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kClipMs);
        QVERIFY2(heartbeat.longest() < kBlockedMs, qPrintable(QString::number(heartbeat.longest())));

        double fraction = 0.0;
        for (const auto& call : progressed) {
            const auto progress = call.at(1).value<app::JobProgress>();
            QVERIFY(progress.fraction >= fraction && progress.fraction <= 1.0);
            fraction = progress.fraction;
        }
        QVERIFY(fraction > 0.9);
        QVERIFY2(previewed.count() >= 3, qPrintable(QString::number(previewed.count())));
        const auto preview = previewed.last().at(1).value<app::JobPreview>();
        QCOMPARE(preview.images.frames.size(), 3);  // one per latent frame
        QVERIFY(std::abs(preview.images.seconds() - stage()->player()->clip().seconds()) < 0.01);
        QVERIFY2(shown.size() >= 3, "the preview moved while the clip formed");

        QCOMPARE(filesIn(clips()), QStringList{QFileInfo(stage()->clip()->file).fileName()});
        QVERIFY(stage()->clip()->file.endsWith(QStringLiteral(".mp4")));
        QCOMPARE(stage()->player()->count(), 9);
        QCOMPARE(stage()->player()->image().size(), QSize(128, 128));
        QVERIFY(stage()->player()->isPlaying());
        const int index = stage()->player()->index();
        QTRY_VERIFY(stage()->player()->index() != index);
        QCOMPARE(stage()->clip()->request->seed.value_or(0), 7u);
        QCOMPARE(stage()->recentStrip()->count(), 1);
    }

    void cancelStopsWithinASecondAndLeavesNothing() {
        openWindow();
        waitForModel();
        m_window->panel()->showRequest(smallRequest("a cat runs to the left on a beach", 200));
        QSignalSpy previewed(m_engine.get(), &app::ClipEngine::previewed);
        m_window->run();
        QTRY_VERIFY_WITH_TIMEOUT(previewed.count() >= 2, kClipMs);
        QElapsedTimer clock;
        clock.start();
        QTest::keyClick(m_window.get(), Qt::Key_Escape);
        QCOMPARE(stage()->state(), StageState::Cancelled);
        QTRY_VERIFY_WITH_TIMEOUT(!m_engine->busy(), kClipMs);
        QVERIFY2(clock.elapsed() <= kCancelMs, qPrintable(QString::number(clock.elapsed())));
        QCOMPARE(filesIn(clips()), QStringList());
        const auto count = previewed.count();
        QTest::qWait(100);
        QCOMPARE(previewed.count(), count);
        QTRY_VERIFY(reason().startsWith(QStringLiteral("Ctrl+Enter")));
    }

    void onlyTheKeyboard() {
        openWindow();
        waitForModel();
        m_window->panel()->showRequest(smallRequest("", 2));
        m_window->panel()->focusPrompt();
        QTest::keyClicks(m_window->focusWidget(), QStringLiteral("a fish swims to the left underwater"));
        for (int i = 0; i < 40 && m_window->focusWidget()->objectName() != QStringLiteral("run"); ++i) {
            QTest::keyClick(m_window->focusWidget(), Qt::Key_Tab);
        }
        QCOMPARE(m_window->focusWidget()->objectName(), QStringLiteral("run"));
        QTest::keyClick(m_window->focusWidget(), Qt::Key_Space);
        QCOMPARE(stage()->state(), StageState::Running);
        QCOMPARE(m_window->focusWidget()->objectName(), QStringLiteral("cancel"));
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kClipMs);
        QCOMPARE(m_window->focusWidget(), stage()->canvas());
        QTest::keyClick(m_window->focusWidget(), Qt::Key_Space);
        QVERIFY(!stage()->player()->isPlaying());
        QTest::keyClick(m_window->focusWidget(), Qt::Key_End);
        QCOMPARE(stage()->player()->index(), 8);
    }

    void savesEveryFormat() {
        openWindow();
        makeClip("a red heart grows in a room");
        const QDir folder(m_folder->path());
        for (const auto* name : {"a copy.mp4", "b.webm", "c.gif"}) {
            const QString path = folder.filePath(QString::fromLatin1(name));
            save(path);
            m_engine->loadClip(path);
            QTRY_COMPARE_WITH_TIMEOUT(stage()->clip()->file, path, kClipMs);
            QCOMPARE(stage()->player()->count(), 9);
            QCOMPARE(stage()->player()->image().size(), QSize(128, 128));
            QVERIFY2(stage()->clip()->request.has_value(), name);
        }
        QSignalSpy refused(m_engine.get(), &app::ClipEngine::exportFailed);
        save(folder.filePath(QStringLiteral("frames.png")));
        QCOMPARE(QDir(folder.filePath(QStringLiteral("frames"))).entryList({QStringLiteral("*.png")}).size(), 9);
        QCOMPARE(refused.count(), 0);
        save(folder.filePath(QStringLiteral("frames.png")));
        QCOMPARE(refused.count(), 1);
        save(folder.filePath(QStringLiteral("nowhere/x.webm")));
        QCOMPARE(refused.count(), 2);
        save(folder.filePath(QStringLiteral("x.avi")));
        QCOMPARE(refused.count(), 3);
    }

    void clipsAreFoundAgain() {
        openWindow();
        makeClip("a bee flies to the right in a meadow");
        const QString file = stage()->clip()->file;
        QFile junk(QDir(clips()).filePath(QStringLiteral("junk.mp4")));
        QVERIFY(junk.open(QIODevice::WriteOnly) && junk.write("no video") > 0);
        junk.close();
        m_window.reset();
        openWindow();
        QTRY_COMPARE(stage()->recentStrip()->count(), 1);
        m_engine->loadClip(file);
        QTRY_COMPARE(stage()->state(), StageState::Finished);
        QCOMPARE(stage()->clip()->request->prompt, std::string("a bee flies to the right in a meadow"));
        m_engine->loadClip(junk.fileName());
        QTest::qWait(200);
        QCOMPARE(stage()->clip()->file, file);
    }

    void brokenModelIsExplained() {
        const QString model = m_folder->filePath(QStringLiteral("broken"));
        QVERIFY(QDir().mkpath(model));
        QFile index(model + QStringLiteral("/model_index.json"));
        QVERIFY(index.open(QIODevice::WriteOnly) && index.write("{\"_class_name\": \"WanPipeline\"}") > 0);
        index.close();
        openWindow(model);
        QTRY_COMPARE(stage()->state(), StageState::Failed);
        m_window->panel()->setPrompt(QStringLiteral("a dog"));
        QVERIFY(!m_window->findChild<QPushButton*>(QStringLiteral("run"))->isEnabled());
        QVERIFY(!reason().isEmpty());
        m_window.reset();
        openWindow(m_folder->filePath(QStringLiteral("missing")));
        QTRY_COMPARE(stage()->state(), StageState::Failed);
        m_window->panel()->setPrompt(QStringLiteral("a dog"));
        QVERIFY2(reason().contains(QStringLiteral("missing")), qPrintable(reason()));
    }

    void unwritableFolderIsExplained() {
        QFile file(m_folder->filePath(QStringLiteral("file")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        openWindow(QString(), file.fileName() + QStringLiteral("/clips"));
        waitForModel();
        m_window->panel()->showRequest(smallRequest("a dog runs", 2));
        m_window->run();
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Failed, kClipMs);
        QTRY_VERIFY(reason().startsWith(QStringLiteral("Ctrl+Enter")));
    }

    void closingStopsTheEngine() {
        openWindow();
        waitForModel();
        m_window->panel()->showRequest(smallRequest("a dog runs", 500));
        QSignalSpy previewed(m_engine.get(), &app::ClipEngine::previewed);
        m_window->run();
        QTRY_VERIFY_WITH_TIMEOUT(previewed.count() >= 1, kClipMs);
        QElapsedTimer clock;
        clock.start();
        m_window->close();
        m_window.reset();
        m_engine.reset();
        QVERIFY2(clock.elapsed() <= kCancelMs, qPrintable(QString::number(clock.elapsed())));
        QCOMPARE(filesIn(clips()), QStringList());
        m_engine = std::make_unique<app::EngineRunner>();
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::EngineTest)
#include "engine_test.moc"
