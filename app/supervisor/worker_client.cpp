#include "app/supervisor/worker_client.h"

#include <QCoreApplication>
#include <utility>

namespace fw::app {

namespace {
constexpr qsizetype kLongestLine = 4000;
}  // namespace

WorkerClient::WorkerClient(WorkerClientOptions options, QObject* parent)
    : QObject(parent),
      m_options(std::move(options)),
      m_patience(m_options.progressLimit, m_options.leastProgressLimit) {
    m_sinceStart.start();
    m_startTimer.setSingleShot(true);
    m_ladderTimer.setSingleShot(true);
    connect(&m_startTimer, &QTimer::timeout, this, [this] {
        abandon(tr("The engine did not start within %1 s.").arg(m_options.startLimit.count() / 1000));
    });
    connect(&m_beatTimer, &QTimer::timeout, this, &WorkerClient::beat);
    connect(&m_ladderTimer, &QTimer::timeout, this, &WorkerClient::climbLadder);
}

WorkerClient::~WorkerClient() {
    if (m_process) {
        m_process->disconnect(this);
        if (m_process->state() != QProcess::NotRunning) {
            m_process->kill();
            m_process->waitForFinished(1000);
        }
    }
}

void WorkerClient::start() {
    if (m_state != State::Stopped) {
        return;
    }
    m_state = State::Starting;
    m_ending = Ending::None;
    m_rung = 0;
    m_lossReason.clear();
    m_unfinishedLine.clear();
    m_lastLine.clear();
    m_work = 0;
    m_hello.reset();
    m_busy = false;
    m_decoder = std::make_unique<ipc::Decoder>();
    // A fresh private folder (mode 0700) per process: no name to collide with, none left after a crash.
    m_socketFolder = std::make_unique<QTemporaryDir>();
    m_server = std::make_unique<QLocalServer>();
    m_server->setSocketOptions(QLocalServer::UserAccessOption);
    const QString name = m_socketFolder->filePath(QStringLiteral("worker"));
    m_process = std::make_unique<QProcess>();
    m_process->setProcessChannelMode(QProcess::MergedChannels);
    m_process->setStandardInputFile(QProcess::nullDevice());
    connect(m_process.get(), &QProcess::finished, this, &WorkerClient::processEnded);
    connect(m_process.get(), &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) {
            m_lossReason =
                tr("The engine program %1 cannot be started: %2").arg(m_options.program, m_process->errorString());
            finish();
        }
    });
    connect(m_process.get(), &QProcess::readyReadStandardOutput, this, &WorkerClient::readOutput);
    connect(m_server.get(), &QLocalServer::newConnection, this, &WorkerClient::acceptConnection);
    if (!m_socketFolder->isValid() || !m_server->listen(name)) {
        m_lossReason = tr("The engine cannot be reached: %1").arg(m_server->errorString());
        QMetaObject::invokeMethod(this, &WorkerClient::finish, Qt::QueuedConnection);
        return;
    }
    m_startTimer.start(m_options.startLimit);
    m_process->start(m_options.program, m_options.arguments + QStringList{QStringLiteral("--socket"), name});
}

void WorkerClient::acceptConnection() {
    QLocalSocket* socket = m_server->nextPendingConnection();
    if (m_socket != nullptr || socket == nullptr) {
        delete socket;  // one worker, one connection
        return;
    }
    m_socket = socket;
    m_socket->setParent(this);
    connect(m_socket, &QLocalSocket::readyRead, this, &WorkerClient::readSocket);
    m_server->close();
    readSocket();
}

void WorkerClient::readSocket() {
    if (m_socket == nullptr || m_decoder == nullptr || !m_socket->isReadable()) {
        return;
    }
    const QByteArray bytes = m_socket->readAll();
    m_decoder->feed(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
    // A handler may stop this worker or start the next one: look again before each message.
    const QPointer<QLocalSocket> socket = m_socket;
    while (socket != nullptr && socket == m_socket && m_rung < 2) {
        auto message = m_decoder->next();
        if (!message) {
            abandon(tr("The engine sent something that is not understood (%1).")
                        .arg(QString::fromStdString(message.error().message)));
            return;
        }
        if (!*message) {
            return;
        }
        handle(**message);
    }
}

void WorkerClient::handle(const ipc::Message& message) {
    if (const auto* hello = std::get_if<ipc::Hello>(&message)) {
        if (hello->protocol != ipc::kProtocolVersion) {
            abandon(tr("The engine is of another version (%1) than the studio: install both from the same package.")
                        .arg(QString::fromStdString(hello->version)));
            return;
        }
        if (m_state != State::Starting) {
            return;
        }
        m_hello = *hello;
        m_startTimer.stop();
        m_state = State::Ready;
        m_sincePong.start();
        m_beatTimer.start(m_options.heartbeat);
        emit ready();
        return;
    }
    if (m_state == State::Starting) {
        abandon(tr("The engine did not introduce itself."));
        return;
    }
    if (const auto* pong = std::get_if<ipc::Pong>(&message)) {
        m_sincePong.start();
        if (pong->work != std::exchange(m_work, pong->work)) {
            m_sinceProgress.start();
        }
        return;
    }
    if (std::holds_alternative<ipc::Progress>(message) || std::holds_alternative<ipc::Checkpoint>(message)) {
        m_sinceProgress.start();
    }
    if (const auto* progress = std::get_if<ipc::Progress>(&message)) {
        m_patience.progressed(*progress, std::chrono::milliseconds(m_sinceStart.elapsed()));
    }
    emit received(message);
}

// Whole lines; what is longer than a line should be is cut.
void WorkerClient::readOutput() {
    m_unfinishedLine += m_process->readAllStandardOutput();
    for (qsizetype end = m_unfinishedLine.indexOf('\n'); end >= 0; end = m_unfinishedLine.indexOf('\n')) {
        const QString line = QString::fromLocal8Bit(m_unfinishedLine.left(std::min(end, kLongestLine))).trimmed();
        m_unfinishedLine.remove(0, end + 1);
        if (!line.isEmpty()) {
            m_lastLine = line;
            emit logged(line);
        }
    }
    if (m_unfinishedLine.size() > kLongestLine) {
        m_unfinishedLine.truncate(kLongestLine);
    }
}

void WorkerClient::setBusy(bool busy) {
    m_busy = busy;
    m_sinceProgress.start();
    m_patience.jobBegins();
}

void WorkerClient::beat() {
    if (m_sincePong.hasExpired(m_options.heartbeatLimit.count())) {
        abandon(tr("The engine stopped answering."));
        return;
    }
    const auto patience = m_patience.limit();
    if (m_busy && patience.count() > 0 && m_sinceProgress.hasExpired(patience.count())) {
        abandon(tr("The engine made no progress for %1 s.").arg(patience.count() / 1000));
        return;
    }
    send(ipc::Ping{++m_sequence});
}

void WorkerClient::send(const ipc::Message& message) {
    if (m_socket == nullptr || (m_state != State::Ready && m_state != State::Stopping)) {
        return;
    }
    const std::string bytes = ipc::encode(message);
    m_socket->write(bytes.data(), static_cast<qint64>(bytes.size()));
    m_socket->flush();
}

void WorkerClient::stop() {
    if (m_state == State::Stopped || m_state == State::Stopping) {
        return;
    }
    m_state = State::Stopping;
    m_startTimer.stop();
    m_beatTimer.stop();
    m_rung = 1;
    send(ipc::Shutdown{});
    m_ladderTimer.start(m_options.shutdownWait);
}

void WorkerClient::abandon(const QString& reason) {
    if (m_state == State::Stopped || m_rung >= 2) {
        return;
    }
    m_lossReason = reason;
    m_state = State::Stopping;
    m_startTimer.stop();
    m_beatTimer.stop();
    m_rung = 1;
    climbLadder();
}

void WorkerClient::climbLadder() {
    ++m_rung;
    if (m_rung == 2) {
        m_process->terminate();
        m_ladderTimer.start(m_options.terminateWait);
    } else {
        m_process->kill();  // finished() follows in any case
    }
}

void WorkerClient::processEnded() {
    readOutput();
    m_unfinishedLine += '\n';  // there is no more of it
    readOutput();
    // Messages that arrived before the end still count: a clip may be finished.
    if (m_rung < 2) {
        // What is still in the kernel's buffer; readyRead() delivers it.
        while (m_socket != nullptr && m_socket->waitForReadyRead(0)) {
        }
        readSocket();
    }
    if (m_state == State::Stopped) {
        return;  // a handler above already dealt with it
    }
    const bool crashed = m_process->exitStatus() == QProcess::CrashExit;
    if (m_rung == 0 && m_lossReason.isEmpty()) {
        m_lossReason = crashed ? tr("The engine ended unexpectedly (signal %1).").arg(m_process->exitCode())
                               : tr("The engine ended by itself (exit code %1).").arg(m_process->exitCode());
        if (!m_lastLine.isEmpty()) {
            m_lossReason += QLatin1Char(' ') + m_lastLine;
        }
    }
    finish();
}

void WorkerClient::finish() {
    static constexpr Ending kEndings[] = {Ending::ByItself, Ending::Asked, Ending::Terminated, Ending::Killed};
    m_ending = kEndings[std::min(m_rung, 3)];
    m_startTimer.stop();
    m_beatTimer.stop();
    m_ladderTimer.stop();
    if (m_socket != nullptr) {
        m_socket->disconnect(this);
        m_socket->deleteLater();
        m_socket = nullptr;
    }
    m_server.reset();
    m_socketFolder.reset();
    m_process->disconnect(this);
    m_process.release()->deleteLater();  // we may be inside one of its signals
    m_state = State::Stopped;
    m_rung = 0;
    const QString reason = std::exchange(m_lossReason, {});
    if (reason.isEmpty()) {
        emit stopped();
    } else {
        emit lost(reason);
    }
}

}  // namespace fw::app
