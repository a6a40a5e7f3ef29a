// A library with clips to look at, and the panel that shows it.
#pragma once

#include <QColor>
#include <QDir>
#include <QFile>
#include <QImage>
#include <QPainter>
#include <QString>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/store/library_store.h"

namespace fw::ui::test {

// A picture of a hill under a coloured sky: every clip gets another one.
inline QImage makePicture(int number, const QSize& size) {
    QImage image(size, QImage::Format_RGB32);
    QPainter painter(&image);
    QLinearGradient sky(0, 0, 0, size.height());
    sky.setColorAt(0, QColor::fromHsv(number * 47 % 360, 150, 150));
    sky.setColorAt(1, QColor::fromHsv((number * 47 + 40) % 360, 90, 235));
    painter.fillRect(image.rect(), sky);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor::fromHsv((number * 47 + 120) % 360, 90, 80));
    painter.drawEllipse(QPointF(size.width() * (number % 5) / 4.0, size.height() * 1.2), size.width() * 0.8,
                        size.height() * 0.7);
    painter.setBrush(QColor(255, 240, 200));
    painter.drawEllipse(QPointF(size.width() * 0.7, size.height() * 0.25), size.height() * 0.08,
                        size.height() * 0.08);
    return image;
}

inline store::Clip makeClip(const std::string& prompt, const std::string& file) {
    store::Clip clip;
    clip.file = file;
    clip.sha256 = std::string(64, 'e');
    clip.bytes = 214'000;
    clip.width = clip.height = 256;
    clip.frames = 33;
    clip.fpsNumerator = 12;
    clip.prompt = prompt;
    clip.model = "mini";
    clip.modelHash = "9f2b7c41d0a86e3359f2b7c41d0a86e3359f2b7c41d0a86e3359f2b7c41d0a86";
    clip.method = "dense";
    clip.sampler = "unipc";
    clip.device = "cpu";
    clip.dtype = "bf16";
    clip.version = "0.1.0";
    clip.steps = 20;
    clip.guidance = 5;
    clip.seed = "42";
    clip.seconds = 3.7;
    clip.requestJson =
        Json{{"schema", 1},          {"prompt", prompt}, {"width", 256},    {"height", 256}, {"frames", 33},
             {"frame_rate", "12/1"}, {"steps", 20},      {"guidance", 5.0}, {"seed", 42},    {"method", "dense"}}
            .dump(-1, ' ', false, Json::error_handler_t::replace);
    clip.reportJson = R"({"text_seconds":0.2,"denoise_seconds":2.9,"decode_seconds":0.4,"encode_seconds":0.1})";
    return clip;
}

// Adds a clip with a thumbnail and a file that exists.
inline std::int64_t addClip(store::LibraryStore& store, const QString& folder, store::Clip clip, int number) {
    const QString file = QDir(folder).filePath(QString::fromStdString(clip.file));
    QDir().mkpath(QFileInfo(file).path());
    QFile stream(file);
    if (stream.open(QIODevice::WriteOnly)) {
        stream.write("no video");
    }
    clip.thumbnailFile = "thumbnails/" + std::to_string(number) + ".png";
    QDir(folder).mkpath(QStringLiteral("thumbnails"));
    makePicture(number, QSize(256, number % 3 == 0 ? 144 : 256))
        .save(QDir(folder).filePath(QString::fromStdString(clip.thumbnailFile)));
    const auto added = store.addClip(clip);
    return added ? added->id : 0;
}

}  // namespace fw::ui::test
