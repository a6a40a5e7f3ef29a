// How quickly the inspector opens a trace of a real model's size, shows each view, and draws frames at 1920 x 1080.
//   xvfb-run -a -s "-screen 0 2000x1200x24" inspector_bench [folder for the trace, about 0.8 GB; default:
//   temporary]
#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFunctions>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "synthetic_trace.h"
#include "ui/inspector/imgui_widget.h"
#include "ui/inspector/inspector_panel.h"
#include "ui/theme.h"

namespace {

using fw::ui::InspectorPanel;

double milliseconds(const QElapsedTimer& timer) {
    return static_cast<double>(timer.nsecsElapsed()) * 1.0e-6;
}

struct FrameTimes {
    std::vector<double> all, build;  // ms, ascending; `build`: without drawing and reading back
};

double part(const std::vector<double>& sorted, std::size_t percent) {
    return sorted[sorted.size() * percent / 100];
}

// The pointer wanders, so that tips are drawn too.
FrameTimes frameTimes(InspectorPanel& panel, int count) {
    FrameTimes times;
    auto* surface = panel.surface();
    for (int i = 0; i < count; ++i) {
        QTest::mouseMove(surface,
                         QPoint(40 + i * 31 % (surface->width() - 80), 40 + i * 17 % (surface->height() - 80)));
        QElapsedTimer timer;
        timer.start();
        surface->redraw();
        surface->repaint();
        times.all.push_back(milliseconds(timer));
        times.build.push_back(surface->frameTime().build);
    }
    std::sort(times.all.begin(), times.all.end());
    std::sort(times.build.begin(), times.build.end());
    return times;
}

// Who draws: a graphics card or the processor.
QByteArray renderer() {
    QOpenGLContext context;
    QOffscreenSurface surface;
    surface.create();
    if (!context.create() || !context.makeCurrent(&surface)) {
        return "none";
    }
    return reinterpret_cast<const char*>(context.functions()->glGetString(GL_RENDERER));
}

}  // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    std::printf("drawn by %s\n", renderer().constData());
    const fw::ui::Theme theme(application);
    const QTemporaryDir temporary;
    const QString file = (argc > 1 ? QString::fromLocal8Bit(argv[1]) : temporary.path()) +
                         QStringLiteral("/bench.trace.safetensors");
    // Wan2.1-T2V-1.3B at 832 x 480, 81 frames, 50 steps; maps of 7 x 5 x 4 blocks, masks of the first step.
    const fw::ui::test::SyntheticRun run{.grid = {21, 30, 52},
                                         .pool = {3, 6, 13},
                                         .steps = 50,
                                         .layers = 30,
                                         .heads = 12,
                                         .operands = true,
                                         .maskSteps = 1};
    if (const auto written = fw::ui::test::writeSyntheticTrace(run, file); !written) {
        std::fprintf(stderr, "%s\n", written.error().message.c_str());
        return 1;
    }
    std::printf("trace: %.0f MiB\n", static_cast<double>(QFileInfo(file).size()) / (1 << 20));
    InspectorPanel panel;
    panel.resize(1920, 1080);
    panel.show();
    if (!QTest::qWaitForWindowExposed(&panel)) {
        return 1;
    }
    QSignalSpy opened(&panel, &InspectorPanel::opened);
    QElapsedTimer timer;
    timer.start();
    panel.setTarget({file, QString(), QString(), false});
    if (opened.isEmpty() && !opened.wait(60000)) {
        return 1;
    }
    std::printf("opened in %.0f ms\n", milliseconds(timer));
    // The processor's time (of all threads) says what a busy machine's clock does not.
    std::printf("%-8s %10s %14s %10s %10s %14s %16s %14s\n", "view", "first, ms", "processor, ms", "median, ms",
                "p95, ms", "processor, ms", "build median, ms", "build p95, ms");
    for (const auto& view : fw::ui::makeInspectorViews()) {
        const std::clock_t start = std::clock();
        timer.restart();
        panel.showView(view->id());
        panel.surface()->repaint();
        const double first = milliseconds(timer);
        constexpr int kFrames = 60;
        const std::clock_t before = std::clock();
        const double opening = 1.0e3 * static_cast<double>(before - start) / static_cast<double>(CLOCKS_PER_SEC);
        const auto times = frameTimes(panel, kFrames);
        const double processor =
            1.0e3 * static_cast<double>(std::clock() - before) / static_cast<double>(CLOCKS_PER_SEC) / kFrames;
        std::printf("%-8s %10.1f %14.1f %10.1f %10.1f %14.1f %16.2f %14.2f\n", qPrintable(view->id()), first,
                    opening, part(times.all, 50), part(times.all, 95), processor, part(times.build, 50),
                    part(times.build, 95));
    }
    // Where a patch attends, from queries and keys that were kept: the click, the row, the picture.
    panel.showView(QStringLiteral("query"));
    for (const bool all : {false, true}) {
        panel.view().setOption(1, all ? 1 : 0);
        std::vector<double> times;
        for (int i = 0; i < 9; ++i) {
            timer.restart();
            panel.select({.head = i % 12, .token = 1000 + 3001 * i});
            panel.surface()->repaint();
            times.push_back(milliseconds(timer));
        }
        std::sort(times.begin(), times.end());
        std::printf("row of a query, %s: median %.1f ms, most %.1f ms\n", all ? "mean of 12 heads" : "one head",
                    times[times.size() / 2], times.back());
    }
    std::printf("surface: %d x %d\n", panel.surface()->width(), panel.surface()->height());
    QFile::remove(file);
    return panel.surface()->problem().isEmpty() ? 0 : 1;
}
