// The studio: one window, one engine thread, no network.
#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QSettings>
#include <QStandardPaths>
#include <cstdio>
#include <memory>

#include "app/studio/engine_runner.h"
#include "ui/main_window.h"
#include "ui/prompt_panel.h"
#include "ui/screenshot_tour.h"
#include "ui/theme.h"

namespace {

constexpr int kUsage = 2;  // exit code, as in `fw`

struct CommandLine {
    fw::ui::StudioOptions options;
    fw::ui::ThemeChoice theme = fw::ui::ThemeChoice::System;
    QString prompt, screenshots;
};

QString defaultOutputFolder() {
    const QString movies = QStandardPaths::writableLocation(QStandardPaths::MoviesLocation);
    return QDir(movies.isEmpty() ? QDir::homePath() : movies).filePath(QStringLiteral("Framewright"));
}

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

// Ends the program for --help, --version and mistakes.
CommandLine parse(const QApplication& application) {
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Makes video from text, on this machine."));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption model(QStringLiteral("model"),
                                   QStringLiteral("Model folder in the diffusers layout (the embedded model)."),
                                   QStringLiteral("dir"));
    const QCommandLineOption theme(QStringLiteral("theme"), QStringLiteral("dark, light or system."),
                                   QStringLiteral("name"), QStringLiteral("system"));
    const QCommandLineOption output(QStringLiteral("output-dir"),
                                    QStringLiteral("Folder for finished clips (Framewright among your videos)."),
                                    QStringLiteral("dir"), defaultOutputFolder());
    const QCommandLineOption prompt(QStringLiteral("prompt"), QStringLiteral("Start with this prompt."),
                                    QStringLiteral("text"));
    const QCommandLineOption settings(QStringLiteral("settings"),
                                      QStringLiteral("Keep settings in this INI file instead of your own."),
                                      QStringLiteral("file"));
    const QCommandLineOption screenshots(
        QStringLiteral("screenshot-dir"),
        QStringLiteral("Make a clip of the prompt, save a picture of the window in every state, and quit."),
        QStringLiteral("dir"));
    parser.addOptions({model, theme, output, prompt, settings, screenshots});
    parser.process(application);

    CommandLine line;
    line.options = {parser.value(model), QDir(parser.value(output)).absolutePath(), parser.value(settings)};
    line.prompt = parser.value(prompt);
    line.screenshots = parser.value(screenshots);
    if (!parser.positionalArguments().isEmpty() || !parseTheme(parser.value(theme), line.theme)) {
        std::fprintf(stderr, "framewright: %s is not understood; framewright --help lists the options\n",
                     qPrintable(parser.positionalArguments().isEmpty() ? parser.value(theme)
                                                                       : parser.positionalArguments().first()));
        std::exit(kUsage);
    }
    return line;
}

}  // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("framewright"));
    QApplication::setApplicationDisplayName(QStringLiteral("Framewright"));
    QApplication::setOrganizationName(QStringLiteral("Framewright"));
    QApplication::setApplicationVersion(QStringLiteral(FW_VERSION));
    QGuiApplication::setDesktopFileName(QStringLiteral("io.github.framewright.Framewright"));
    const CommandLine line = parse(application);

    fw::ui::Theme theme(application);
    theme.setChoice(line.theme);
    fw::app::EngineRunner engine;
    fw::ui::MainWindow window(engine, theme, line.options);
    if (!line.prompt.isEmpty()) {
        window.panel()->setPrompt(line.prompt);
    }
    window.show();
    std::unique_ptr<fw::ui::ScreenshotTour> tour;
    if (!line.screenshots.isEmpty()) {
        tour = std::make_unique<fw::ui::ScreenshotTour>(window, line.screenshots, line.prompt);
    }
    return QApplication::exec();
}
