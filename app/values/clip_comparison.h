// Two clips beside one another, as a value.
#pragma once

#include <QtGlobal>

namespace fw::app {

// How far the pictures of two clips are apart.
struct ClipComparison {
    qint64 frames = 0;     // of the longer one
    qint64 differing = 0;  // frames that are not the same in every pixel, or that only one of them has
    int mostLevels = 0;    // largest difference of a colour value, of 255; of frames of equal size
};

}  // namespace fw::app
