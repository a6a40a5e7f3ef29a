// The library panel with a large library: opening, keystrokes, scrolling from end to end, memory.
//   xvfb-run -a -s "-screen 0 1600x1000x24" library_window_bench FOLDER [CLIPS]
// Makes CLIPS (100,000) clips with thumbnails in FOLDER when it holds no library yet.
#include <fmt/format.h>
#include <sys/resource.h>

#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QLineEdit>
#include <QScrollBar>
#include <QTest>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "library_fixture.h"
#include "library_generator.h"
#include "ui/library_grid.h"
#include "ui/library_panel.h"
#include "ui/library_search.h"
#include "ui/theme.h"

namespace {

using namespace fw;

// Counts what is really painted.
class PaintCounter : public QObject {
 public:
    int paints = 0;
    qint64 longestGapMs = 0;
    void start() {
        paints = 0;
        longestGapMs = 0;
        m_clock.start();
    }
    bool eventFilter(QObject*, QEvent* event) override {
        if (event->type() == QEvent::Paint) {
            ++paints;
            longestGapMs = std::max(longestGapMs, m_clock.restart());
        }
        return false;
    }

 private:
    QElapsedTimer m_clock;
};

// Processor time of the whole program: unlike the time on the clock it says what the work costs on a busy machine
// too.
double processorMs() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto ms = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    };
    return ms(usage.ru_utime) + ms(usage.ru_stime);
}

long residentMiB() {
    std::ifstream status("/proc/self/statm");
    long pages = 0, resident = 0;
    status >> pages >> resident;
    return resident * 4 / 1024;
}

void makeLibrary(const QString& folder, qint64 clips) {
    constexpr int kThumbnails = 64;
    QDir().mkpath(folder + QStringLiteral("/thumbnails"));
    for (int i = 0; i < kThumbnails; ++i) {
        ui::test::makePicture(i, QSize(256, i % 3 == 0 ? 144 : 256))
            .save(folder + QStringLiteral("/thumbnails/%1.png").arg(i));
    }
    if (const auto made = store::generateLibrary(folder.toStdString(), clips, kThumbnails); !made) {
        fmt::print(stderr, "library_window_bench: {}\n", made.error().message);
        std::exit(1);
    }
}

void measureKeystrokes(ui::LibraryPanel& panel, PaintCounter& counter) {
    std::vector<std::pair<double, QString>> times;
    double work = 0, mostWork = 0, slowestList = 0;
    auto* line = panel.search()->line();
    line->setFocus();
    for (const char* text : {"a red fox", "the night -rain model:wan", "steps:>20 star:>=3 sa", "no99", "-a"}) {
        line->clear();
        QTRY_VERIFY_WITH_TIMEOUT(!panel.model()->isSearching(), 5000);
        for (const char* key = text; *key != '\0'; ++key) {
            counter.start();
            QElapsedTimer clock;
            clock.start();
            const double before = processorMs();
            QTest::keyClick(line, *key);
            // Answered when the first clips are there and drawn; then the whole list.
            while (!panel.model()->hasAnswer() ||
                   (counter.paints == 0 && panel.model()->rowCount() > 0 && clock.elapsed() < 100)) {
                QCoreApplication::processEvents(QEventLoop::AllEvents, 1);
            }
            const double answered = static_cast<double>(clock.nsecsElapsed()) / 1e6;
            while (panel.model()->isSearching()) {
                QCoreApplication::processEvents(QEventLoop::AllEvents, 1);
            }
            slowestList = std::max(slowestList, static_cast<double>(clock.nsecsElapsed()) / 1e6);
            const double cost = processorMs() - before;
            work += cost;
            mostWork = std::max(mostWork, cost);
            times.emplace_back(answered, line->text());
        }
    }
    std::sort(times.rbegin(), times.rend());
    fmt::print(
        "{} keystrokes to drawn answer: worst {:.1f} ms ('{}'), median {:.1f} ms; all clips listed: worst {:.1f} "
        "ms; "
        "processor time {:.1f} ms each, worst {:.1f} ms\n",
        times.size(), times.front().first, times.front().second.toStdString(), times[times.size() / 2].first,
        slowestList, work / static_cast<double>(times.size()), mostWork);
    for (std::size_t i = 0; i < std::min<std::size_t>(5, times.size()); ++i) {
        fmt::print("  {:6.1f} ms  {}\n", times[i].first, times[i].second.toStdString());
    }
    line->clear();
    QTRY_VERIFY_WITH_TIMEOUT(!panel.model()->isSearching(), 5000);
}

// Scrolls by `step` pixels as often as the window draws, from the first clip to the last or for `seconds`.
void measureScrolling(ui::LibraryPanel& panel, PaintCounter& counter, int step, double seconds, const char* what) {
    auto* bar = panel.grid()->verticalScrollBar();
    bar->setValue(0);
    QTest::qWait(200);
    counter.start();
    QElapsedTimer clock;
    clock.start();
    const double before = processorMs();
    while (bar->value() < bar->maximum() && static_cast<double>(clock.elapsed()) < seconds * 1000.0) {
        bar->setValue(bar->value() + step);
        QCoreApplication::processEvents(QEventLoop::AllEvents, 5);
    }
    const double took = static_cast<double>(clock.elapsed()) / 1000.0;
    fmt::print(
        "{}: {:.0f} frames per second, longest gap {} ms, {:.1f} ms of processor time a frame, {} of {} pixels in "
        "{:.1f} s, {} MiB resident\n",
        what, counter.paints / took, counter.longestGapMs, (processorMs() - before) / std::max(1, counter.paints),
        bar->value(), bar->maximum(), took, residentMiB());
}

}  // namespace

int main(int count, char** arguments) {
    QApplication application(count, arguments);
    if (count < 2) {
        fmt::print(stderr, "library_window_bench FOLDER [CLIPS]\n");
        return 2;
    }
    const QString folder = QString::fromLocal8Bit(arguments[1]);
    if (!QFile::exists(folder + QStringLiteral("/library.sqlite3"))) {
        makeLibrary(folder, count > 2 ? std::atoll(arguments[2]) : 100'000);
    }
    const ui::Theme theme(application);
    QElapsedTimer clock;
    clock.start();
    const double beforeOpen = processorMs();
    auto library = app::LibraryService::open(folder.toStdString());
    if (!library) {
        fmt::print(stderr, "library_window_bench: {}\n", library.error().message);
        return 1;
    }
    app::ClipFiles files;
    ui::LibraryPanel panel(**library, files);
    panel.resize(1500, 960);
    PaintCounter counter;
    panel.grid()->viewport()->installEventFilter(&counter);
    counter.start();
    panel.show();
    while (panel.model()->rowCount() == 0 || counter.paints == 0) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 1);
    }
    fmt::print("open to first clips drawn: {} ms, {:.0f} ms of processor time, {} clips, {} MiB resident\n",
               clock.elapsed(), processorMs() - beforeOpen, panel.model()->rowCount(), residentMiB());
    measureKeystrokes(panel, counter);
    measureScrolling(panel, counter, 40, 5.0, "slow scrolling");
    measureScrolling(panel, counter, 4000, 20.0, "from end to end");
    const double before = processorMs();
    panel.grid()->selectAll();
    QCoreApplication::processEvents();
    fmt::print("select all: {:.0f} ms of processor time\n", processorMs() - before);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print("peak resident memory {} MiB\n", usage.ru_maxrss >> 10);
    return 0;
}
