// The window's parts that need no engine: presets, words, player, canvas, seed, style.
#include <QApplication>
#include <QComboBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>
#include <cmath>

#include "test_values.h"
#include "ui/about_dialog.h"
#include "ui/clip_presets.h"
#include "ui/error_presenter.h"
#include "ui/example_prompts.h"
#include "ui/formats.h"
#include "ui/frame_player.h"
#include "ui/icons.h"
#include "ui/scrub_bar.h"
#include "ui/seed_field.h"
#include "ui/stage_canvas.h"
#include "ui/style_sheet.h"
#include "ui/theme.h"

namespace fw::ui::test {
namespace {

// Relative luminance and contrast as WCAG 2.1 defines them: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
double luminance(const QColor& colour) {
    const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
}

double contrast(const QColor& a, const QColor& b) {
    const double la = luminance(a), lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

}  // namespace

class PartsTest : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }

    void sizesFitTheModel_data() {
        QTest::addColumn<int>("width");
        QTest::addColumn<int>("height");
        QTest::newRow("mini") << 256 << 256;
        QTest::newRow("wan") << 832 << 480;
        QTest::newRow("tall") << 480 << 832;
        QTest::newRow("smallest") << 16 << 16;
    }
    void sizesFitTheModel() {
        QFETCH(int, width);
        QFETCH(int, height);
        job::ModelDefaults defaults;
        defaults.width = width;
        defaults.height = height;
        const auto sizes = sizePresets(defaults);
        QCOMPARE(sizes.first(), QSize(width, height));
        for (const auto& size : sizes) {
            QCOMPARE(size.width() % defaults.sizeMultiple, 0);
            QCOMPARE(size.height() % defaults.sizeMultiple, 0);
            QVERIFY(size.width() > 0 && size.height() > 0);
            QCOMPARE(sizes.count(size), 1);
        }
        if (width != height) {
            QVERIFY(sizes.contains(QSize(height, width)));
        }
    }

    void lengthsFitTheModel() {
        job::ModelDefaults defaults;
        for (const qint64 frames : {1, 5, 33, 81}) {
            defaults.frames = frames;
            const auto lengths = lengthPresets(defaults);
            QVERIFY(lengths.contains(frames));
            QVERIFY(std::is_sorted(lengths.begin(), lengths.end()));
            for (const auto length : lengths) {
                QCOMPARE((length - 1) % defaults.frameMultiple, 0);
                QCOMPARE(lengths.count(length), 1);
            }
        }
        // A model made for long clips says so by its own length, and the lengths offered grow with it.
        defaults.frames = 129;
        QCOMPARE(lengthPresets(defaults), (QList<qint64>{1, 33, 65, 129}));
        defaults.frames = 1025;
        QCOMPARE(lengthPresets(defaults), (QList<qint64>{1, 257, 513, 1025}));
        // Or names the longer ones.
        defaults.frames = 33;
        defaults.longerFrames = {65, 129};
        QCOMPARE(lengthPresets(defaults), (QList<qint64>{1, 9, 17, 33, 65, 129}));
    }

    void numbersRead() {
        QCOMPARE(flopsText(0), QStringLiteral("0 FLOP"));
        QCOMPARE(flopsText(3'940'000'000'000), QStringLiteral("3.9 TFLOP"));
        QCOMPARE(flopsText(999'960'000'000), QStringLiteral("1.0 TFLOP"));
        QCOMPARE(flopsText(78'800'000'000), QStringLiteral("79 GFLOP"));
        QCOMPARE(durationText(2.75), QStringLiteral("2.8 s"));
        QCOMPARE(durationText(41.2), QStringLiteral("41 s"));
        QCOMPARE(durationText(200.0), QStringLiteral("3 min 20 s"));
        QCOMPARE(durationText(3900.0), QStringLiteral("1 h 5 min"));
        QCOMPARE(durationText(-1.0), QStringLiteral("0.0 s"));
        QCOMPARE(wholeDurationText(3.4), QStringLiteral("3 s"));
        QCOMPARE(timeCode(2.75), QStringLiteral("0:02.75"));
        QCOMPARE(timeCode(61.999), QStringLiteral("1:02.00"));
    }

    void everyErrorIsPresented() {
        for (const auto code :
             {ErrorCode::InvalidArgument, ErrorCode::BadModel, ErrorCode::OutOfMemory, ErrorCode::Cancelled,
              ErrorCode::Io, ErrorCode::Unsupported, ErrorCode::DeviceLost, ErrorCode::Internal}) {
            const auto shown = presentError({code, "width 250 is no multiple of 16"});
            QVERIFY(!shown.title.isEmpty());
            QVERIFY(!shown.advice.isEmpty());
            QCOMPARE(shown.sentence, QStringLiteral("Width 250 is no multiple of 16."));
            QCOMPARE(shown.actionText.isEmpty(), shown.action == SuggestedAction::None);
        }
        QCOMPARE(asSentence("/models/x: not there"), QStringLiteral("/models/x: not there."));
        QCOMPARE(asSentence("model.safetensors is cut off"), QStringLiteral("model.safetensors is cut off."));
        QCOMPARE(asSentence("no memory!"), QStringLiteral("No memory!"));
        QCOMPARE(asSentence(""), QString());
    }

    void examplesAreInTheModelsWords() {
        QCOMPARE(examplePrompts(QStringLiteral("mini")).size(), 4);
        QVERIFY(examplePrompts(QStringLiteral("mini")) != examplePrompts(QStringLiteral("Wan2.1-T2V-1.3B")));
        QVERIFY(!placeholderPrompt(QStringLiteral("mini")).isEmpty());
    }

    void playerKeepsTime() {
        FramePlayer player;
        QSignalSpy frames(&player, &FramePlayer::frameChanged);
        player.setClip(makeImages(10, 8, 8, 50.0), false);
        QVERIFY(player.isPlaying());
        frames.clear();
        QElapsedTimer clock;
        clock.start();
        QTest::qWait(500);
        player.pause();
        // Exactly as many frames on as the clock says, even where the timer was late and some were left out.
        const int due = static_cast<int>(clock.elapsed() * 50 / 1000) % 10;
        const int off = std::abs(player.index() - due);
        QVERIFY2(std::min(off, 10 - off) <= 1,
                 qPrintable(QStringLiteral("%1, due %2").arg(player.index()).arg(due)));
        QVERIFY(frames.count() > 5);
    }

    void playerStepsAndSeeks() {
        FramePlayer player;
        player.step(1);
        player.seek(3);
        QVERIFY(player.isEmpty() && player.image().isNull());
        player.setClip(makeImages(5), false);
        player.step(-1);
        QVERIFY(!player.isPlaying());
        QCOMPARE(player.index(), 4);
        player.step(1);
        QCOMPARE(player.index(), 0);
        player.seek(99);
        QCOMPARE(player.index(), 4);
        player.seek(-1);
        QCOMPARE(player.index(), 0);
        player.play();
        QVERIFY(player.isPlaying());
        player.clear();
        QVERIFY(!player.isPlaying() && player.isEmpty());
        player.setClip(makeImages(1), false);
        QVERIFY2(!player.isPlaying(), "a still has nothing to play");
    }

    void previewsKeepTheirPlaceInTheLoop() {
        FramePlayer player;
        player.setClip(makeImages(9, 8, 8, 30.0), true);
        QTRY_VERIFY(player.index() >= 4);
        const double before = static_cast<double>(player.index()) / player.count();
        player.setClip(makeImages(33, 8, 8, 110.0), true);
        const double after = static_cast<double>(player.index()) / player.count();
        QVERIFY2(after >= before && after < before + 0.25,
                 qPrintable(QStringLiteral("%1 %2").arg(before).arg(after)));
        player.setClip(makeImages(9), false);
        QCOMPARE(player.index(), 0);
    }

    void canvasKeepsTheShape() {
        FramePlayer player;
        StageCanvas canvas(player);
        canvas.resize(800, 400);
        QVERIFY(canvas.imageRect().isEmpty());
        player.setClip(makeImages(2, 100, 50), false);
        const QRect smooth = canvas.imageRect();
        QCOMPARE(smooth.width(), 2 * smooth.height());
        QVERIFY(canvas.rect().contains(smooth));
        canvas.setSmooth(false);
        QCOMPARE(canvas.imageRect().width() % 100, 0);
        canvas.setClipSize(QSize(50, 100));  // the clip to come is tall, whatever the preview is
        QVERIFY(canvas.imageRect().height() > canvas.imageRect().width());
    }

    void scrubBarFollowsTheMouse() {
        ScrubBar bar;
        bar.setRange(0, 32);
        bar.resize(400, 32);
        bar.show();
        QSignalSpy values(&bar, &QAbstractSlider::valueChanged);
        QTest::mouseClick(&bar, Qt::LeftButton, {}, QPoint(399, 16));
        QCOMPARE(bar.value(), 32);
        QTest::mousePress(&bar, Qt::LeftButton, {}, QPoint(0, 16));
        QTest::mouseMove(&bar, QPoint(200, 16));
        QTest::mouseRelease(&bar, Qt::LeftButton, {}, QPoint(200, 16));
        QCOMPARE(bar.value(), 16);
        QVERIFY(values.count() >= 3);
    }

    void seedIsDrawnTypedAndKept() {
        SeedField field;
        QVERIFY(field.seed().has_value());
        field.setSeed(7);
        field.setLocked(true);
        field.drawUnlessLocked();
        QCOMPARE(*field.seed(), 7u);
        field.setLocked(false);
        int same = 0;
        for (int i = 0; i < 8; ++i) {
            const auto before = field.seed();
            field.drawUnlessLocked();
            same += before == field.seed();
        }
        QVERIFY(same < 8);
        field.edit()->clear();
        QVERIFY(!field.seed());
        QTest::keyClicks(field.edit(), QStringLiteral("18446744073709551615"));
        QCOMPARE(*field.seed(), 18446744073709551615u);
        QVERIFY2(field.isLocked(), "a typed seed is meant");
        field.edit()->setText(QStringLiteral("18446744073709551616"));
        QVERIFY(!field.seed());
        field.edit()->setText(QStringLiteral("-1"));
        QVERIFY(!field.seed());
    }

    void coloursAreLegible() {
        for (const auto* c : {&darkColours(), &lightColours()}) {
            for (const auto& ground : {c->window, c->panel, c->control, c->controlHover}) {
                QVERIFY(contrast(c->text, ground) >= 7.0);
                QVERIFY(contrast(c->textSecondary, ground) >= 4.5);
            }
            for (const auto& accent : {c->accent, c->accentHover, c->accentPressed}) {
                QVERIFY(contrast(c->onAccent, accent) >= 4.5);
            }
            // Selected rows of the queue.
            QVERIFY(contrast(c->textSecondary, c->line) >= 4.5);
            QVERIFY(contrast(c->danger, c->line) >= 4.5);
            for (const auto& ground : {c->window, c->panel, c->control}) {
                QVERIFY2(contrast(c->border, ground) >= 3.0, qPrintable(ground.name()));
                QVERIFY2(contrast(c->accent, ground) >= 3.0, qPrintable(ground.name()));
                QVERIFY2(contrast(c->danger, ground) >= 4.5, qPrintable(ground.name()));
            }
        }
    }

    void styleNamesOnlyColoursThatExist() {
        QVERIFY(!styleSheet(darkColours()).contains(QLatin1Char('@')));
        QVERIFY(!styleSheet(darkColours()).contains(QStringLiteral("#000000")));
        QVERIFY(styleSheet(darkColours()) != styleSheet(lightColours()));
    }

    void themeChangesIconsToo() {
        Theme theme(*qApp);
        theme.setChoice(ThemeChoice::Dark);
        QVERIFY(theme.isDark());
        const QImage dark = icon(QStringLiteral("menu")).pixmap(40, 40).toImage();
        theme.setChoice(ThemeChoice::Light);
        QVERIFY(!theme.isDark());
        const QImage light = icon(QStringLiteral("menu")).pixmap(40, 40).toImage();
        QVERIFY(dark != light);
        QCOMPARE(light.pixelColor(20, 20), lightColours().text);
    }

    // Every licence that is named can be read.
    void theTermsOfEverythingAreShown() {
        AboutDialog dialog;
        auto* choice = dialog.findChild<QComboBox*>();
        auto* text = dialog.findChild<QPlainTextEdit*>();
        const auto list = components();
        QCOMPARE(choice->count(), list.size());
        QVERIFY(text->toPlainText().contains(QStringLiteral("Apache License")));
        for (int i = 0; i < choice->count(); ++i) {
            choice->setCurrentIndex(i);
            QVERIFY2(text->toPlainText().contains(list[i].copyright), qPrintable(list[i].name));
            QVERIFY2(list[i].text.isEmpty() || QFile(list[i].text).size() > 900, qPrintable(list[i].name));
        }
        bool said = false;
        for (const auto* label : dialog.findChildren<QLabel*>()) {
            said = said || label->text().contains(QStringLiteral("no network access at all"));
        }
        QVERIFY(said);
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::PartsTest)
#include "parts_test.moc"
