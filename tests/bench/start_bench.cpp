// The studio from the start of its process to a window that can be used, on a large library.
//   xvfb-run -a -s "-screen 0 1600x1000x24" start_bench FOLDER [CLIPS]
// Makes CLIPS (10,000) clips with thumbnails in FOLDER when it holds no library yet, and ends. The second and later
// runs are measured: everything the program does is joined as in framewright itself, the engine process included.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QElapsedTimer>
#include <QFile>
#include <QPlainTextEdit>
#include <QTemporaryDir>
#include <QTest>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "app/studio/single_instance.h"
#include "app/studio/studio_session.h"
#include "library_fixture.h"
#include "library_generator.h"
#include "ui/language.h"
#include "ui/library_grid.h"
#include "ui/library_model.h"
#include "ui/library_panel.h"
#include "ui/main_window.h"
#include "ui/preferences.h"
#include "ui/prompt_panel.h"
#include "ui/theme.h"

namespace {

using namespace fw;

constexpr int kPatienceMs = 60'000;

// Milliseconds since this process was started, to 10 ms: the kernel counts in ticks.
double sinceStart() {
    std::ifstream stat("/proc/self/stat");
    std::string line;
    std::getline(stat, line);
    std::istringstream fields(line.substr(line.rfind(')') + 2));
    std::string field;
    for (int i = 0; i < 20; ++i) {
        fields >> field;  // the 20th behind the name is the time of the start
    }
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    const double ticks = std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
    return (static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 - ticks) * 1e3;
}

double processorMs() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto ms = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    };
    return ms(usage.ru_utime) + ms(usage.ru_stime);
}

void mark(const char* what) {
    fmt::print("{:7.0f} ms, {:6.0f} ms of processor time: {}\n", sinceStart(), processorMs(), what);
}

bool makeLibrary(const QString& folder, qint64 clips) {
    constexpr int kThumbnails = 64;
    QDir().mkpath(folder + QStringLiteral("/thumbnails"));
    for (int i = 0; i < kThumbnails; ++i) {
        ui::test::makePicture(i, QSize(256, i % 3 == 0 ? 144 : 256))
            .save(folder + QStringLiteral("/thumbnails/%1.png").arg(i));
    }
    const auto made = store::generateLibrary(folder.toStdString(), clips, kThumbnails);
    if (!made) {
        fmt::print(stderr, "start_bench: {}\n", made.error().message);
    }
    return made.has_value();
}

// Counts what is painted in the grid and in the window.
class PaintCounter : public QObject {
 public:
    int paints = 0;
    bool eventFilter(QObject*, QEvent* event) override {
        paints += event->type() == QEvent::Paint ? 1 : 0;
        return false;
    }
};

template <class Condition>
void waitFor(Condition condition) {
    QElapsedTimer clock;
    clock.start();
    while (!condition() && clock.elapsed() < kPatienceMs) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 1);
    }
}

int measure(QApplication& application, const QString& folder) {
    const QTemporaryDir settings;
    const ui::StudioOptions options{QString(), settings.filePath(QStringLiteral("settings.ini"))};
    ui::installLanguage(application, ui::Preferences(options.settingsFile).language());
    app::SingleInstance instance(folder);
    if (instance.hand({})) {
        fmt::print(stderr, "start_bench: another studio has this library open\n");
        return 1;
    }
    ui::Theme theme(application);
    theme.setChoice(ui::ThemeChoice::Dark);
    app::WorkerClientOptions worker;
    worker.program = app::workerProgram();
    mark("application, theme");
    const auto session = app::StudioSession::open(folder.toStdString(), worker);
    if (!session || !instance.listen()) {
        fmt::print(stderr, "start_bench: {}\n", session ? "no socket" : session.error().message);
        return 1;
    }
    mark("library open");
    ui::MainWindow window(**session, theme, options);
    auto* library = window.findChild<ui::LibraryPanel*>();
    window.findChild<QDockWidget*>(QStringLiteral("library"))->raise();
    mark("window made");
    PaintCounter inWindow, inGrid;
    window.panel()->installEventFilter(&inWindow);
    library->grid()->viewport()->installEventFilter(&inGrid);
    window.show();
    (*session)->start();
    waitFor([&] { return inWindow.paints > 0; });
    mark("window painted");
    QPlainTextEdit* prompt = nullptr;
    for (auto* box : window.panel()->findChildren<QPlainTextEdit*>()) {
        prompt =
            box->accessibleName() == QCoreApplication::translate("fw::ui::PromptPanel", "Prompt") ? box : prompt;
    }
    window.activateWindow();
    prompt->setFocus();
    QTest::keyClick(prompt, Qt::Key_A);
    waitFor([&] { return !prompt->toPlainText().isEmpty(); });
    mark("the prompt takes keys");
    waitFor([&] { return library->model()->hasAnswer() && library->model()->rowCount() > 0; });
    inGrid.paints = 0;
    library->grid()->viewport()->update();
    waitFor([&] { return inGrid.paints > 0; });
    mark("first clips painted, their thumbnails asked for: usable");
    waitFor([&] { return window.panel()->hasModel(); });
    mark("the engine answered: Run possible");
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    QApplication application(count, arguments);
    if (count < 2) {
        fmt::print(stderr, "start_bench FOLDER [CLIPS]\n");
        return 2;
    }
    const QString folder = QDir(QString::fromLocal8Bit(arguments[1])).absolutePath();
    if (!QFile::exists(folder + QStringLiteral("/library.sqlite3"))) {
        return makeLibrary(folder, count > 2 ? std::atoll(arguments[2]) : 10'000) ? 0 : 1;
    }
    return measure(application, folder);
}
