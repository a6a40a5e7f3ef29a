// The window as a person uses it, with a scripted engine.
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <memory>

#include "scripted_engine.h"
#include "ui/frame_player.h"
#include "ui/main_window.h"
#include "ui/progress_row.h"
#include "ui/prompt_panel.h"
#include "ui/recent_strip.h"
#include "ui/scrub_bar.h"
#include "ui/stage_canvas.h"
#include "ui/stage_widget.h"
#include "ui/theme.h"
#include "ui/transport_bar.h"

namespace fw::ui::test {

class WindowTest : public QObject {
    Q_OBJECT

 private:
    template <class T>
    T* find(const QString& accessibleName) const {
        for (auto* widget : m_window->findChildren<T*>()) {
            if (widget->accessibleName() == accessibleName) {
                return widget;
            }
        }
        return nullptr;
    }
    QPlainTextEdit* promptBox() const { return find<QPlainTextEdit>(QStringLiteral("Prompt")); }
    QPushButton* runButton() const { return m_window->findChild<QPushButton*>(QStringLiteral("run")); }
    QString reason() const { return m_window->findChild<QLabel*>(QStringLiteral("reason"))->text(); }
    void openWindow() {
        m_window =
            std::make_unique<MainWindow>(m_engine(), *m_theme,
                                         StudioOptions{QString(), m_folder->filePath(QStringLiteral("clips")),
                                                       m_folder->filePath(QStringLiteral("settings.ini"))});
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        // There is no window manager to give the focus.
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    }
    ScriptedEngine& m_engine() const { return *m_scripted; }
    void startClip() {
        emit m_scripted->modelReady(makeModel());
        promptBox()->setPlainText(QStringLiteral("a dog runs"));
        QTest::mouseClick(runButton(), Qt::LeftButton);
        QCOMPARE(m_window->stage()->state(), StageState::Running);
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<ScriptedEngine> m_scripted;
    std::unique_ptr<MainWindow> m_window;

 private slots:
    void init() {
        QLocale::setDefault(QLocale::c());
        m_folder = std::make_unique<QTemporaryDir>();
        m_theme = std::make_unique<Theme>(*qApp);
        m_scripted = std::make_unique<ScriptedEngine>();
        openWindow();
    }
    void cleanup() {
        m_window.reset();
        m_scripted.reset();
    }

    void startsEmptyAndInvites() {
        QCOMPARE(m_window->stage()->state(), StageState::Empty);
        QCOMPARE(m_scripted->opened, QStringList{QString()});
        QCOMPARE(m_scripted->searches, 1);
        QVERIFY(!runButton()->isEnabled());
        QVERIFY(reason().contains(QStringLiteral("being opened")));
        emit m_scripted->modelReady(makeModel());
        QCOMPARE(reason(), QStringLiteral("Write a prompt first."));
        QCOMPARE(runButton()->toolTip(), reason());
        auto* example = find<QPushButton>(QStringLiteral("a dog runs to the right in a meadow"));
        QVERIFY(example);
        QTest::mouseClick(example, Qt::LeftButton);
        QCOMPARE(m_window->panel()->prompt(), example->accessibleName());
        QVERIFY(runButton()->isEnabled());
        QVERIFY(promptBox()->hasFocus());
    }

    void saysWhyRunIsDisabled() {
        emit m_scripted->modelReady(makeModel());
        promptBox()->setPlainText(QStringLiteral("a dog runs"));
        QVERIFY(runButton()->isEnabled());

        auto* sizes = find<QComboBox>(QStringLiteral("Size"));
        sizes->setCurrentIndex(sizes->count() - 1);
        auto* width = find<QSpinBox>(QStringLiteral("Width in pixels"));
        QVERIFY(width->isVisible());
        QCOMPARE(width->value(), 256);
        width->setValue(250);
        QVERIFY(!runButton()->isEnabled());
        QVERIFY2(reason().contains(QStringLiteral("250")) && reason().contains(QStringLiteral("16")),
                 qPrintable(reason()));
        width->setValue(256);
        QVERIFY(runButton()->isEnabled());

        auto* lengths = find<QComboBox>(QStringLiteral("Length"));
        lengths->setCurrentIndex(lengths->count() - 1);
        find<QSpinBox>(QStringLiteral("Number of frames"))->setValue(34);
        QVERIFY2(reason().contains(QStringLiteral("34")), qPrintable(reason()));
        lengths->setCurrentIndex(0);
        QVERIFY(runButton()->isEnabled());

        find<QLineEdit>(QStringLiteral("Seed"))->setText(QStringLiteral("seven"));
        QVERIFY2(reason().contains(QStringLiteral("whole number")), qPrintable(reason()));
        find<QLineEdit>(QStringLiteral("Seed"))->setText(QStringLiteral("7"));
        QVERIFY(runButton()->isEnabled());

        QTRY_VERIFY(!m_scripted->forecasts.isEmpty());
        emit m_scripted->forecastFailed(m_scripted->forecasts.last().first,
                                        {ErrorCode::OutOfMemory, "this clip needs 12 GiB, 3 GiB are free"});
        QCOMPARE(reason(), QStringLiteral("This clip needs 12 GiB, 3 GiB are free."));
        QTest::keyClick(m_window.get(), Qt::Key_Return, Qt::ControlModifier);
        QVERIFY2(m_scripted->started.isEmpty(), "Ctrl+Enter does not run what Run would not");
    }

    void forecastsWhatIsOnTheForm() {
        emit m_scripted->modelReady(makeModel());
        QTRY_VERIFY(!m_scripted->forecasts.isEmpty());
        const auto [ticket, request] = m_scripted->forecasts.last();
        QCOMPARE(request.frames.value_or(0), 33);
        emit m_scripted->forecastReady(ticket, {2304, 3'900'000'000'000, qint64{212} << 20});
        auto* forecast = find<QLabel>(QStringLiteral("Forecast"));
        QVERIFY2(forecast->text().contains(QStringLiteral("212 MiB")), qPrintable(forecast->text()));
        // An answer to an older question is not shown.
        emit m_scripted->forecastReady(ticket - 1, {1, 1, 1});
        QVERIFY(forecast->text().contains(QStringLiteral("212 MiB")));
        // The first clip gives the speed, and the next forecast the time.
        promptBox()->setPlainText(QStringLiteral("a dog"));
        m_window->run();
        m_scripted->finish(QStringLiteral("/clips/a.mp4"));
        QVERIFY2(forecast->text().contains(QStringLiteral("About 16 s")), qPrintable(forecast->text()));
    }

    void makesAClip() {
        startClip();
        QCOMPARE(m_scripted->started.last().prompt, std::string("a dog runs"));
        QCOMPARE(m_scripted->started.last().model, std::string("/models/mini"));
        QVERIFY(m_scripted->started.last().seed.has_value());
        QVERIFY(!runButton()->isEnabled());
        QVERIFY(reason().contains(QStringLiteral("being made")));
        auto* stage = m_window->stage();
        emit m_scripted->progressed(1, {app::JobPhase::Denoise, 7, 20, 0.4, 9.0});
        QCOMPARE(stage->progressRow()->phaseText(), QStringLiteral("Forming the clip, step 7 of 20"));
        emit m_scripted->previewed(1, {7, 20, makeImages(9, 32, 32, 40.0)});
        QVERIFY(stage->player()->isPlaying());
        const int shown = stage->player()->index();
        QTRY_VERIFY(stage->player()->index() != shown);
        emit m_scripted->previewed(99, {7, 20, makeImages(3)});
        QCOMPARE(stage->player()->count(), 9);

        m_scripted->finish(QStringLiteral("/clips/a dog.mp4"));
        QCOMPARE(stage->state(), StageState::Finished);
        QVERIFY(stage->player()->isPlaying());
        QVERIFY(runButton()->isEnabled());
        QCOMPARE(stage->recentStrip()->count(), 1);
        QCOMPARE(stage->clip()->file, QStringLiteral("/clips/a dog.mp4"));
    }

    void cancelReactsAtOnce() {
        startClip();
        emit m_scripted->progressed(1, {app::JobPhase::Denoise, 3, 20, 0.2, 9.0});
        QTest::keyClick(m_window.get(), Qt::Key_Escape);
        QCOMPARE(m_window->stage()->state(), StageState::Cancelled);
        QCOMPARE(m_scripted->cancels, QList<app::JobId>{1});
        QVERIFY(!runButton()->isEnabled());
        QVERIFY(reason().contains(QStringLiteral("being stopped")));
        // What the engine still sends is no longer wanted.
        emit m_scripted->previewed(1, {4, 20, makeImages(9)});
        emit m_scripted->progressed(1, {app::JobPhase::Denoise, 4, 20, 0.3, 8.0});
        QVERIFY(m_window->stage()->player()->isEmpty());
        m_scripted->confirmCancel();
        QCOMPARE(m_window->stage()->state(), StageState::Cancelled);
        QVERIFY(runButton()->isEnabled());
        QTest::keyClick(m_window.get(), Qt::Key_Escape);
        QCOMPARE(m_scripted->cancels.size(), 1);
    }

    void everythingByKeyboard() {
        emit m_scripted->modelReady(makeModel());
        m_window->panel()->focusPrompt();
        QTest::keyClicks(promptBox(), QStringLiteral("a cat"));
        QTest::keyClick(promptBox(), Qt::Key_Space);
        QTest::keyClicks(promptBox(), QStringLiteral("sleeps"));
        QCOMPARE(m_window->panel()->prompt(), QStringLiteral("a cat sleeps"));
        QTest::keyClick(promptBox(), Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(m_scripted->started.size(), 1);
        m_scripted->finish(QStringLiteral("/clips/a cat.mp4"));
        auto* player = m_window->stage()->player();
        auto* canvas = m_window->stage()->canvas();
        canvas->setFocus();
        QTest::keyClick(canvas, Qt::Key_Space);
        QVERIFY(!player->isPlaying());
        QTest::keyClick(canvas, Qt::Key_Home);
        QCOMPARE(player->index(), 0);
        QTest::keyClick(canvas, Qt::Key_Right);
        QCOMPARE(player->index(), 1);
        QTest::keyClick(canvas, Qt::Key_Left);
        QTest::keyClick(canvas, Qt::Key_Left);
        QCOMPARE(player->index(), 8);
        QTest::keyClick(m_window->stage()->transportBar()->scrubBar(), Qt::Key_End);
        QCOMPARE(player->index(), 8);
        QTest::keyClick(canvas, Qt::Key_Space);
        QVERIFY(player->isPlaying());
    }

    void tabReachesEveryControl() {
        startClip();
        m_scripted->finish(QStringLiteral("/clips/a.mp4"));
        QSet<QWidget*> reached;
        QWidget* at = promptBox();
        at->setFocus();
        for (int i = 0; i < 100 && !reached.contains(at); ++i) {
            reached.insert(at);
            QTest::keyClick(at, Qt::Key_Tab);
            at = m_window->focusWidget();
        }
        for (auto* widget : m_window->findChildren<QWidget*>()) {
            if (!widget->isVisibleTo(m_window.get()) || !widget->isEnabled() ||
                !(widget->focusPolicy() & Qt::TabFocus) || widget->focusProxy() ||
                widget->objectName() == QStringLiteral("qt_spinbox_lineedit")) {
                continue;
            }
            QVERIFY2(reached.contains(widget), qPrintable(widget->metaObject()->className() + QStringLiteral(" ") +
                                                          widget->accessibleName()));
            QVERIFY2(!widget->accessibleName().isEmpty(), widget->metaObject()->className());
        }
        QVERIFY(reached.size() > 15);
    }

    void scrubbingPausesAndShowsTheFrame() {
        startClip();
        m_scripted->finish(QStringLiteral("/clips/a.mp4"));
        auto* scrub = m_window->stage()->transportBar()->scrubBar();
        QTest::mouseClick(scrub, Qt::LeftButton, {}, QPoint(scrub->width() - 2, scrub->height() / 2));
        QCOMPARE(m_window->stage()->player()->index(), 8);
        QVERIFY(!m_window->stage()->player()->isPlaying());
    }

    void brokenModelIsExplained() {
        emit m_scripted->modelFailed(QStringLiteral("/x"), {ErrorCode::BadModel, "/x has no model_index.json"});
        QCOMPARE(m_window->stage()->state(), StageState::Failed);
        QVERIFY(find<QPushButton>(QStringLiteral("Choose a model folder…")));
        promptBox()->setPlainText(QStringLiteral("a dog"));
        QVERIFY2(reason().contains(QStringLiteral("/x has no model_index.json")), qPrintable(reason()));
        emit m_scripted->modelReady(makeModel());
        QCOMPARE(m_window->stage()->state(), StageState::Empty);
        QVERIFY(runButton()->isEnabled());

        auto problems = makeModel();
        problems.problems = {QStringLiteral("the transformer is missing")};
        emit m_scripted->modelReady(problems);
        QCOMPARE(m_window->stage()->state(), StageState::Failed);
        QCOMPARE(reason(), QStringLiteral("The transformer is missing."));
    }

    void failedRunIsExplained() {
        startClip();
        m_scripted->fail({ErrorCode::Io, "no space left on the disk"});
        QCOMPARE(m_window->stage()->state(), StageState::Failed);
        QVERIFY2(runButton()->isEnabled(), "one may try again");
        m_window->run();
        QCOMPARE(m_window->stage()->state(), StageState::Running);
        m_scripted->fail({ErrorCode::Internal, "defect"});
        QTest::mouseClick(find<QPushButton>(QStringLiteral("Try again")), Qt::LeftButton);
        QCOMPARE(m_window->stage()->state(), StageState::Running);
    }

    void savingAsksBeforeItReplaces() {
        startClip();
        m_scripted->finish(QStringLiteral("/clips/a.mp4"));
        const QString path = m_folder->filePath(QStringLiteral("copy.webm"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.close();
        QString question;
        QTimer::singleShot(200, this, [&] {
            auto* box = QApplication::activeModalWidget();
            QVERIFY(box);
            question = box->property("text").toString();
            QTest::keyClick(box, Qt::Key_Escape);
        });
        m_window->saveClipAs(path, false);
        QVERIFY2(question.contains(QStringLiteral("copy.webm")), qPrintable(question));
        QVERIFY(m_scripted->exports.isEmpty());
        m_window->saveClipAs(path, true);
        QCOMPARE(m_scripted->exports.size(), 1);
        QVERIFY(m_window->isSaving());
        m_window->saveClipAs(path, true);
        QCOMPARE(m_scripted->exports.size(), 1);
        emit m_scripted->exported(QStringLiteral("/clips/a.mp4"), path);
        QVERIFY(!m_window->isSaving());
    }

    void recentClipsPlay() {
        emit m_scripted->recentClips({{QStringLiteral("/clips/1.mp4"), makeImages(1), {}},
                                      {QStringLiteral("/clips/2.mp4"), makeImages(1, 64, 32), {}}});
        auto* strip = m_window->stage()->recentStrip();
        QVERIFY(strip->isVisible());
        QTest::mouseClick(find<QAbstractButton>(QStringLiteral("2")), Qt::LeftButton);
        QCOMPARE(m_scripted->loads, QStringList{QStringLiteral("/clips/2.mp4")});
        emit m_scripted->clipLoaded({QStringLiteral("/clips/2.mp4"), makeImages(9), {}});
        QCOMPARE(m_window->stage()->state(), StageState::Finished);
        emit m_scripted->clipFailed(QStringLiteral("/clips/1.mp4"), {ErrorCode::Io, "/clips/1.mp4 is gone"});
        QCOMPARE(strip->count(), 1);
    }

    void remembersTheForm() {
        emit m_scripted->modelReady(makeModel());
        promptBox()->setPlainText(QStringLiteral("a fox"));
        find<QSpinBox>(QStringLiteral("Steps"))->setValue(11);
        find<QLineEdit>(QStringLiteral("Seed"))->setText(QStringLiteral("42"));
        find<QToolButton>(QStringLiteral("Keep the seed"))->setChecked(true);
        m_window->resize(1111, 777);
        m_window->close();
        openWindow();
        emit m_scripted->modelReady(makeModel());
        const auto request = m_window->panel()->takeRequest();
        QCOMPARE(request.prompt, std::string("a fox"));
        QCOMPARE(request.steps.value_or(0), 11);
        QCOMPARE(request.seed.value_or(0), 42u);
        QCOMPARE(m_window->size(), QSize(1111, 777));
    }

    void closingCancelsTheJob() {
        startClip();
        m_window->close();
        QCOMPARE(m_scripted->cancels, QList<app::JobId>{1});
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::WindowTest)
#include "window_test.moc"
