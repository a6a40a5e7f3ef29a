// Clips on disk, off the window's thread: read back as pictures, asked for their settings, saved in other formats.
#pragma once

#include <QHash>
#include <QList>
#include <QObject>
#include <QString>
#include <QThreadPool>

#include "app/values/clip_comparison.h"
#include "app/values/studio_values.h"
#include "core/base/cancel.h"
#include "core/base/result.h"

namespace fw::app {

enum class ExportFormat : quint8 { H264, H265, Vp9, Av1, ProRes, Ffv1, Gif, WebP, Png };

// What a dialog needs to know about a format.
struct ExportFormatInfo {
    ExportFormat format = ExportFormat::H264;
    QString id, name;     // "h264" (stable), "MP4, H.264"
    QString extension;    // ".mp4"; empty: a folder of files
    QString codec;        // as ClipFacts::codec says it
    QString unavailable;  // why this machine cannot write it, one sentence; empty: it can
    bool hasQuality = false, hasLoops = false;
};
// In the order of the enumeration. Asks the installed libraries; quick.
[[nodiscard]] QList<ExportFormatInfo> exportFormats();

struct ExportOptions {
    ExportFormat format = ExportFormat::H264;
    int quality = 75;              // 1 … 100, mapped to each encoder's own scale; ignored by lossless formats
    double framesPerSecond = 0.0;  // 0: the clip's; else frames are dropped or repeated, and it lasts as long
    int loops = 0;                 // GIF and WebP: how often it plays; 0: for ever
    int scalePercent = 100;
    int firstFrame = 0, lastFrame = -1;  // inclusive; -1: the last
    bool embedSettings = true;           // the request, so that the file can be dropped onto the window later
    bool copyWhenSame = false;           // keep the file as it is where that is what was asked (media::ConvertSpec)
};

// What a clip is, without its pictures.
struct ClipFacts {
    QString file, codec, extension;  // "h264", ".mp4"
    int width = 0, height = 0;
    qint64 frames = 0, bytes = 0;
    double framesPerSecond = 0.0;
    bool hasSettings = false;
};

// Lives on the window's thread; every call returns at once, answers come as signals on that thread. Nothing is
// signalled for what was cancelled, and a cancelled export leaves no file unless it was complete by then.
class ClipFiles : public QObject {
    Q_OBJECT

 public:
    explicit ClipFiles(QObject* parent = nullptr);
    ~ClipFiles() override;  // cancels what runs and waits for it

    // All frames. Answers loaded or loadFailed; a newer call makes older ones silent.
    void load(const QString& file);
    // The settings embedded in a file of unknown origin. Answers settingsRead or settingsFailed.
    void readSettings(const QString& file);
    // Answers inspected or inspectFailed.
    void inspect(const QString& file);
    // Whether two clips show the same, frame by frame. Answers compared or compareFailed.
    void compare(const QString& first, const QString& second);
    // Writes `to` (a folder for Png) through a temporary name beside it; what stood there is replaced only by a
    // complete new file, so ask before calling. Answers exportProgress and then exported or exportFailed.
    quint64 startExport(const QString& from, const QString& to, const ExportOptions& options);
    void cancelExport(quint64 id);

    // Exports that are waiting or running.
    [[nodiscard]] bool exporting() const { return !m_exports.isEmpty(); }

 signals:
    void loaded(const fw::app::LoadedClip& clip);
    void loadFailed(const QString& file, const fw::Error& error);
    void settingsRead(const QString& file, const fw::job::GenerationRequest& request);
    void settingsFailed(const QString& file, const fw::Error& error);
    void inspected(const fw::app::ClipFacts& facts);
    void inspectFailed(const QString& file, const fw::Error& error);
    void compared(const QString& first, const QString& second, const fw::app::ClipComparison& result);
    void compareFailed(const QString& first, const QString& second, const fw::Error& error);
    void exportProgress(quint64 id, double fraction);
    void exported(quint64 id, const QString& to);
    void exportFailed(quint64 id, const QString& to, const fw::Error& error);

 private:
    template <class Work>
    void start(QThreadPool& pool, Work work);
    template <class Report>
    void report(Report call);
    void endExport(quint64 id, const QString& to, const Status& status);

    CancelSource m_closing;  // ends whatever still runs when the object goes
    CancelSource m_load;     // of the newest load()
    quint64 m_newestLoad = 0, m_lastExport = 0;
    QHash<quint64, CancelSource> m_exports;  // waiting or running
    // Exports wait for one another, and nobody waits for them to see a clip.
    QThreadPool m_readers, m_writers;
};

}  // namespace fw::app
