#include "test_values.h"

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

}  // namespace fw::ui::test
