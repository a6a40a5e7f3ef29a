// The studio: one window per library, the engine in a process of its own, no network.
#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string_view>

#include "app/studio/single_instance.h"
#include "app/studio/studio_session.h"
#include "ui/inspector/inspect_window.h"
#include "ui/language.h"
#include "ui/main_window.h"
#include "ui/preferences.h"
#include "ui/prompt_panel.h"
#include "ui/screenshot_tour.h"
#include "ui/theme.h"

namespace {

constexpr int kUsage = 2;  // exit code, as in `fw`

struct CommandLine {
    fw::ui::StudioOptions options;
    fw::app::StartRequest request;
    fw::ui::ThemeChoice theme = fw::ui::ThemeChoice::System;
    QString library, screenshots;
    QString inspect;   // a trace or a clip; empty: the studio
    QString language;  // empty: as the settings say
};

bool parseTheme(const QString& name, fw::ui::ThemeChoice& theme) {
    if (name == QLatin1String("dark")) {
        theme = fw::ui::ThemeChoice::Dark;
    } else if (name == QLatin1String("light")) {
        theme = fw::ui::ThemeChoice::Light;
    } else {
        return name == QLatin1String("system");
    }
    return true;
}

[[noreturn]] void misunderstood(const QString& word) {
    std::fprintf(stderr, "framewright: %s is not understood; framewright --help lists the options\n",
                 qPrintable(word));
    std::exit(kUsage);
}

// Whether only a text is wanted, for which no display is needed.
bool wantsText(int argc, char** argv) {
    const auto end = std::find_if(argv + 1, argv + argc, [](std::string_view word) { return word == "--"; });
    return std::any_of(argv + 1, end, [](std::string_view word) {
        return word == "--help" || word == "--help-all" || word == "-h" || word == "--version" || word == "-v";
    });
}

void nameApplication() {
    QCoreApplication::setApplicationName(QStringLiteral("framewright"));
    QCoreApplication::setOrganizationName(QStringLiteral("Framewright"));
    QCoreApplication::setApplicationVersion(QStringLiteral(FW_VERSION));
}

// Ends the program for --help, --version and mistakes.
CommandLine parse(const QCoreApplication& application) {
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Makes video from text, on this machine."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(QStringLiteral("clip"), QStringLiteral("A clip whose settings are loaded."),
                                 QStringLiteral("[clip]"));
    const QCommandLineOption library(
        QStringLiteral("library"),
        QStringLiteral("Folder of the clips, the queue and everything about them (Framewright among your videos)."),
        QStringLiteral("dir"), fw::app::defaultLibraryFolder());
    const QCommandLineOption model(QStringLiteral("model"),
                                   QStringLiteral("Model folder in the diffusers layout (the embedded model)."),
                                   QStringLiteral("dir"));
    const QCommandLineOption theme(QStringLiteral("theme"), QStringLiteral("dark, light or system."),
                                   QStringLiteral("name"), QStringLiteral("system"));
    const QCommandLineOption language(
        QStringLiteral("language"),
        QStringLiteral("en, zh_CN, ru or system, this time only (as the settings say)."), QStringLiteral("code"));
    const QCommandLineOption prompt(QStringLiteral("prompt"), QStringLiteral("Start with this prompt."),
                                    QStringLiteral("text"));
    const QCommandLineOption settings(QStringLiteral("settings"),
                                      QStringLiteral("Keep settings in this INI file instead of your own."),
                                      QStringLiteral("file"));
    const QCommandLineOption screenshots(
        QStringLiteral("screenshot-dir"),
        QStringLiteral("Make a clip of the prompt, save a picture of the window in every state, and quit."),
        QStringLiteral("dir"));
    const QCommandLineOption inspect(
        QStringLiteral("inspect"),
        QStringLiteral(
            "Look into how a clip was made: its trace (.safetensors), or the clip with its trace beside it."),
        QStringLiteral("file"));
    parser.addOptions({library, model, theme, language, prompt, settings, screenshots, inspect});
    parser.process(application);

    CommandLine line;
    line.options = {parser.value(model), parser.value(settings)};
    line.library = QDir(parser.value(library)).absolutePath();
    line.language = parser.value(language);
    line.screenshots = parser.value(screenshots);
    line.inspect = parser.value(inspect);
    line.request.prompt = parser.value(prompt);
    line.request.activation = qEnvironmentVariable("XDG_ACTIVATION_TOKEN");
    for (const QString& file : parser.positionalArguments()) {
        line.request.files.append(QFileInfo(file).absoluteFilePath());
    }
    if (!parseTheme(parser.value(theme), line.theme)) {
        misunderstood(parser.value(theme));
    }
    if (!line.language.isEmpty() && !fw::ui::isLanguage(line.language)) {
        misunderstood(line.language);
    }
    return line;
}

// Nothing can be shown without a library: the reason is, and the program ends.
int refuse(const fw::Error& error) {
    std::fprintf(stderr, "framewright: %s\n", error.message.c_str());
    QMessageBox box(QMessageBox::NoIcon, QStringLiteral("Framewright"),
                    QCoreApplication::translate("fw::ui::Dialogs", "The library cannot be opened"),
                    QMessageBox::Close);
    box.setInformativeText(fw::ui::asSentence(error.message));
    box.exec();
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    nameApplication();
    if (wantsText(argc, argv)) {
        const QCoreApplication text(argc, argv);
        (void)parse(text);  // ends here, unless the word is the value of another option
    }
    QApplication application(argc, argv);
    QApplication::setApplicationDisplayName(QStringLiteral("Framewright"));
    QGuiApplication::setDesktopFileName(QStringLiteral("io.github.framewright.Framewright"));
    const CommandLine line = parse(application);
    fw::ui::installLanguage(application, line.language.isEmpty()
                                             ? fw::ui::Preferences(line.options.settingsFile).language()
                                             : line.language);

    if (!line.inspect.isEmpty()) {
        fw::ui::Theme theme(application);
        theme.setChoice(line.theme);
        fw::ui::InspectWindow window(line.inspect);
        window.show();
        return QApplication::exec();
    }
    QDir().mkpath(line.library);  // what stands in the way is said by the library
    fw::app::SingleInstance instance(line.library);
    if (instance.hand(line.request)) {
        return 0;
    }
    fw::ui::Theme theme(application);
    theme.setChoice(line.theme);
    fw::app::WorkerClientOptions worker;
    worker.program = fw::app::workerProgram();
    const auto session = fw::app::StudioSession::open(std::filesystem::path(line.library.toStdU16String()), worker);
    if (!session) {
        // Perhaps another studio took the library a moment ago and listens by now.
        return instance.hand(line.request) ? 0 : refuse(session.error());
    }
    if (const auto listening = instance.listen(); !listening) {
        qWarning("%s", listening.error().message.c_str());
    }

    fw::ui::MainWindow window(**session, theme, line.options);
    QObject::connect(&instance, &fw::app::SingleInstance::requested, &window, &fw::ui::MainWindow::serve);
    window.show();
    window.serve(line.request);
    (*session)->start();
    std::unique_ptr<fw::ui::ScreenshotTour> tour;
    if (!line.screenshots.isEmpty()) {
        tour = std::make_unique<fw::ui::ScreenshotTour>(window, line.screenshots, line.request.prompt);
    }
    return QApplication::exec();
}
