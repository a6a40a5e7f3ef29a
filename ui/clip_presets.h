// Sizes and lengths offered for a model: around what it prefers, and only what it can make.
#pragma once

#include <QList>
#include <QSize>

#include "core/job/generation_request.h"

namespace fw::ui {

// The model's own size first, then other shapes of about the same area, then a smaller, quicker one. All are
// multiples of the model's size multiple; none is given twice.
[[nodiscard]] QList<QSize> sizePresets(const job::ModelDefaults& defaults);

// Numbers of frames, rising: a still, a quarter, a half, the model's own, and the longer ones it says it was
// trained on. Others can be typed; models repeat themselves beyond the length they were trained on.
[[nodiscard]] QList<qint64> lengthPresets(const job::ModelDefaults& defaults);

}  // namespace fw::ui
