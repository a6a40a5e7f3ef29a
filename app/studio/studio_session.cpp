#include "app/studio/studio_session.h"

#include <QCoreApplication>
#include <QDir>
#include <QStandardPaths>
#include <utility>

namespace fw::app {

QString workerProgram() {
    const QString chosen = qEnvironmentVariable("FRAMEWRIGHT_WORKER");
    return chosen.isEmpty() ? QDir(QCoreApplication::applicationDirPath()).filePath("framewright-worker") : chosen;
}

QString defaultLibraryFolder() {
    const QString movies = QStandardPaths::writableLocation(QStandardPaths::MoviesLocation);
    return QDir(movies.isEmpty() ? QDir::homePath() : movies).filePath(QStringLiteral("Framewright"));
}

Result<std::unique_ptr<StudioSession>> StudioSession::open(const std::filesystem::path& folder,
                                                           const WorkerClientOptions& worker) {
    FW_ASSIGN(auto library, LibraryService::open(folder));
    return std::unique_ptr<StudioSession>(new StudioSession(std::move(library), worker));
}

StudioSession::StudioSession(std::unique_ptr<LibraryService> library, const WorkerClientOptions& worker)
    : m_library(std::move(library)), m_worker(worker), m_engine(m_worker), m_queue(*m_library, m_worker) {}

StudioSession::~StudioSession() = default;

void StudioSession::start() {
    m_queue.start();
}

QString StudioSession::folder() const {
    return QString::fromStdU16String(m_library->folder().u16string());
}

}  // namespace fw::app
