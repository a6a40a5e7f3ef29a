// A studio without a window: it opens a library, runs its queue and ends when nothing waits any more. Made to be
// killed. Usage: mini_studio LIBRARY WORKER
#include <QCoreApplication>
#include <cstdio>

#include "app/library/job_queue.h"
#include "latency.h"

using namespace fw;

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    if (argc != 3) {
        return 2;
    }
    auto library = app::LibraryService::open(argv[1]);
    if (!library) {
        std::fprintf(stderr, "%s\n", library.error().message.c_str());
        return library.error().code == ErrorCode::InUse ? 3 : 4;
    }
    app::WorkerClientOptions options;
    options.program = QString::fromLocal8Bit(argv[2]);
    app::WorkerClient worker(options);
    app::JobQueue queue(**library, worker);
    test::LatencyWatch watch;
    QTimer report;
    qint64 worst = -1;
    QObject::connect(&report, &QTimer::timeout, &report, [&] {
        if (watch.worst() > worst) {
            worst = watch.worst();
            std::printf("late %lld\n", worst);
            std::fflush(stdout);
        }
        (*library)->write(
            &report,
            [](store::LibraryStore& store) {
                return store.jobs({store::JobState::Queued, store::JobState::Interrupted, store::JobState::Running},
                                  1);
            },
            [&](const Result<std::vector<store::Job>>& left) {
                if (left && left->empty() && queue.runningJob() == 0) {
                    QCoreApplication::quit();
                }
            });
    });
    report.start(10);
    queue.start();
    queue.setPaused(false);
    return QCoreApplication::exec();
}
