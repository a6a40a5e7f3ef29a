// Decoded clips as images.
#pragma once

#include <QImage>
#include <QString>

#include "app/values/clip_comparison.h"
#include "app/values/studio_values.h"
#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::app {

// rgb u8 [H, W, 3] with dense pixels, in host memory: copied.
[[nodiscard]] QImage imageFromRgb(const ConstTensorView& rgb);

// All frames. Blocking: called on a worker thread. Io for files that are no clips, OutOfMemory for clips too large
// to hold.
[[nodiscard]] Result<LoadedClip> loadClip(const QString& file, const CancelToken& cancel);

// Blocking; errors as loadClip().
[[nodiscard]] Result<ClipComparison> compareClips(const QString& first, const QString& second,
                                                  const CancelToken& cancel);

}  // namespace fw::app
