// Prompts for the first look at a model.
#pragma once

#include <QString>
#include <QStringList>

namespace fw::ui {

// Four sentences the model called `model` is good at: from the world of the embedded model, or general ones.
[[nodiscard]] QStringList examplePrompts(const QString& model);
// The greyed example in an empty prompt.
[[nodiscard]] QString placeholderPrompt(const QString& model);

}  // namespace fw::ui
