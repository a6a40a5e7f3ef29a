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
    : m_library(std::move(library)), m_worker(worker), m_engine(m_worker), m_queue(*m_library, m_worker) {
    keepLog();
}

StudioSession::~StudioSession() = default;

// Before anything begins, so that nothing is missed.
void StudioSession::keepLog() {
    using Level = LogBook::Level;
    const auto engine = QStringLiteral("engine"), queue = QStringLiteral("queue");
    const auto& report = m_library->openReport();
    const auto library = QStringLiteral("library");
    if (report.migratedFrom >= 0) {
        m_log.add(Level::Info, library, QStringLiteral("migrated from schema %1").arg(report.migratedFrom));
    }
    if (!report.damagedSetAside.empty()) {
        m_log.add(Level::Warning, library,
                  QStringLiteral("damaged, set aside; %1 clips and %2 jobs were recovered")
                      .arg(report.recoveredClips)
                      .arg(report.recoveredJobs));
    }
    if (report.uncleanExit) {
        m_log.add(Level::Warning, library, QStringLiteral("the last session did not end properly"));
    }
    QObject::connect(&m_worker, &WorkerClient::ready, &m_log, [this, engine] {
        const auto& hello = *m_worker.hello();
        m_log.add(Level::Info, engine,
                  QStringLiteral("version %1, process %2")
                      .arg(QString::fromStdString(hello.version))
                      .arg(hello.processId));
    });
    QObject::connect(&m_worker, &WorkerClient::logged, &m_log,
                     [this, engine](const QString& line) { m_log.add(Level::Info, engine, line); });
    QObject::connect(&m_worker, &WorkerClient::received, &m_log, [this, engine](const ipc::Message& message) {
        if (const auto* log = std::get_if<ipc::Log>(&message)) {
            const auto level = log->level == "error"     ? Level::Error
                               : log->level == "warning" ? Level::Warning
                                                         : Level::Info;
            m_log.add(level, engine, QString::fromStdString(log->text));
        }
    });
    QObject::connect(&m_worker, &WorkerClient::lost, &m_log,
                     [this, engine](const QString& reason) { m_log.add(Level::Error, engine, reason); });
    QObject::connect(&m_queue, &JobQueue::notice, &m_log,
                     [this, queue](const QString& sentence) { m_log.add(Level::Warning, queue, sentence); });
    QObject::connect(&m_queue, &JobQueue::jobFailed, &m_log,
                     [this, queue](std::int64_t id, const QString& code, const QString& message) {
                         m_log.add(Level::Error, queue,
                                   QStringLiteral("job %1, %2: %3").arg(id).arg(code, message));
                     });
}

void StudioSession::start() {
    m_queue.start();
}

QString StudioSession::folder() const {
    return QString::fromStdU16String(m_library->folder().u16string());
}

}  // namespace fw::app
