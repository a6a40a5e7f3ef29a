// The stage as a person uses it: previews gone back to, the player's keys and marks, zoom, single frames.
// With FW_PICTURES set to a folder, a picture of each state is saved there to be looked at.
#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QElapsedTimer>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QWheelEvent>
#include <memory>

#include "ui/frame_player.h"
#include "ui/preview_history.h"
#include "ui/progress_row.h"
#include "ui/scrub_bar.h"
#include "ui/stage_canvas.h"
#include "ui/stage_widget.h"
#include "ui/step_bar.h"
#include "ui/theme.h"
#include "ui/transport_bar.h"

namespace fw::ui::test {
namespace {

// Pictures with edges and something that moves.
app::ClipImages makeScene(int count, QSize size, double fps) {
    app::ClipImages images{{}, fps};
    for (int i = 0; i < count; ++i) {
        QImage image(size, QImage::Format_RGB32);
        QPainter painter(&image);
        QLinearGradient sky(0, 0, 0, size.height());
        sky.setColorAt(0, QColor("#27355e"));
        sky.setColorAt(0.6, QColor("#d88a6a"));
        sky.setColorAt(0.61, QColor("#3c4f37"));
        sky.setColorAt(1, QColor("#20301f"));
        painter.fillRect(image.rect(), sky);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(QColor("#e8543f"));
        const double r = size.height() * 0.13;
        painter.drawEllipse(QPointF(size.width() * (0.2 + 0.6 * i / count), size.height() * 0.6), r, r);
        images.frames.append(image);
    }
    return images;
}

// Frames of one colour each.
app::ClipImages makeImages(int count, int width = 32, int height = 32, double fps = 12.0) {
    app::ClipImages images{{}, fps};
    for (int i = 0; i < count; ++i) {
        QImage image(width, height, QImage::Format_RGB32);
        image.fill(QColor::fromHsv(i * 359 / count, 120, 200));
        images.frames.append(image);
    }
    return images;
}

app::JobPreview previewOf(int step, const app::ClipImages& images) {
    return {step, 20, images};
}

job::GenerationRequest request() {
    job::GenerationRequest result;
    result.prompt = "a red ball rolls over a meadow";
    result.width = 256;
    result.height = 256;
    result.frames = 33;
    result.steps = 20;
    result.seed = 7;
    return result;
}

}  // namespace

class StageTest : public QObject {
    Q_OBJECT

 private:
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<StageWidget> m_stage;

    [[nodiscard]] FramePlayer* player() const { return m_stage->player(); }
    [[nodiscard]] StageCanvas* canvas() const { return m_stage->canvas(); }
    [[nodiscard]] ScrubBar* steps() const { return m_stage->stepBar()->bar(); }
    void form(int count) const {
        m_stage->beginJob(request());
        for (int step = 1; step <= count; ++step) {
            m_stage->setProgress({app::JobPhase::Denoise, step, 20, 0.05 * step, 9.0});
            m_stage->showPreview(previewOf(step, makeScene(9, {32, 32}, 3.3)));
        }
    }
    void finish(const QString& file = QStringLiteral("/c/ball.mp4")) const {
        m_stage->showClip({file, makeScene(33, {256, 256}, 12.0), request()}, 12.3);
    }
    void key(int key, Qt::KeyboardModifiers modifiers = {}) const {
        QTest::keyClick(canvas(), static_cast<Qt::Key>(key), modifiers);
    }
    void wheel(const QPoint& at, int notches) const {
        QWheelEvent event(at, canvas()->mapToGlobal(at), {}, {0, 120 * notches}, Qt::NoButton, Qt::NoModifier,
                          Qt::NoScrollPhase, false);
        QApplication::sendEvent(canvas(), &event);
    }
    void savePicture(const QString& name) const {
        if (qEnvironmentVariableIsSet("FW_PICTURES")) {
            QDir().mkpath(qEnvironmentVariable("FW_PICTURES"));
            for (const auto choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
                m_theme->setChoice(choice);
                QCoreApplication::sendPostedEvents(nullptr, QEvent::LayoutRequest);
                m_stage->grab().save(
                    QStringLiteral("%1/stage-%2-%3.png")
                        .arg(qEnvironmentVariable("FW_PICTURES"), name,
                             choice == ThemeChoice::Dark ? QStringLiteral("dark") : QStringLiteral("light")));
            }
        }
    }

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
    }
    void init() {
        m_stage = std::make_unique<StageWidget>();
        m_stage->resize(900, 760);
        m_stage->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_stage.get()));
        m_stage->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_stage.get()));
    }
    void cleanup() { m_stage.reset(); }

    void historyKeepsEveryStepWhileThereIsRoom() {
        PreviewHistory history;
        history.add({}, false);
        QVERIFY(history.isEmpty());
        for (const int step : {1, 2, 3, 5, 4, 3}) {
            history.add(previewOf(step, makeImages(2, 4, 4)), false);
        }
        QCOMPARE(history.count(), 5);
        QCOMPARE(history.bytes(), qint64{5 * 2 * 4 * 4 * 4});
        QCOMPARE(history.at(3).preview.step, 4);
        history.add(previewOf(3, makeImages(1, 16, 16)), true);
        history.add(previewOf(3, makeImages(2, 4, 4)), false);
        QVERIFY2(history.at(2).exact, "a projection never takes the place of an exact preview");
        QCOMPARE(history.count(), 5);
    }

    void historyIsThinnedEvenly() {
        const qint64 one = 2 * 8 * 8 * 4;
        PreviewHistory history(8 * one);
        for (int step = 1; step <= 100; ++step) {
            history.add(previewOf(step, makeImages(2, 8, 8)), step == 30);
            QVERIFY(history.bytes() <= 8 * one);
            QCOMPARE(history.at(history.count() - 1).preview.step, step);
        }
        QCOMPARE(history.count(), 8);
        QCOMPARE(history.at(0).preview.step, 1);
        bool exact = false;
        for (int i = 0; i + 1 < history.count(); ++i) {
            exact = exact || history.at(i).exact;
            QVERIFY(history.at(i + 1).preview.step - history.at(i).preview.step <= 40);
        }
        QVERIFY(exact);
        PreviewHistory tiny(1);
        tiny.add(previewOf(1, makeImages(2, 8, 8)), false);
        tiny.add(previewOf(2, makeImages(2, 8, 8)), false);
        QCOMPARE(tiny.count(), 1);
        QCOMPARE(tiny.at(0).preview.step, 2);
    }

    void goesBackThroughTheDenoisingWhileItRuns() {
        form(7);
        QCOMPARE(steps()->maximum(), 6);
        QCOMPARE(m_stage->stepBar()->text(), QStringLiteral("step 7 of 20"));
        QTest::mouseClick(steps(), Qt::LeftButton, {}, QPoint(static_cast<int>(steps()->xOf(2)), 12));
        QCOMPARE(m_stage->stepBar()->text(), QStringLiteral("step 3 of 20"));
        QCOMPARE(canvas()->badge(), QStringLiteral("Preview of step 3 of 20"));
        savePicture(QStringLiteral("back"));
        const qint64 shown = player()->clip().frames.first().cacheKey();
        m_stage->showPreview(previewOf(8, makeImages(9, 32, 32, 3.3)));
        QCOMPARE(player()->clip().frames.first().cacheKey(), shown);
        QCOMPARE(steps()->maximum(), 7);
        QCOMPARE(steps()->value(), 2);
        // By keys, and with the focus on the bar itself.
        key(Qt::Key_Left, Qt::AltModifier);
        QCOMPARE(m_stage->stepBar()->text(), QStringLiteral("step 2 of 20"));
        QTest::keyClick(steps(), Qt::Key_Right);
        QCOMPARE(m_stage->stepBar()->text(), QStringLiteral("step 3 of 20"));
        QTest::keyClick(steps(), Qt::Key_End);
        QCOMPARE(canvas()->badge(), QString());
        m_stage->showPreview(previewOf(9, makeImages(9, 32, 32, 3.3)));
        QCOMPARE(m_stage->stepBar()->text(), QStringLiteral("step 9 of 20"));
        QVERIFY(player()->isPlaying());
    }

    void goesBackFromTheFinishedClip() {
        form(20);
        finish();
        QCOMPARE(steps()->maximum(), 20);
        QCOMPARE(m_stage->stepBar()->text(), QStringLiteral("finished"));
        QCOMPARE(player()->count(), 33);
        key(Qt::Key_Left, Qt::AltModifier);
        QCOMPARE(m_stage->stepBar()->text(), QStringLiteral("step 20 of 20"));
        QCOMPARE(player()->count(), 9);
        auto* back = m_stage->stepBar()->findChild<QToolButton*>();
        QVERIFY(back->isVisible());
        savePicture(QStringLiteral("finished-back"));
        QTest::mouseClick(back, Qt::LeftButton);
        QCOMPARE(player()->count(), 33);
        // Another clip has no such past; this one still has its own.
        finish(QStringLiteral("/c/other.mp4"));
        QVERIFY(!m_stage->stepBar()->isVisible());
        finish();
        QVERIFY(m_stage->stepBar()->isVisible());
        m_stage->beginJob(request());
        QVERIFY(m_stage->history().isEmpty());
    }

    void comesBackToARunningJob() {
        form(5);
        // Another clip is looked at meanwhile: the previews are not its past.
        auto other = request();
        other.seed = 8;
        m_stage->showClip({QStringLiteral("/c/other.mp4"), makeScene(33, {256, 256}, 12.0), other}, -1.0);
        QVERIFY(!m_stage->stepBar()->isVisible());
        QCOMPARE(player()->index(), 0);
        m_stage->beginJob(request());
        QCOMPARE(m_stage->history().count(), 5);
        QCOMPARE(m_stage->stepBar()->text(), QStringLiteral("step 5 of 20"));
        QCOMPARE(player()->count(), 9);
        // What comes after the end of a job is not wanted.
        m_stage->showCancelled();
        m_stage->showPreview(previewOf(6, makeImages(9, 32, 32, 3.3)));
        QCOMPARE(m_stage->history().count(), 5);
        m_stage->beginJob(request());
        QVERIFY(m_stage->history().isEmpty());
    }

    void asksAgainForAnExactPreviewThatNeverCame() {
        QSignalSpy now(m_stage.get(), &StageWidget::showNowRequested);
        m_stage->beginJob(request());
        m_stage->setProgress({app::JobPhase::Denoise, 6, 20, 0.3, 9.0});
        auto* button = m_stage->progressRow()->showNowButton();
        QTest::mouseClick(button, Qt::LeftButton);
        m_stage->setProgress({app::JobPhase::Denoise, 8, 20, 0.4, 9.0});
        QVERIFY(!button->isEnabled());
        m_stage->setProgress({app::JobPhase::Denoise, 9, 20, 0.4, 9.0});
        QVERIFY(button->isEnabled());
    }

    // A large clip does not fit into the shared memory at its own size.
    void anExactPreviewMadeSmallerIsExact() {
        m_stage->beginJob(request());
        m_stage->setProgress({app::JobPhase::Denoise, 6, 20, 0.3, 9.0});
        QTest::mouseClick(m_stage->progressRow()->showNowButton(), Qt::LeftButton);
        QVERIFY(!m_stage->progressRow()->showNowButton()->isEnabled());
        auto preview = previewOf(7, makeScene(33, {128, 128}, 12.0));
        preview.exact = true;
        m_stage->showPreview(preview);
        QVERIFY(m_stage->progressRow()->showNowButton()->isEnabled());
        QCOMPARE(canvas()->badge(), QStringLiteral("Step 7 of 20, decoded exactly"));
    }

    void staysAtAnExactPreviewUntilTheUserGoesOn() {
        QSignalSpy now(m_stage.get(), &StageWidget::showNowRequested);
        QSignalSpy keep(m_stage.get(), &StageWidget::stopAndKeepRequested);
        m_stage->beginJob(request());
        auto* row = m_stage->progressRow();
        QVERIFY(!row->showNowButton()->isEnabled());
        QVERIFY(!row->keepButton()->isEnabled());
        m_stage->setProgress({app::JobPhase::Denoise, 0, 20, 0.0, 9.0});
        QVERIFY(row->showNowButton()->isEnabled());
        QVERIFY(!row->keepButton()->isEnabled());
        m_stage->setProgress({app::JobPhase::Denoise, 6, 20, 0.3, 9.0});
        m_stage->showPreview(previewOf(6, makeImages(9, 32, 32, 3.3)));
        savePicture(QStringLiteral("running"));
        key(Qt::Key_E);
        QCOMPARE(now.count(), 1);
        QVERIFY(!row->showNowButton()->isEnabled());
        m_stage->showPreview(previewOf(7, makeScene(33, {256, 256}, 12.0)));
        QVERIFY(row->showNowButton()->isEnabled());
        m_stage->showPreview(previewOf(8, makeImages(9, 32, 32, 3.3)));
        QCOMPARE(player()->count(), 33);
        QCOMPARE(canvas()->badge(), QStringLiteral("Step 7 of 20, decoded exactly"));
        savePicture(QStringLiteral("exact"));
        QTest::mouseClick(m_stage->stepBar()->findChild<QToolButton*>(), Qt::LeftButton);
        QCOMPARE(player()->count(), 9);
        QTest::mouseClick(row->keepButton(), Qt::LeftButton);
        QCOMPARE(keep.count(), 1);
        m_stage->setProgress({app::JobPhase::Decode, 1, 20, 0.9, 1.0});
        QVERIFY(!row->showNowButton()->isEnabled());
        QVERIFY(!row->keepButton()->isEnabled());
    }

    void buttonsNobodyHearsAreNotShown() {
        m_stage->beginJob(request());
        QVERIFY(!m_stage->progressRow()->showNowButton()->isVisible());
        QVERIFY(!m_stage->progressRow()->keepButton()->isVisible());
    }

    void previewsDoNotRestartWhatWasPaused() {
        form(2);
        QTest::keyClick(canvas(), Qt::Key_Space);
        QVERIFY(!player()->isPlaying());
        m_stage->showPreview(previewOf(3, makeImages(9, 32, 32, 3.3)));
        QVERIFY(!player()->isPlaying());
        finish();
        QVERIFY(!player()->isPlaying());
        finish(QStringLiteral("/c/other.mp4"));
        QVERIFY(player()->isPlaying());
    }

    void keysOfThePlayer() {
        finish();
        key(Qt::Key_K);
        QVERIFY(!player()->isPlaying());
        key(Qt::Key_Home);
        key(Qt::Key_Period);
        key(Qt::Key_Right);
        QCOMPARE(player()->index(), 2);
        key(Qt::Key_Comma);
        QCOMPARE(player()->index(), 1);
        key(Qt::Key_L);
        QVERIFY(player()->isPlaying());
        QCOMPARE(player()->rate(), 1.0);
        for (const double rate : {2.0, 4.0, 4.0}) {
            key(Qt::Key_L);
            QCOMPARE(player()->rate(), rate);
        }
        QCOMPARE(m_stage->transportBar()->speedButton()->text(), QStringLiteral("4×"));
        key(Qt::Key_J);
        QCOMPARE(player()->rate(), -1.0);
        const int before = player()->index();
        QTRY_VERIFY(player()->index() != before);
        key(Qt::Key_K);
        QCOMPARE(player()->rate(), 1.0);
        key(Qt::Key_Less, Qt::ShiftModifier);
        key(Qt::Key_Less, Qt::ShiftModifier);
        key(Qt::Key_Less, Qt::ShiftModifier);
        QCOMPARE(player()->speed(), 0.25);
        key(Qt::Key_Greater, Qt::ShiftModifier);
        QCOMPARE(player()->speed(), 0.5);
    }

    void playsBackwardsOneFrameAfterTheOther() {
        FramePlayer alone;
        alone.setClip(makeImages(5, 8, 8, 20.0), false);
        alone.seek(2);
        QList<int> seen;
        connect(&alone, &FramePlayer::frameChanged, this, [&](int index) { seen.append(index); });
        alone.shuttle(-1);
        // Round the loop; a busy machine may leave frames out.
        QTRY_VERIFY(seen.size() >= 10);
        int down = 0, up = 0;
        for (qsizetype i = 1; i < seen.size(); ++i) {
            (seen.at(i) < seen.at(i - 1) ? down : up) += 1;
        }
        QVERIFY2(down > up, qPrintable(QStringLiteral("%1 down, %2 up").arg(down).arg(up)));
    }

    void marksBoundWhatIsPlayed() {
        finish();
        player()->seek(10);
        key(Qt::Key_I);
        player()->seek(20);
        key(Qt::Key_O);
        QCOMPARE(player()->markIn(), 10);
        QCOMPARE(player()->markOut(), 20);
        savePicture(QStringLiteral("marks"));
        player()->setSpeed(4.0);
        player()->seek(0);
        bool outside = false;
        int frames = 0;
        connect(player(), &FramePlayer::frameChanged, this, [&](int index) {
            ++frames;
            outside = outside || index < 10 || index > 20;
        });
        key(Qt::Key_Space);
        QTRY_VERIFY(frames > 15);
        QVERIFY(!outside);
        // The flags can be dragged, but not past one another.
        auto* scrub = m_stage->transportBar()->scrubBar();
        const auto at = [&](int frame) { return QPoint(static_cast<int>(scrub->xOf(frame)) + 2, 5); };
        QTest::mousePress(scrub, Qt::LeftButton, {}, at(10));
        QTest::mouseMove(scrub, at(15));
        QTest::mouseRelease(scrub, Qt::LeftButton, {}, at(15));
        QCOMPARE(player()->markIn(), 15);
        QTest::mousePress(scrub, Qt::LeftButton, {}, at(20) - QPoint(4, 0));
        QTest::mouseMove(scrub, at(3));
        QTest::mouseRelease(scrub, Qt::LeftButton, {}, at(3));
        QCOMPARE(player()->markOut(), 15);
        key(Qt::Key_X);
        QVERIFY(!player()->hasMarks());
        QCOMPARE(player()->markOut(), 32);
    }

    void marksSurviveALookBack() {
        form(20);
        finish();
        player()->setMarkIn(10);
        player()->setMarkOut(20);
        key(Qt::Key_Left, Qt::AltModifier);
        QCOMPARE(player()->markIn(), 2);
        QCOMPARE(player()->markOut(), 5);
        key(Qt::Key_Right, Qt::AltModifier);
        QCOMPARE(player()->markIn(), 10);
        QCOMPARE(player()->markOut(), 20);
        m_stage->showClip({QStringLiteral("/c/still.mp4"), makeImages(1), {}}, -1.0);
        QVERIFY(!player()->hasMarks());
    }

    void stopsAtTheEndWhenItDoesNotLoop() {
        FramePlayer alone;
        alone.setLooping(false);
        alone.setClip(makeImages(5, 8, 8, 100.0), false);
        QTRY_VERIFY(!alone.isPlaying());
        QCOMPARE(alone.index(), 4);
        alone.play();
        QCOMPARE(alone.index(), 0);
        QTRY_VERIFY(!alone.isPlaying());
    }

    void zoomsToTheMouseAndPans() {
        finish();
        QVERIFY(canvas()->isFitted());
        key(Qt::Key_1);
        QCOMPARE(canvas()->zoom(), 1.0);
        QCOMPARE(canvas()->imageRect().size(), QSize(256, 256));
        key(Qt::Key_0);
        QVERIFY(canvas()->isFitted());
        const QPoint at = canvas()->rect().center() + QPoint(40, -30);
        const auto pixelAt = [&] {
            const QRectF image = canvas()->imageRect();
            return QPointF((at.x() - image.left()) / image.width(), (at.y() - image.top()) / image.height());
        };
        for (int i = 0; i < 6; ++i) {
            wheel(at, 1);
        }
        const QPointF before = pixelAt();
        wheel(at, 1);
        QVERIFY((pixelAt() - before).manhattanLength() < 0.01);
        QCOMPARE(m_stage->transportBar()->zoomButton()->text(),
                 QStringLiteral("%1 %").arg(std::lround(100 * canvas()->zoom())));
        const QPoint corner = canvas()->imageRect().topLeft();
        const bool playing = player()->isPlaying();
        QTest::mousePress(canvas(), Qt::LeftButton, {}, at);
        QTest::mouseMove(canvas(), at + QPoint(30, 20));
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at + QPoint(30, 20));
        QVERIFY((canvas()->imageRect().topLeft() - corner - QPoint(30, 20)).manhattanLength() <= 2);
        QCOMPARE(player()->isPlaying(), playing);
        savePicture(QStringLiteral("zoomed"));
        // Never so far that the picture leaves the view.
        QTest::mousePress(canvas(), Qt::LeftButton, {}, at);
        QTest::mouseMove(canvas(), at + QPoint(9000, 9000));
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at);
        QVERIFY(canvas()->imageRect().contains(canvas()->rect().adjusted(1, 1, -1, -1)));
        QTest::mouseDClick(canvas(), Qt::LeftButton, {}, at);
        QVERIFY(canvas()->isFitted());
        for (int i = 0; i < 40; ++i) {
            wheel(at, 1);
        }
        QCOMPARE(canvas()->zoom(), StageCanvas::kMostZoom);
    }

    void atFullSizeEveryPixelIsOneOfTheScreen() {
        app::ClipImages images;
        QImage image(101, 67, QImage::Format_RGB32);
        for (int y = 0; y < image.height(); ++y) {
            for (int x = 0; x < image.width(); ++x) {
                image.setPixel(x, y, qRgb(2 * x, 3 * y, (x + y) % 2 * 255));
            }
        }
        images.frames.append(image);
        m_stage->showClip({QStringLiteral("/c/a.mp4"), images, {}}, -1.0);
        key(Qt::Key_1);
        const QImage shown = canvas()->grab(canvas()->imageRect()).toImage().convertToFormat(QImage::Format_RGB32);
        QCOMPARE(shown, image);
    }

    void framesGoToTheClipboardAndToFiles() {
        finish();
        player()->seek(12);
        key(Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QGuiApplication::clipboard()->image().size(), QSize(256, 256));
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("frame é \"12\".png"));
        m_stage->saveFrameAs(path);
        QTRY_VERIFY(QFileInfo::exists(path));
        QCOMPARE(QImage(path).convertToFormat(QImage::Format_RGB32), player()->image());
        m_stage->saveFrameAs(folder.filePath(QStringLiteral("nowhere/x.png")));
        const auto says = [&](const QString& words) {
            const auto labels = m_stage->findChildren<QLabel*>();
            return std::any_of(labels.begin(), labels.end(),
                               [&](const QLabel* label) { return label->toolTip().contains(words); });
        };
        QTRY_VERIFY(says(QStringLiteral("cannot be written")));
    }

    void barsSpeakTheirValues() {
        form(3);
        for (auto* bar : {steps(), m_stage->transportBar()->scrubBar()}) {
            auto* interface = QAccessible::queryAccessibleInterface(bar);
            QVERIFY(interface && interface->valueInterface());
            QCOMPARE(interface->valueInterface()->maximumValue().toInt(), bar->maximum());
            QVERIFY(!interface->text(QAccessible::Name).isEmpty());
        }
        QCOMPARE(QAccessible::queryAccessibleInterface(steps())->text(QAccessible::Description),
                 QStringLiteral("step 3 of 20"));
    }

    // Reported, not judged: how long the window stands still for a preview, small and as large as they come.
    void previewsCostLittle() {
        m_stage->resize(1600, 1000);
        m_stage->beginJob(request());
        QElapsedTimer clock;
        const auto measure = [&](const char* what, const app::ClipImages& images) {
            qint64 longest = 0;
            for (int step = 1; step <= 5; ++step) {
                clock.start();
                m_stage->showPreview(previewOf(step, images));
                canvas()->repaint();
                longest = std::max(longest, clock.nsecsElapsed());
            }
            qInfo("%s to the screen: %.1f ms", what, static_cast<double>(longest) * 1e-6);
        };
        measure("preview of 9 frames, 32 x 32,", makeImages(9, 32, 32, 3.3));
        measure("preview of 21 frames, 104 x 60,", makeScene(21, {104, 60}, 4.0));
        m_stage->showClip({QStringLiteral("/c/hd.mp4"), makeScene(8, {1920, 1080}, 24.0), {}}, -1.0);
        clock.start();
        player()->step(1);
        canvas()->repaint();
        qInfo("frame of full HD to the screen: %.1f ms", static_cast<double>(clock.nsecsElapsed()) * 1e-6);
        key(Qt::Key_Plus);
        clock.start();
        player()->step(1);
        canvas()->repaint();
        qInfo("the same enlarged: %.1f ms", static_cast<double>(clock.nsecsElapsed()) * 1e-6);
        QVERIFY(!m_stage->history().isEmpty());
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::StageTest)
#include "stage_test.moc"
