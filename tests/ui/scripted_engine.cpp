#include "scripted_engine.h"

#include <utility>

namespace fw::ui::test {

app::ClipImages makeImages(int count, int width, int height, double fps) {
    app::ClipImages images{{}, fps};
    for (int i = 0; i < count; ++i) {
        QImage image(width, height, QImage::Format_RGB32);
        image.fill(QColor(i * 255 / count, i * 255 / count, i * 255 / count));
        images.frames.append(image);
    }
    return images;
}

app::ModelSummary makeModel() {
    app::ModelSummary model;
    model.folder = QStringLiteral("/models/mini");
    model.name = QStringLiteral("mini");
    model.defaults.width = model.defaults.height = 256;
    model.defaults.frames = 33;
    model.defaults.frameRate = {12, 1};
    model.defaults.steps = 20;
    model.defaults.guidance = 4.0;
    model.parameters = 13'100'000;
    model.bytes = 26'400'000;
    return model;
}

void ScriptedEngine::finish(const QString& file) {
    app::FinishedClip clip;
    clip.clip = {file, makeImages(9, 128, 128), started.last()};
    clip.cost = {576, 1'000'000'000'000, 200 << 20};
    clip.totalSeconds = 5.0;
    clip.computeSeconds = 4.0;
    emit finished(std::exchange(running, 0), clip);
}

void ScriptedEngine::fail(const Error& error) {
    emit failed(std::exchange(running, 0), error);
}

void ScriptedEngine::confirmCancel() {
    emit cancelled(std::exchange(running, 0));
}

}  // namespace fw::ui::test
