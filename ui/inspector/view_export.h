// A view as a file: the drawing with its title, settings and caption, or its numbers.
#pragma once

#include <QImage>
#include <QSize>
#include <QString>

#include "core/base/result.h"
#include "ui/inspector/inspector_view.h"

namespace fw::ui {

enum class ViewFormat : quint8 { Svg, Png, Csv, Npz };

// As it would be shown at `size` logical pixels, on light paper unless `dark`. The scene's selection stays.
[[nodiscard]] QImage viewImage(InspectorView& view, const Scene& scene, const QSize& size, bool dark, double ratio);

// Writes through a temporary file; Io names the file and the system's reason.
[[nodiscard]] Status exportView(InspectorView& view, const Scene& scene, const QSize& size, ViewFormat format,
                                const QString& file);

}  // namespace fw::ui
