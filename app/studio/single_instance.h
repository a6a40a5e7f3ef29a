// One studio per library: a second start hands its arguments to the first one and ends.
#pragma once

#include <QLocalServer>
#include <QObject>
#include <QString>
#include <QStringList>

#include "core/base/result.h"

namespace fw::app {

// What a second start asks of the first one.
struct StartRequest {
    QString prompt;
    QStringList files;   // clips whose settings should be loaded, absolute
    QString activation;  // the desktop's token that lets a window come to the front
};

// A local socket in the user's runtime folder that only the user can reach. Its name hangs on the library, so that
// two libraries can be open side by side.
class SingleInstance : public QObject {
    Q_OBJECT

 public:
    explicit SingleInstance(const QString& libraryFolder, QObject* parent = nullptr);
    ~SingleInstance() override;

    // Hands `request` to the studio that has this library; false when there is none that answers. Blocks, but never
    // longer than `limitMs`: called before there is a window.
    [[nodiscard]] bool hand(const StartRequest& request, int limitMs = 2000) const;
    // From now on requests arrive. To be called once the library is ours: what is left of a crashed studio's socket
    // is replaced.
    [[nodiscard]] Status listen();

 signals:
    void requested(const fw::app::StartRequest& request);

 private:
    void accept();

    QString m_path;
    QLocalServer m_server;
};

}  // namespace fw::app
