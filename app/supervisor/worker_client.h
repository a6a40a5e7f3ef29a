// Starts, watches and stops the engine process, and speaks its protocol. The window never waits for it.
#pragma once

#include <QByteArray>
#include <QElapsedTimer>
#include <QLocalServer>
#include <QLocalSocket>
#include <QObject>
#include <QPointer>
#include <QProcess>
#include <QString>
#include <QTemporaryDir>
#include <QTimer>
#include <chrono>
#include <memory>
#include <optional>

#include "app/supervisor/progress_patience.h"
#include "core/ipc/messages.h"

namespace fw::app {

struct WorkerClientOptions {
    QString program;                                   // framewright-worker
    QStringList arguments;                             // before "--socket NAME"
    std::chrono::milliseconds startLimit{20'000};      // until Hello
    std::chrono::milliseconds heartbeat{1'000};        // between pings
    std::chrono::milliseconds heartbeatLimit{15'000};  // without a pong: the process hangs
    // A running job that finishes not one layer of the model in this time hangs; 0: never. The largest layers of
    // known models take minutes on a CPU.
    std::chrono::milliseconds progressLimit{20 * 60'000};
    // While steps are made, a multiple of the slowest one is the limit (ProgressPatience), but at least this.
    std::chrono::milliseconds leastProgressLimit{60'000};
    std::chrono::milliseconds shutdownWait{3'000};   // rungs of the stop ladder: asked …
    std::chrono::milliseconds terminateWait{2'000};  // … terminated … then killed
};

// Lives on the thread of its creator (the window's); every call returns at once.
//
// A worker can end in these ways; each gives exactly one lost(): crash, kill, protocol violation, other protocol
// version, silence (heartbeat), no progress, refusal to start. After lost() call start() again for a new process.
class WorkerClient : public QObject {
    Q_OBJECT

 public:
    enum class State { Stopped, Starting, Ready, Stopping };
    Q_ENUM(State)
    // How the last process ended, for the log: the rung of the stop ladder that was needed.
    enum class Ending { None, ByItself, Asked, Terminated, Killed };
    Q_ENUM(Ending)

    explicit WorkerClient(WorkerClientOptions options, QObject* parent = nullptr);
    ~WorkerClient() override;  // ends the process; waits at most for the kill to take effect

    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] Ending lastEnding() const { return m_ending; }
    [[nodiscard]] const std::optional<ipc::Hello>& hello() const { return m_hello; }

    void start();
    // Ask, wait, terminate, wait, kill. stopped() follows.
    void stop();
    // The same without asking: for a worker that does not answer. lost() follows.
    void abandon(const QString& reason);
    // Dropped when no worker is ready.
    void send(const ipc::Message& message);
    // Tells the watchdog whether a job runs; it is fed by Progress and Checkpoint messages and by the work that
    // Pong counts.
    void setBusy(bool busy);

 signals:
    void ready();                                    // Hello received and accepted
    void received(const fw::ipc::Message& message);  // everything but Hello and Pong
    void lost(const QString& reason);                // one sentence for the user
    void logged(const QString& line);                // one line of the process' standard output or error
    void stopped();

 private:
    void acceptConnection();
    void readSocket();
    void handle(const ipc::Message& message);
    void readOutput();
    void processEnded();
    void beat();
    void climbLadder();
    void finish();

    WorkerClientOptions m_options;
    State m_state = State::Stopped;
    Ending m_ending = Ending::None;
    std::optional<ipc::Hello> m_hello;
    std::unique_ptr<QTemporaryDir> m_socketFolder;
    std::unique_ptr<QLocalServer> m_server;
    std::unique_ptr<QProcess> m_process;
    QPointer<QLocalSocket> m_socket;
    std::unique_ptr<ipc::Decoder> m_decoder;
    QTimer m_startTimer, m_beatTimer, m_ladderTimer;
    QElapsedTimer m_sincePong, m_sinceProgress, m_sinceStart;
    ProgressPatience m_patience;
    std::int64_t m_sequence = 0;
    std::uint64_t m_work = 0;  // of the last Pong
    bool m_busy = false;
    int m_rung = 0;        // 0 not stopping, 1 asked, 2 terminated, 3 killed
    QString m_lossReason;  // why we are stopping it, empty when stop() was called
    QByteArray m_unfinishedLine;
    QString m_lastLine;  // of its output: mostly why it ended
};

}  // namespace fw::app

Q_DECLARE_METATYPE(fw::ipc::Message)
