#include "app/library/library_service.h"

#include <QCoreApplication>
#include <utility>

namespace fw::app {

Result<std::unique_ptr<LibraryService>> LibraryService::open(const std::filesystem::path& folder) {
    FW_ASSIGN(LibraryLock lock, LibraryLock::take(folder));
    store::OpenReport report;
    FW_ASSIGN(auto store, store::LibraryStore::open(folder, &report));
    FW_ASSIGN(auto readStore, store::LibraryStore::openReadOnly(folder));
    return std::unique_ptr<LibraryService>(
        new LibraryService(std::move(lock), folder, std::move(report), std::move(store), std::move(readStore)));
}

LibraryService::LibraryService(LibraryLock lock, std::filesystem::path folder, store::OpenReport report,
                               std::unique_ptr<store::LibraryStore> store,
                               std::unique_ptr<store::LibraryStore> readStore)
    : m_lock(std::move(lock)),
      m_folder(std::move(folder)),
      m_report(std::move(report)),
      m_store(std::move(store)),
      m_readStore(std::move(readStore)) {
    startLane(m_writer, "library-writer");
    startLane(m_reader, "library-reader");
}

LibraryService::~LibraryService() {
    m_readStore->interrupt();
    endLane(m_reader);
    endLane(m_writer);
    // Both threads are joined: this thread is the store's only user now.
    if (const auto closed = m_store->close(); !closed) {
        qWarning("The library could not be closed cleanly: %s", closed.error().message.c_str());
    }
}

void LibraryService::startLane(Lane& lane, const char* name) {
    lane.thread.setObjectName(QString::fromLatin1(name));
    lane.doorstep = new QObject;
    lane.doorstep->moveToThread(&lane.thread);
    QObject::connect(&lane.thread, &QThread::finished, lane.doorstep, &QObject::deleteLater);
    lane.thread.start();
}

void LibraryService::endLane(Lane& lane) {
    // quit() from inside the lane: whatever was posted before runs first.
    QMetaObject::invokeMethod(
        lane.doorstep, [&lane] { lane.thread.quit(); }, Qt::QueuedConnection);
    lane.thread.wait();
}

void LibraryService::deliver(std::function<void()> call) {
    QMetaObject::invokeMethod(QCoreApplication::instance(), std::move(call), Qt::QueuedConnection);
}

}  // namespace fw::app
