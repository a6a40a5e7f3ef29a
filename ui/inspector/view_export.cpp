#include "ui/inspector/view_export.h"

#include <QBuffer>
#include <QFileInfo>
#include <QPainter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/trace/npz.h"
#include "ui/inspector/painter_canvas.h"

namespace fw::ui {
namespace {

constexpr int kMargin = 3 * kGrid;
constexpr double kPngRatio = 2.0;  // sharp in print and on dense screens
constexpr QSize kLeastSize(720, 480);

// "salad, seed 7 … · clip.trace.safetensors · step 3, layer 2, head 1"
QString placeOf(const InspectorView& view, const Scene& scene) {
    QStringList parts{scene.run.settings(), QFileInfo(scene.run.file()).fileName()};
    QStringList place;
    if (view.usesStep()) {
        place.append(QStringLiteral("step %1").arg(scene.selection.step + 1));
    }
    if (view.usesLayer()) {
        place.append(QStringLiteral("layer %1").arg(scene.selection.layer + 1));
    }
    if (view.usesHead()) {
        place.append(QStringLiteral("head %1").arg(scene.selection.head + 1));
    }
    if (view.usesStep() && scene.run.branches() > 1) {
        place.append(scene.selection.branch == 0 ? QStringLiteral("with the prompt")
                                                 : QStringLiteral("without the prompt"));
    }
    parts.append(place.join(QStringLiteral(", ")));
    parts.removeAll(QString());
    return parts.join(QStringLiteral(" · "));
}

void drawPage(QPainter& painter, InspectorView& view, const Scene& scene, const QSize& size,
              const Colours& colours) {
    PainterCanvas canvas(painter, colours);
    Selection selection = scene.selection;  // drawing may move it where there are pointers
    Scene copy{scene.run, selection, scene.clip, scene.other};
    const QRectF page(0, 0, size.width(), size.height());
    canvas.fill(page, colours.panel);
    const QRectF inner = page.adjusted(kMargin, kMargin, -kMargin, -kMargin);
    const double line = canvas.lineHeight();
    canvas.textLeft({inner.left(), inner.top(), inner.width(), line}, view.title(), colours.text, true);
    canvas.textLeft({inner.left(), inner.top() + line, inner.width(), line}, placeOf(view, copy),
                    colours.textSecondary);
    const double below = 2 * line + kGrid;
    view.draw(canvas, inner.adjusted(0, 2 * line + kGrid, 0, -below), copy);
    canvas.paragraph({inner.left(), inner.bottom() - 2 * line, inner.width(), 2 * line}, view.caption(copy),
                     colours.text);
}

QString csvCell(QString text) {
    if (text.contains(QLatin1Char(',')) || text.contains(QLatin1Char('"')) || text.contains(QLatin1Char('\n'))) {
        text.replace(QLatin1Char('"'), QStringLiteral("\"\""));
        return QLatin1Char('"') + text + QLatin1Char('"');
    }
    return text;
}

QByteArray csvOf(InspectorView& view, const Scene& scene) {
    QString text;
    for (QString comment : {placeOf(view, scene), view.caption(scene)}) {
        text += QStringLiteral("# ") + comment.replace(QLatin1Char('\n'), QLatin1Char(' ')) + QLatin1Char('\n');
    }
    for (const QStringList& row : view.table(scene)) {
        QStringList cells;
        for (const QString& cell : row) {
            cells.append(csvCell(cell));
        }
        text += cells.join(QLatin1Char(',')) + QLatin1Char('\n');
    }
    return text.toUtf8();
}

// A column each, numbers as f64; "about" says what they are.
Result<QByteArray> npzOf(InspectorView& view, const Scene& scene) {
    const QList<QStringList> table = view.table(scene);
    trace::NpzArchive archive;
    for (qsizetype column = 0; !table.isEmpty() && column < table.first().size(); ++column) {
        std::vector<double> numbers;
        std::vector<std::string> texts;
        bool isNumber = true;
        for (qsizetype row = 1; row < table.size(); ++row) {
            bool good = false;
            const QString cell = table[row].value(column);
            numbers.push_back(cell.isEmpty() ? std::nan("") : cell.toDouble(&good));
            isNumber = isNumber && (good || cell.isEmpty());
            texts.push_back(cell.toStdString());
        }
        const std::string name = table.first()[column].toStdString();
        if (isNumber) {
            archive.add(name, numbers);
        } else {
            archive.add(name, texts);
        }
    }
    archive.add("about", std::vector{placeOf(view, scene).toStdString(), view.caption(scene).toStdString()});
    FW_ASSIGN(const std::string bytes, archive.bytes());
    return QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()));
}

QByteArray svgOf(InspectorView& view, const Scene& scene, const QSize& size) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(size);
    generator.setResolution(96);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setTitle(view.title());
    generator.setDescription(placeOf(view, scene) + QStringLiteral(" · ") + view.caption(scene));
    QPainter painter(&generator);
    drawPage(painter, view, scene, size, lightColours());
    painter.end();
    return bytes;
}

QByteArray pngOf(InspectorView& view, const Scene& scene, const QSize& size) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    QImage image = viewImage(view, scene, size, false, kPngRatio);
    image.setText(QStringLiteral("Title"), view.title());
    image.setText(QStringLiteral("Description"),
                  placeOf(view, scene) + QStringLiteral(" · ") + view.caption(scene));
    image.save(&buffer, "PNG");
    return bytes;
}

}  // namespace

QImage viewImage(InspectorView& view, const Scene& scene, const QSize& size, bool dark, double ratio) {
    const QSize page = size.expandedTo(kLeastSize);
    QImage image((QSizeF(page) * ratio).toSize(), QImage::Format_RGB32);
    image.setDevicePixelRatio(ratio);
    QPainter painter(&image);
    drawPage(painter, view, scene, page, dark ? darkColours() : lightColours());
    return image;
}

Status exportView(InspectorView& view, const Scene& scene, const QSize& size, ViewFormat format,
                  const QString& file) {
    const QSize page = size.expandedTo(kLeastSize);
    QByteArray bytes;
    switch (format) {
        case ViewFormat::Svg:
            bytes = svgOf(view, scene, page);
            break;
        case ViewFormat::Png:
            bytes = pngOf(view, scene, page);
            break;
        case ViewFormat::Csv:
            bytes = csvOf(view, scene);
            break;
        case ViewFormat::Npz:
            FW_ASSIGN(bytes, npzOf(view, scene));
            break;
    }
    QSaveFile out(file);
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit()) {
        return fail(ErrorCode::Io, "{} could not be written: {}", file.toStdString(),
                    out.errorString().toStdString());
    }
    return {};
}

}  // namespace fw::ui
