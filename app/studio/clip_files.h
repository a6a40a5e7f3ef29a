// Clips on disk as the window needs them: read back as images, found, and saved under another format.
// Blocking: called on a worker thread.
#pragma once

#include <QImage>
#include <QList>
#include <QString>
#include <cstdint>

#include "app/studio/clip_engine.h"
#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::app {

// rgb u8 [H, W, 3] with dense pixels, in host memory: copied.
[[nodiscard]] QImage imageFromRgb(const ConstTensorView& rgb);
// rgb u8 [frames, H, W, 3]: copied.
[[nodiscard]] QList<QImage> imagesFromRgb(const ConstTensorView& rgb);

// All frames, or only the first `limit` ones when limit > 0. Io for files that are no clips or too large to hold.
[[nodiscard]] Result<LoadedClip> loadClip(const QString& file, int limit = 0);

// The newest clips of `folder` with one frame each; files that cannot be read are passed over.
[[nodiscard]] QList<LoadedClip> findClips(const QString& folder, int limit);

// Where exportClip puts what is saved as `chosen`: "pictures.png" names the folder "pictures", everything else
// itself.
[[nodiscard]] QString exportTarget(const QString& chosen);

// See ClipEngine::exportClip. A copy when the format stays, else decoded and encoded again with the same metadata.
// A file that stood at `to` is replaced only by a complete new one.
[[nodiscard]] Status exportClip(const QString& from, const QString& to, const CancelToken& cancel);

}  // namespace fw::app
