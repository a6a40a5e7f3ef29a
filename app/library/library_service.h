// The library database off the window's thread: one writer thread, one reader thread, answers delivered where
// asked.
#pragma once

#include <QObject>
#include <QPointer>
#include <QThread>
#include <filesystem>
#include <functional>
#include <memory>
#include <type_traits>

#include "app/library/library_lock.h"
#include "core/base/result.h"
#include "core/store/library_store.h"

namespace fw::app {

// Lives on the window's thread. Work is done in the order it was given, on its thread; the answer is delivered on
// the thread of `context`, and dropped when `context` is gone by then.
class LibraryService : public QObject {
    Q_OBJECT

 public:
    // Opens, migrates and repairs on the calling thread, before there is a window to block. InUse when another
    // studio (or another service of this one) has the library open.
    [[nodiscard]] static Result<std::unique_ptr<LibraryService>> open(const std::filesystem::path& folder);
    // Finishes queued work, marks the clean exit and joins both threads.
    ~LibraryService() override;

    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }
    [[nodiscard]] const store::OpenReport& openReport() const { return m_report; }

    // work: store::LibraryStore& → T; done: void(T). T is mostly a Result.
    template <class Work, class Done>
    void write(QObject* context, Work work, Done done) {
        post(m_writer, *m_store, context, std::move(work), std::move(done));
    }
    // For lists and searches.
    template <class Work, class Done>
    void read(QObject* context, Work work, Done done) {
        post(m_reader, *m_readStore, context, std::move(work), std::move(done));
    }

 private:
    LibraryService(LibraryLock lock, std::filesystem::path folder, store::OpenReport report,
                   std::unique_ptr<store::LibraryStore> store, std::unique_ptr<store::LibraryStore> readStore);

    // A thread and an object that lives on it, to post work to.
    struct Lane {
        QThread thread;
        QObject* doorstep = nullptr;
    };

    template <class Work, class Done>
    void post(Lane& lane, store::LibraryStore& store, QObject* context, Work work, Done done) {
        QMetaObject::invokeMethod(
            lane.doorstep,
            [&store, guard = QPointer<QObject>(context), work = std::move(work), done = std::move(done)]() mutable {
                auto answer = work(store);
                // The guard is only looked at on the context's own thread, through the application object.
                deliver([guard, done = std::move(done), answer = std::move(answer)]() mutable {
                    if (guard != nullptr) {
                        done(std::move(answer));
                    }
                });
            },
            Qt::QueuedConnection);
    }
    static void deliver(std::function<void()> call);
    template <class Call>
    static void deliver(Call call) {
        deliver(std::function<void()>([shared = std::make_shared<Call>(std::move(call))] { (*shared)(); }));
    }
    static void startLane(Lane& lane, const char* name);
    static void endLane(Lane& lane);

    LibraryLock m_lock;  // the last to go
    std::filesystem::path m_folder;
    store::OpenReport m_report;
    std::unique_ptr<store::LibraryStore> m_store, m_readStore;
    Lane m_writer, m_reader;
};

}  // namespace fw::app
