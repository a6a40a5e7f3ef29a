// Values the window's tests have in common.
#pragma once

#include "app/values/studio_values.h"

namespace fw::ui::test {

// `count` frames of w × h pixels, each of another grey.
app::ClipImages makeImages(int count, int width = 32, int height = 32, double fps = 12.0);

// Wan-like defaults of the embedded model: 256 × 256, 33 frames at 12 per second, 20 steps.
app::ModelSummary makeModel();

}  // namespace fw::ui::test
