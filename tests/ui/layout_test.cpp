// Every state of the window in both themes, small and large: nothing is cut off, nothing leaves its place.
// With FW_PICTURES set to a folder, a picture of each is saved there to be looked at.
#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QPainter>
#include <QTest>
#include <QTimer>
#include <functional>
#include <memory>

#include "studio_harness.h"
#include "test_values.h"
#include "ui/about_dialog.h"
#include "ui/error_presenter.h"
#include "ui/export_dialog.h"
#include "ui/frame_player.h"
#include "ui/main_window.h"
#include "ui/preferences.h"
#include "ui/prompt_panel.h"
#include "ui/settings_dialog.h"
#include "ui/shortcut_sheet.h"
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
    using Steps = std::function<void(const StudioHarness&)>;

    static void type(const StudioHarness& studio) {
        QTRY_VERIFY(studio.window().panel()->hasModel());
        studio.window().panel()->setPrompt(kPrompt);
        auto* forecast = studio.find<QLabel>(QStringLiteral("Forecast"));
        QTRY_VERIFY(forecast->text().contains(QStringLiteral("212 MiB")));
    }
    static void preview(const StudioHarness& studio) {
        type(studio);
        auto* stage = studio.window().stage();
        stage->beginJob(studio.window().panel()->request());
        stage->setProgress({app::JobPhase::Denoise, 7, 20, 0.38, 9.0});
        stage->showPreview({7, 20, makeScene(9, 32, 3.3)});
    }
    static void finish(const StudioHarness& studio) {
        preview(studio);
        const auto request = studio.window().panel()->request();
        studio.window().stage()->showClip({QStringLiteral("/c/3.mp4"), makeScene(33, 256, 12), request}, 12.3);
        studio.window().stage()->player()->seek(12);
    }
    static void showError(const StudioHarness& studio, const Error& error) {
        studio.window().stage()->showError(presentError(error), QString());
    }

    static void savePicture(QWidget& widget, const QString& name) {
        if (qEnvironmentVariableIsSet("FW_PICTURES")) {
            QDir().mkpath(qEnvironmentVariable("FW_PICTURES"));
            widget.grab().save(QDir(qEnvironmentVariable("FW_PICTURES")).filePath(name + ".png"));
        }
    }

    std::unique_ptr<Theme> m_theme;

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
    }

    void popups_data() {
        QTest::addColumn<int>("choice");
        QTest::newRow("dark") << static_cast<int>(ThemeChoice::Dark);
        QTest::newRow("light") << static_cast<int>(ThemeChoice::Light);
    }

    // Menus, lists and dialogs: they open, nothing in them is cut off, and Escape closes them.
    void popups() {
        QFETCH(int, choice);
        m_theme->setChoice(static_cast<ThemeChoice>(choice));
        StudioHarness studio(*m_theme, QStringLiteral(FW_STUDIO_WORKER));
        studio.open();
        finish(studio);
        MainWindow& window = studio.window();
        const auto lookAt = [&](const QString& name, const std::function<void()>& open) {
            bool seen = false;
            QTimer::singleShot(150, &window, [&] {
                auto* popup = QApplication::activePopupWidget();
                auto* top = popup ? popup : QApplication::activeModalWidget();
                if (top) {
                    seen = true;
                    const QString fault = findFault(*top);
                    savePicture(*top, QStringLiteral("%1-%2").arg(name).arg(choice));
                    QTest::keyClick(top, Qt::Key_Escape);
                    QVERIFY2(fault.isEmpty(), qPrintable(fault));
                }
            });
            open();
            QTRY_VERIFY2(seen, qPrintable(name));
        };
        for (auto* action : window.menuBar()->actions()) {
            lookAt(QString(action->text()).remove(QLatin1Char('&')),
                   [&] { action->menu()->popup(window.mapToGlobal(QPoint(40, 40))); });
        }
        lookAt("sizes", [&] { studio.find<QComboBox>(QStringLiteral("Size"))->showPopup(); });
        lookAt("shortcuts", [&] { ShortcutSheet(window, &window).exec(); });
        lookAt("settings", [&] {
            SettingsDialog(*window.preferences(), QStringLiteral("/home/ada/Videos/F"), &window).exec();
        });
        lookAt("about", [&] { AboutDialog(&window).exec(); });
        lookAt("export", [&] {
            ExportDialog(studio.session().clips(), {QStringLiteral(FW_SOURCE_DIR "/tests/ui/data/heart.mp4")},
                         &window)
                .exec();
        });
    }

    void states_data() {
        QTest::addColumn<QString>("state");
        for (const auto* state : {"empty", "typing", "invalid", "running", "finished", "pixels", "notice", "long",
                                  "cancelled", "failed", "nomodel", "paused"}) {
            QTest::newRow(state) << QString::fromLatin1(state);
        }
    }

    void states() {
        QFETCH(QString, state);
        const std::map<QString, Steps> steps{
            {"empty", [](const StudioHarness& s) { QTRY_VERIFY(s.window().panel()->hasModel()); }},
            {"typing", type},
            {"invalid",
             [](const StudioHarness& s) {
                 type(s);
                 auto request = s.window().panel()->request();
                 request.width = 250;
                 request.negativePrompt = "blurry";
                 s.window().panel()->showRequest(request);
             }},
            {"running", preview},
            {"finished", finish},
            {"pixels",
             [](const StudioHarness& s) {
                 finish(s);
                 s.window().stage()->setSmooth(false);
             }},
            {"notice",
             [](const StudioHarness& s) {
                 finish(s);
                 s.window().stage()->showNotice(QStringLiteral("Saved as /home/ada/Videos/Framewright/a car.webm"),
                                                QStringLiteral("Open folder"));
             }},
            {"long",
             [](const StudioHarness& s) {
                 QTRY_VERIFY(s.window().panel()->hasModel());
                 s.window().panel()->setPrompt(kLongPrompt + kLongPrompt);
                 s.window().stage()->beginJob(s.window().panel()->request());
             }},
            {"cancelled",
             [](const StudioHarness& s) {
                 preview(s);
                 s.window().stage()->showCancelled();
             }},
            {"failed",
             [](const StudioHarness& s) {
                 preview(s);
                 showError(s, {ErrorCode::OutOfMemory, "this clip needs 12.4 GiB of memory, 3.1 GiB are free"});
             }},
            {"nomodel",
             [](const StudioHarness& s) {
                 QTRY_VERIFY(s.window().panel()->hasModel());
                 const Error error{ErrorCode::BadModel,
                                   "/home/ada/models/broken/transformer/config.json has no num_layers"};
                 s.window().panel()->setModelError(error);
                 showError(s, error);
             }},
            {"paused",
             [](const StudioHarness& s) {
                 s.session().queue().setPaused(true);
                 s.run(QStringLiteral("a boat"));
                 s.run(QStringLiteral("a fox bounces in the snow at sunset"));
             }},
        };
        QString faults;
        for (const auto choice : {ThemeChoice::Dark, ThemeChoice::Light}) {
            m_theme->setChoice(choice);
            for (const QSize size : {QSize(1280, 800), QSize(0, 0)}) {
                StudioHarness studio(*m_theme, QStringLiteral(FW_STUDIO_WORKER));
                studio.open();
                MainWindow& window = studio.window();
                window.resize(size.expandedTo(window.minimumSizeHint()));
                steps.at(state)(studio);
                QTest::qWait(50);
                const auto name = QStringLiteral("%1-%2-%3")
                                      .arg(state)
                                      .arg(size.isEmpty() ? QStringLiteral("small") : QStringLiteral("usual"),
                                           m_theme->isDark() ? QStringLiteral("dark") : QStringLiteral("light"));
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
