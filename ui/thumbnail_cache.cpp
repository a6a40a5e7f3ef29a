#include "ui/thumbnail_cache.h"

#include <QImage>
#include <QImageReader>
#include <QThread>
#include <algorithm>
#include <utility>

#include "app/clips/clip_strip.h"
#include "app/library/clip_paths.h"

namespace fw::ui {
namespace {

constexpr int kMostWanted = 768;  // small tiles on the largest screens
constexpr int kMostReading = 4;
constexpr int kStripFrames = 32;
constexpr qint64 kMostPixels = 64'000'000;  // of a thumbnail file, which is data like any other

QImage readPicture(const QString& thumbnail, const QString& clip, const QSize& size, const CancelToken& cancel) {
    if (!thumbnail.isEmpty()) {
        QImageReader reader(thumbnail);
        reader.setDecideFormatFromContent(true);
        const QSize full = reader.size();
        if (full.isValid() && qint64{full.width()} * full.height() <= kMostPixels) {
            reader.setScaledSize(full.scaled(size, Qt::KeepAspectRatio).expandedTo(QSize(1, 1)));
            if (const QImage image = reader.read(); !image.isNull()) {
                return image;
            }
        }
    }
    if (!clip.isEmpty()) {
        if (const auto strip = app::readStrip(clip, 1, size, cancel)) {
            return strip->frames.first();
        }
    }
    return {};
}

}  // namespace

ThumbnailCache::ThumbnailCache(std::filesystem::path folder, QObject* parent)
    : QObject(parent), m_folder(std::move(folder)), m_pictures(kMostKiB) {
    // At most half of the processor: the window must go on drawing while pictures come.
    m_pool.setMaxThreadCount(std::clamp(QThread::idealThreadCount() / 2, 1, 4));
    m_stripPool.setMaxThreadCount(1);
}

ThumbnailCache::~ThumbnailCache() {
    m_closing.cancel();
    m_strip.cancel();
    m_pool.waitForDone();
    m_stripPool.waitForDone();
}

void ThumbnailCache::setSize(const QSize& size) {
    if (size != m_size && !size.isEmpty()) {
        m_size = size;
        m_pictures.clear();
        m_failed.clear();
        m_wanted.clear();
    }
}

QString ThumbnailCache::absolute(const std::string& relative) const {
    return app::fileInLibrary(m_folder, relative);
}

QPixmap ThumbnailCache::picture(const store::Clip& clip) {
    if (const QPixmap* known = m_pictures.object(clip.id)) {
        return *known;
    }
    if (m_failed.contains(clip.id) || m_reading.contains(clip.id)) {
        return {};
    }
    m_wanted.removeIf([&](const Wanted& wanted) { return wanted.id == clip.id; });
    m_wanted.append({clip.id, absolute(clip.thumbnailFile), clip.missing ? QString() : absolute(clip.file)});
    if (m_wanted.size() > kMostWanted) {
        m_wanted.removeFirst();
    }
    readNext();
    return {};
}

void ThumbnailCache::readNext() {
    while (!m_wanted.isEmpty() && m_reading.size() < kMostReading) {
        const Wanted next = m_wanted.takeLast();
        m_reading.insert(next.id);
        m_pool.start([this, next, size = m_size, cancel = m_closing.token()] {
            const QImage image = readPicture(next.thumbnail, next.clip, size, cancel);
            QMetaObject::invokeMethod(
                this, [this, id = next.id, size, image] { take(id, size, image); }, Qt::QueuedConnection);
        });
    }
}

void ThumbnailCache::take(std::int64_t id, const QSize& size, const QImage& image) {
    m_reading.remove(id);
    if (size == m_size) {  // else asked for again when it is drawn
        if (image.isNull()) {
            m_failed.insert(id);
        } else {
            m_pictures.insert(id, new QPixmap(QPixmap::fromImage(image)),
                              std::max<qsizetype>(1, image.sizeInBytes() / 1024));
        }
    }
    emit ready(id);
    readNext();
}

void ThumbnailCache::readStrip(const store::Clip& clip) {
    cancelStrip();
    const QString file = clip.missing ? QString() : absolute(clip.file);
    if (file.isEmpty()) {
        return;
    }
    m_strip = CancelSource();
    m_stripPool.start([this, file, id = clip.id, number = m_newestStrip, size = m_size, cancel = m_strip.token()] {
        auto strip = app::readStrip(file, kStripFrames, size, cancel);
        if (!strip) {
            return;  // the picture stays as it is
        }
        QMetaObject::invokeMethod(
            this,
            [this, id, number, strip = std::move(*strip)] {
                if (number == m_newestStrip) {
                    emit stripReady(id, strip);
                }
            },
            Qt::QueuedConnection);
    });
}

void ThumbnailCache::cancelStrip() {
    m_strip.cancel();
    ++m_newestStrip;
}

}  // namespace fw::ui
