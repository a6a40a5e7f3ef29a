// Every state of the window in both themes, small and large: nothing is cut off, nothing leaves its place.
// With FW_PICTURES set to a folder, a picture of each is saved there to be looked at.
#include <QAbstractButton>
#include <QAccessible>
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QPainter>
#include <QPushButton>
#include <QTest>
#include <QTimer>
#include <QTranslator>
#include <functional>
#include <map>
#include <memory>

#include "studio_harness.h"
#include "test_values.h"
#include "ui/about_dialog.h"
#include "ui/clip_details.h"
#include "ui/error_presenter.h"
#include "ui/export_dialog.h"
#include "ui/frame_player.h"
#include "ui/language.h"
#include "ui/library_grid.h"
#include "ui/library_model.h"
#include "ui/library_panel.h"
#include "ui/main_window.h"
#include "ui/model_picker.h"
#include "ui/preferences.h"
#include "ui/prompt_panel.h"
#include "ui/settings_dialog.h"
#include "ui/settings_form.h"
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

// A control that takes the keyboard and has nothing for a screen reader to say; empty when there is none.
QString findNameless(const QWidget& window) {
    for (auto* widget : window.findChildren<QWidget*>()) {
        // Parts of Qt's own controls are named by the control they belong to.
        const bool part =
            widget->focusProxy() || widget->inherits("QScrollBar") || widget->inherits("QMenu") ||
            (widget->parentWidget() && (widget->parentWidget()->inherits("QComboBox") ||
                                        widget->parentWidget()->inherits("QAbstractSpinBox") ||
                                        widget->parentWidget()->inherits("QComboBoxPrivateContainer")));
        if (part || !widget->isVisibleTo(&window) || (widget->focusPolicy() & Qt::TabFocus) == 0) {
            continue;
        }
        const auto* interface = QAccessible::queryAccessibleInterface(widget);
        if (!interface || interface->text(QAccessible::Name).isEmpty()) {
            return QStringLiteral("a %1 (%2) has no name")
                .arg(QString::fromLatin1(widget->metaObject()->className()), widget->objectName());
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
        auto* forecast = studio.find<QLabel>(PromptPanel::tr("Forecast"));
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
    // One clip, looked at and taken for a comparison.
    static void library(const StudioHarness& studio) {
        studio.run(QStringLiteral("a boat"));
        QTRY_COMPARE_WITH_TIMEOUT(studio.count(store::JobState::Done), 1, 20'000);
        studio.window().findChild<QDockWidget*>(QStringLiteral("library"))->raise();
        auto* panel = studio.window().findChild<LibraryPanel*>();
        QTRY_COMPARE(panel->model()->rowCount(), 1);
        panel->grid()->setCurrentIndex(panel->model()->index(0));
        emit panel->grid()->collectRequested();
        QTRY_VERIFY(studio.find<QPushButton>(LibraryPanel::tr("What differs…")));
        QTRY_VERIFY(studio.find<QPushButton>(ClipDetails::tr("Load settings")));
    }
    static void trash(const StudioHarness& studio) {
        library(studio);
        studio.window().findChild<LibraryPanel*>()->showTrash(true);
        QTRY_VERIFY(studio.find<QPushButton>(LibraryPanel::tr("Restore")));
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

    static const std::map<QString, Steps>& allSteps() {
        static const std::map<QString, Steps> steps{
            {"empty", [](const StudioHarness& s) { QTRY_VERIFY(s.window().panel()->hasModel()); }},
            {"library", library},
            {"trash", trash},
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
        return steps;
    }

    // Faults of the window in a state, as usual and as small as it gets; one a line.
    [[nodiscard]] QString faultsOf(const QString& state, ThemeChoice choice, const QString& suffix) {
        QString faults;
        m_theme->setChoice(choice);
        for (const QSize size : {QSize(1280, 800), QSize(0, 0)}) {
            StudioHarness studio(*m_theme, QStringLiteral(FW_STUDIO_WORKER));
            studio.open();
            MainWindow& window = studio.window();
            window.resize(size.expandedTo(window.minimumSizeHint()));
            allSteps().at(state)(studio);
            QTest::qWait(50);
            const auto name =
                QStringLiteral("%1-%2-%3%4")
                    .arg(state, size.isEmpty() ? QStringLiteral("small") : QStringLiteral("usual"),
                         m_theme->isDark() ? QStringLiteral("dark") : QStringLiteral("light"), suffix);
            savePicture(window, name);
            const QString fault = findFault(window);
            faults += fault.isEmpty() ? fault : name + QStringLiteral(": ") + fault + QLatin1Char('\n');
        }
        return faults;
    }

    static QString popupFaults(const StudioHarness& studio, const QString& suffix) {
        MainWindow& window = studio.window();
        QString faults;
        const auto lookAt = [&](const QString& name, const std::function<void()>& open) {
            bool seen = false;
            QTimer::singleShot(150, &window, [&] {
                auto* popup = QApplication::activePopupWidget();
                auto* top = popup ? popup : QApplication::activeModalWidget();
                if (top) {
                    seen = true;
                    for (const QString& fault : {findFault(*top), findNameless(*top)}) {
                        faults += fault.isEmpty() ? fault : name + QStringLiteral(": ") + fault + QLatin1Char('\n');
                    }
                    savePicture(*top, name + suffix);
                    QTest::keyClick(top, Qt::Key_Escape);
                }
            });
            open();
            if (!QTest::qWaitFor([&] { return seen; })) {
                faults += name + QStringLiteral(" did not open\n");
            }
        };
        int number = 0;
        for (auto* action : window.menuBar()->actions()) {
            lookAt(QStringLiteral("menu%1").arg(++number),
                   [&] { action->menu()->popup(window.mapToGlobal(QPoint(40, 40))); });
        }
        lookAt("sizes", [&] { studio.find<QComboBox>(SettingsForm::tr("Size"))->showPopup(); });
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
        lookAt("models", [&] { window.panel()->findChild<ModelPicker*>()->openBelow(window.panel()); });
        return faults;
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

    // Menus, lists and dialogs: they open, nothing in them is cut off, everything has a name, and Escape closes
    // them.
    void popups() {
        QFETCH(int, choice);
        m_theme->setChoice(static_cast<ThemeChoice>(choice));
        StudioHarness studio(*m_theme, QStringLiteral(FW_STUDIO_WORKER));
        studio.open();
        finish(studio);
        const QString faults = popupFaults(studio, QStringLiteral("-%1").arg(choice));
        QVERIFY2(faults.isEmpty(), qPrintable(faults));
    }

    void states_data() {
        QTest::addColumn<QString>("state");
        for (const auto* state : {"empty", "typing", "invalid", "running", "finished", "pixels", "notice", "long",
                                  "cancelled", "failed", "nomodel", "paused", "library", "trash"}) {
            QTest::newRow(state) << QString::fromLatin1(state);
        }
    }

    void states() {
        QFETCH(QString, state);
        QString faults;
        for (const auto choice : {ThemeChoice::Dark, ThemeChoice::Light}) {
            faults += faultsOf(state, choice, QString());
        }
        QVERIFY2(faults.isEmpty(), qPrintable(faults));
    }

    void languagesFit_data() {
        QTest::addColumn<QString>("language");
        QTest::newRow("ru") << QStringLiteral("ru");
        QTest::newRow("zh_CN") << QStringLiteral("zh_CN");
    }

    // Longer words and other scripts: still nothing is cut off.
    void languagesFit() {
        QFETCH(QString, language);
        installLanguage(*qApp, language);
        QString faults;
        for (const auto* state :
             {"empty", "invalid", "running", "finished", "cancelled", "failed", "paused", "library", "trash"}) {
            faults += faultsOf(QString::fromLatin1(state), ThemeChoice::Light, QLatin1Char('-') + language);
        }
        QString popups;
        {
            StudioHarness studio(*m_theme, QStringLiteral(FW_STUDIO_WORKER));
            studio.open();
            finish(studio);
            popups = popupFaults(studio, QLatin1Char('-') + language);
        }
        for (auto* translator : qApp->findChildren<QTranslator*>()) {
            QCoreApplication::removeTranslator(translator);
            delete translator;
        }
        QLocale::setDefault(QLocale::c());
        QVERIFY2((faults + popups).isEmpty(), qPrintable(faults + popups));
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::LayoutTest)
#include "layout_test.moc"
