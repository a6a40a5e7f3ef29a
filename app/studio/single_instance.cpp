#include "app/studio/single_instance.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocalSocket>
#include <QStandardPaths>
#include <QTimer>

namespace fw::app {
namespace {

constexpr qint64 kMostBytes = qint64{1} << 20;  // of one request
constexpr int kPatienceMs = 5000;               // with a caller that says nothing
const QByteArray kTaken = "taken\n";

// The same name for the same folder, however it was written.
QString socketPath(const QString& folder) {
    const QString canonical = QFileInfo(folder).canonicalFilePath();
    const QByteArray name = (canonical.isEmpty() ? QDir::cleanPath(folder) : canonical).toUtf8();
    const QByteArray hash = QCryptographicHash::hash(name, QCryptographicHash::Sha256).toHex().left(16);
    const QString runtime = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
    return QDir(runtime.isEmpty() ? QDir::tempPath() : runtime)
        .filePath(QStringLiteral("framewright-%1.socket").arg(QString::fromLatin1(hash)));
}

QByteArray encode(const StartRequest& request) {
    const QJsonObject json{{"prompt", request.prompt},
                           {"files", QJsonArray::fromStringList(request.files)},
                           {"activation", request.activation}};
    return QJsonDocument(json).toJson(QJsonDocument::Compact) + '\n';
}

StartRequest decode(const QByteArray& line) {
    const QJsonObject json = QJsonDocument::fromJson(line).object();
    StartRequest request{json["prompt"].toString(), {}, json["activation"].toString()};
    for (const auto& file : json["files"].toArray()) {
        if (!file.toString().isEmpty()) {
            request.files.append(file.toString());
        }
    }
    return request;
}

}  // namespace

SingleInstance::SingleInstance(const QString& libraryFolder, QObject* parent)
    : QObject(parent), m_path(socketPath(libraryFolder)) {
    m_server.setSocketOptions(QLocalServer::UserAccessOption);
    connect(&m_server, &QLocalServer::newConnection, this, &SingleInstance::accept);
}

SingleInstance::~SingleInstance() = default;

bool SingleInstance::hand(const StartRequest& request, int limitMs) const {
    QLocalSocket socket;
    socket.connectToServer(m_path);
    if (!socket.waitForConnected(limitMs)) {
        return false;
    }
    socket.write(encode(request));
    QByteArray answer;
    while (!answer.endsWith('\n') && socket.waitForReadyRead(limitMs)) {
        answer += socket.readAll();
    }
    return answer == kTaken;
}

Status SingleInstance::listen() {
    QLocalServer::removeServer(m_path);
    if (!m_server.listen(m_path)) {
        return fail(ErrorCode::Io, "a second start cannot reach this window: {} cannot be made: {}",
                    m_path.toStdString(), m_server.errorString().toStdString());
    }
    return {};
}

void SingleInstance::accept() {
    while (auto* socket = m_server.nextPendingConnection()) {
        connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
        QTimer::singleShot(kPatienceMs, socket, [socket] { socket->abort(); });
        const auto take = [this, socket] {
            if (socket->bytesAvailable() > kMostBytes) {
                socket->abort();
            } else if (socket->canReadLine()) {
                const StartRequest request = decode(socket->readLine());
                socket->write(kTaken);
                socket->flush();
                socket->disconnectFromServer();
                emit requested(request);
            }
        };
        connect(socket, &QLocalSocket::readyRead, this, take);
        take();  // the request may have come with the connection
    }
}

}  // namespace fw::app
