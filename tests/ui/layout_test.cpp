// Every state of the window in both themes, small and large: nothing is cut off, nothing leaves its place.
// With FW_PICTURES set to a folder, a picture of each is saved there to be looked at.
#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <functional>
#include <memory>

#include "scripted_engine.h"
#include "ui/dialogs.h"
#include "ui/frame_player.h"
#include "ui/main_window.h"
#include "ui/prompt_panel.h"
#include "ui/stage_widget.h"
#include "ui/theme.h"

namespace fw::ui::test {
namespace {

const auto kPrompt = QStringLiteral("a red car drives to the left in the city at night");
const auto kLongPrompt = QStringLiteral(
    "a penguin bounces in the snow at sunset and a polar bear moves in a circle behind "
    "it while snow falls, the camera zooms in, then pans slowly to the right");

// A picture with edges, so that scaling can be judged.
app::ClipImages makeScene(int count, int side, double fps) {
    app::ClipImages images{{}, fps};
    for (int i = 0; i < count; ++i) {
        QImage image(side, side, QImage::Format_RGB32);
        QPainter painter(&image);
        QLinearGradient sky(0, 0, 0, side);
        sky.setColorAt(0, QColor("#27355e"));
        sky.setColorAt(0.6, QColor("#d88a6a"));
        sky.setColorAt(0.61, QColor("#3c4f37"));
        sky.setColorAt(1, QColor("#20301f"));
        painter.fillRect(image.rect(), sky);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(QColor("#e8543f"));
        painter.drawEllipse(QPointF(side * (0.2 + 0.6 * i / count), side * 0.6), side * 0.13, side * 0.13);
        images.frames.append(image);
    }
    return images;
}

// What is wrong with the places of `window`'s widgets; empty when nothing is.
QString findFault(const QWidget& window) {
    for (const auto* widget : window.findChildren<QWidget*>()) {
        if (!widget->isVisibleTo(&window) || widget->window() != &window || widget->visibleRegion().isEmpty()) {
            continue;
        }
        const auto* label = qobject_cast<const QLabel*>(widget);
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        const QString text = label ? label->text() : button ? button->text() : QString();
        if (text.isEmpty()) {
            continue;
        }
        const bool wraps = label && label->wordWrap();
        const int width = widget->fontMetrics().horizontalAdvance(text);
        if (!wraps && width > widget->width()) {
            return QStringLiteral("“%1” needs %2 pixels and has %3").arg(text).arg(width).arg(widget->width());
        }
        if (wraps && label->heightForWidth(label->width()) > label->height()) {
            return QStringLiteral("“%1” needs more lines than it has").arg(text);
        }
        const QRect place(widget->mapTo(&window, QPoint()), widget->size());
        if (!window.rect().contains(place) && !widget->parentWidget()->inherits("QScrollArea") &&
            widget->visibleRegion().boundingRect() == widget->rect()) {
            return QStringLiteral("“%1” lies outside the window").arg(text);
        }
    }
    return {};
}

}  // namespace

class LayoutTest : public QObject {
    Q_OBJECT

 private:
    using Steps = std::function<void(ScriptedEngine&, MainWindow&)>;

    static void type(ScriptedEngine& engine, MainWindow& window) {
        emit engine.modelReady(makeModel());
        window.panel()->setPrompt(kPrompt);
        QTRY_VERIFY(!engine.forecasts.isEmpty());
        QTest::qWait(150);
        emit engine.forecastReady(engine.forecasts.last().first, {2304, 3'940'000'000'000, qint64{212} << 20});
    }
    static void preview(ScriptedEngine& engine, MainWindow& window) {
        type(engine, window);
        window.run();
        emit engine.progressed(1, {app::JobPhase::Denoise, 7, 20, 0.38, 9.0});
        emit engine.previewed(1, {7, 20, makeScene(9, 32, 3.3)});
    }
    static void finish(ScriptedEngine& engine, MainWindow& window) {
        emit engine.recentClips({{QStringLiteral("/c/1.mp4"), makeScene(1, 256, 12), {}},
                                 {QStringLiteral("/c/2.mp4"), makeImages(1, 256, 256), {}}});
        preview(engine, window);
        app::FinishedClip clip;
        clip.clip = {QStringLiteral("/c/3.mp4"), makeScene(33, 256, 12), engine.started.last()};
        clip.cost = {2304, 3'940'000'000'000, 0};
        clip.totalSeconds = 12.3;
        clip.computeSeconds = 11.8;
        engine.running = 0;
        emit engine.finished(1, clip);
        window.stage()->player()->seek(12);
    }

    static void savePicture(QWidget& widget, const QString& name) {
        if (qEnvironmentVariableIsSet("FW_PICTURES")) {
            QDir().mkpath(qEnvironmentVariable("FW_PICTURES"));
            widget.grab().save(QDir(qEnvironmentVariable("FW_PICTURES")).filePath(name + ".png"));
        }
    }

 private slots:
    void popups_data() {
        QTest::addColumn<int>("choice");
        QTest::newRow("dark") << static_cast<int>(ThemeChoice::Dark);
        QTest::newRow("light") << static_cast<int>(ThemeChoice::Light);
    }

    // Menu, list and dialogs: they open, nothing in them is cut off, and Escape closes them.
    void popups() {
        QFETCH(int, choice);
        Theme theme(*qApp);
        theme.setChoice(static_cast<ThemeChoice>(choice));
        const QTemporaryDir folder;
        ScriptedEngine engine;
        MainWindow window(engine, theme, {{}, folder.path(), folder.filePath(QStringLiteral("s.ini"))});
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        finish(engine, window);
        const auto lookAt = [&](const char* name, const std::function<void()>& open) {
            bool seen = false;
            QTimer::singleShot(150, &window, [&] {
                auto* popup = QApplication::activePopupWidget();
                auto* top = popup ? popup : QApplication::activeModalWidget();
                if (top) {
                    seen = true;
                    const QString fault = findFault(*top);
                    savePicture(*top, QStringLiteral("%1-%2").arg(QString::fromLatin1(name)).arg(choice));
                    QTest::keyClick(top, Qt::Key_Escape);
                    QVERIFY2(fault.isEmpty(), qPrintable(fault));
                }
            });
            open();
            QTRY_VERIFY2(seen, name);
        };
        for (auto* button : window.findChildren<QToolButton*>()) {
            if (button->menu() && button->isVisible()) {
                lookAt(qPrintable(QStringLiteral("menu-") + button->accessibleName().toLower()),
                       [&] { button->showMenu(); });
            }
        }
        lookAt("sizes", [&] { window.findChild<QComboBox*>()->showPopup(); });
        lookAt("shortcuts", [&] { showShortcutsDialog(&window); });
        lookAt("about", [&] { showAboutDialog(&window); });
        lookAt("replace", [&] { QVERIFY(!askToReplace(&window, QStringLiteral("/home/ada/a fox.webm"))); });
        lookAt("save", [&] {
            QVERIFY(
                askForClipPath(&window, folder.path(), QFileInfo(QStringLiteral("/home/ada/a fox.mp4"))).isEmpty());
        });
    }

    void states_data() {
        QTest::addColumn<QString>("state");
        for (const auto* state : {"empty", "typing", "invalid", "running", "finished", "pixels", "notice", "long",
                                  "cancelled", "failed", "nomodel"}) {
            QTest::newRow(state) << QString::fromLatin1(state);
        }
    }

    void states() {
        QFETCH(QString, state);
        const std::map<QString, Steps> steps{
            {"empty", [](ScriptedEngine& e, MainWindow&) { emit e.modelReady(makeModel()); }},
            {"typing", type},
            {"invalid",
             [](ScriptedEngine& e, MainWindow& w) {
                 type(e, w);
                 auto request = w.panel()->request();
                 request.width = 250;
                 request.negativePrompt = "blurry";
                 w.panel()->showRequest(request);
             }},
            {"running", preview},
            {"finished", finish},
            {"pixels",
             [](ScriptedEngine& e, MainWindow& w) {
                 finish(e, w);
                 w.stage()->setSmooth(false);
             }},
            {"notice",
             [](ScriptedEngine& e, MainWindow& w) {
                 finish(e, w);
                 w.stage()->showNotice(QStringLiteral("Saved as /home/ada/Videos/Framewright/a red car.webm"),
                                       QStringLiteral("Open folder"));
             }},
            {"long",
             [](ScriptedEngine& e, MainWindow& w) {
                 emit e.modelReady(makeModel());
                 w.panel()->setPrompt(kLongPrompt + kLongPrompt);
                 w.run();
             }},
            {"cancelled",
             [](ScriptedEngine& e, MainWindow& w) {
                 preview(e, w);
                 w.cancel();
                 e.confirmCancel();
             }},
            {"failed",
             [](ScriptedEngine& e, MainWindow& w) {
                 preview(e, w);
                 e.fail({ErrorCode::OutOfMemory, "this clip needs 12.4 GiB of memory, 3.1 GiB are free"});
             }},
            {"nomodel",
             [](ScriptedEngine& e, MainWindow&) {
                 emit e.modelFailed(
                     QStringLiteral("/home/ada/models/broken"),
                     {ErrorCode::BadModel, "/home/ada/models/broken/transformer/config.json has no num_layers"});
             }},
        };
        Theme theme(*qApp);
        QString faults;
        for (const auto choice : {ThemeChoice::Dark, ThemeChoice::Light}) {
            theme.setChoice(choice);
            for (const QSize size : {QSize(1280, 832), QSize(0, 0)}) {
                const QTemporaryDir folder;
                ScriptedEngine engine;
                MainWindow window(engine, theme, {{}, folder.path(), folder.filePath(QStringLiteral("s.ini"))});
                window.resize(size.expandedTo(window.minimumSize()));
                window.show();
                QVERIFY(QTest::qWaitForWindowExposed(&window));
                window.activateWindow();
                steps.at(state)(engine, window);
                QTest::qWait(50);
                const auto name = QStringLiteral("%1-%2-%3")
                                      .arg(state)
                                      .arg(window.width())
                                      .arg(theme.isDark() ? QStringLiteral("dark") : QStringLiteral("light"));
                savePicture(window, name);
                const QString fault = findFault(window);
                if (!fault.isEmpty()) {
                    faults += name + QStringLiteral(": ") + fault + QLatin1Char('\n');
                }
            }
        }
        QVERIFY2(faults.isEmpty(), qPrintable(faults));
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::LayoutTest)
#include "layout_test.moc"
