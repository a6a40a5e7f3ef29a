#include "ui/example_prompts.h"

namespace fw::ui {
namespace {
// The embedded model reads English only, in the words of its training: these are not translated.
const QString kMini = QStringLiteral("mini");
}  // namespace

QStringList examplePrompts(const QString& model) {
    if (model == kMini) {
        return {QStringLiteral("a dog runs to the right in a meadow"),
                QStringLiteral("a red car drives to the left in the city at night"),
                QStringLiteral("a blue butterfly moves in a circle in a forest"),
                QStringLiteral("a penguin bounces in the snow at sunset, the camera zooms in")};
    }
    return {QStringLiteral("A red fox trots through fresh snow at dawn, its breath visible in the cold air"),
            QStringLiteral("Waves roll onto a pebble beach under a dramatic evening sky, slow tracking shot"),
            QStringLiteral("A potter shapes a bowl on a spinning wheel, close-up of wet clay and hands"),
            QStringLiteral("A tram crosses a busy intersection in the rain at night, neon reflections")};
}

QString placeholderPrompt(const QString& model) {
    return model == kMini ? QStringLiteral("a cat runs to the left on a beach at sunset")
                          : QStringLiteral("A red fox trots through fresh snow at dawn");
}

}  // namespace fw::ui
