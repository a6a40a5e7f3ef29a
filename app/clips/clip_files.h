// Clips on disk, off the window's thread: read back as pictures, asked for their settings, saved in other formats.
#pragma once

#include <QObject>
#include <QSize>
#include <QString>
#include <QThreadPool>
#include <optional>

#include "app/values/studio_values.h"
#include "core/base/cancel.h"
#include "core/base/result.h"

namespace fw::app {

enum class ExportFormat : quint8 { H264, H265, Vp9, Av1, ProRes, Ffv1, Gif, WebP, Png };

struct ExportOptions {
    ExportFormat format = ExportFormat::H264;
    int quality = 75;              // 1 … 100, mapped to each encoder's own scale; ignored by lossless formats
    double framesPerSecond = 0.0;  // 0: the clip's
    int loops = 0;                 // GIF and WebP: how often it plays; 0: for ever
    int scalePercent = 100;
    int firstFrame = 0, lastFrame = -1;  // inclusive; -1: the last
    bool embedSettings = true;           // the request, so that the file can be dropped onto the window later
};

// Lives on the window's thread; every call returns at once, answers come as signals on that thread. Nothing is
// signalled for what was cancelled, and a cancelled export leaves no file.
class ClipFiles : public QObject {
    Q_OBJECT

 public:
    explicit ClipFiles(QObject* parent = nullptr);
    ~ClipFiles() override;  // cancels what runs and waits for it

    // All frames. Answers loaded or loadFailed; a newer call makes older ones silent.
    void load(const QString& file);
    // The settings embedded in a file of unknown origin. Answers settingsRead or settingsFailed.
    void readSettings(const QString& file);
    // Writes `to` (a folder for Png) through a temporary name beside it; what stood there is replaced only by a
    // complete new file, so ask before calling. Answers exportProgress and then exported or exportFailed.
    quint64 startExport(const QString& from, const QString& to, const ExportOptions& options);
    void cancelExport(quint64 id);

 signals:
    void loaded(const fw::app::LoadedClip& clip);
    void loadFailed(const QString& file, const fw::Error& error);
    void settingsRead(const QString& file, const fw::job::GenerationRequest& request);
    void settingsFailed(const QString& file, const fw::Error& error);
    void exportProgress(quint64 id, double fraction);
    void exported(quint64 id, const QString& to);
    void exportFailed(quint64 id, const QString& to, const fw::Error& error);
};

}  // namespace fw::app
