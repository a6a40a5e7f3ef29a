// The pictures of the library's grid, read beside the window and kept up to a bound.
#pragma once

#include <QCache>
#include <QHash>
#include <QList>
#include <QObject>
#include <QPixmap>
#include <QSet>
#include <QSize>
#include <QThreadPool>
#include <filesystem>

#include "app/values/studio_values.h"
#include "core/base/cancel.h"
#include "core/store/records.h"

namespace fw::ui {

class ThumbnailCache : public QObject {
    Q_OBJECT

 public:
    static constexpr int kMostKiB = 64 * 1024;

    // `folder` of the library.
    explicit ThumbnailCache(std::filesystem::path folder, QObject* parent = nullptr);
    ~ThumbnailCache() override;  // waits for what is being read

    // Pictures are made to fit `size` device pixels; another size forgets those there are.
    void setSize(const QSize& size);
    // The clip's picture, or a null one while it is being read or when there is none. What was asked for last is
    // read first; what was asked for long ago is forgotten.
    [[nodiscard]] QPixmap picture(const store::Clip& clip);
    // Files that could not be read are tried again.
    void forgetFailures() { m_failed.clear(); }
    // Whether the clip can have no picture: neither a thumbnail nor a file that can be read.
    [[nodiscard]] bool failed(std::int64_t clipId) const { return m_failed.contains(clipId); }

    // The frames of one clip, for playing; a newer call makes older ones silent. Answers stripReady().
    void readStrip(const store::Clip& clip);
    void cancelStrip();

 signals:
    void ready(qint64 clipId);  // picture() has an answer
    void stripReady(qint64 clipId, const fw::app::ClipImages& strip);

 private:
    struct Wanted {
        std::int64_t id = 0;
        QString thumbnail, clip;  // absolute; empty: none
    };
    void readNext();
    void take(std::int64_t id, const QSize& size, const QImage& image);
    [[nodiscard]] QString absolute(const std::string& relative) const;

    std::filesystem::path m_folder;
    QSize m_size{256, 192};
    QCache<std::int64_t, QPixmap> m_pictures;
    QSet<std::int64_t> m_failed;
    QList<Wanted> m_wanted;  // most urgent last
    QSet<std::int64_t> m_reading;
    CancelSource m_closing, m_strip;
    quint64 m_newestStrip = 0;
    QThreadPool m_pool, m_stripPool;
};

}  // namespace fw::ui
