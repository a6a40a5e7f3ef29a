// A few small pictures of a clip: what plays in the library's grid while the pointer rests on it.
#pragma once

#include <QSize>
#include <QString>

#include "app/values/studio_values.h"
#include "core/base/cancel.h"
#include "core/base/result.h"

namespace fw::app {

// At most `most` frames, evenly chosen, each scaled to fit `box` and played as fast as the clip. Blocking: called
// on a worker thread. Io for files that are no clips, Cancelled once `cancel` asks.
[[nodiscard]] Result<ClipImages> readStrip(const QString& file, int most, const QSize& box,
                                           const CancelToken& cancel);

}  // namespace fw::app
