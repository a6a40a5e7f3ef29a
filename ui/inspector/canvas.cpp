#include "ui/inspector/canvas.h"

#include <QStringList>

namespace fw::ui {

QString Canvas::elided(const QString& text, double width, bool heading) const {
    if (textWidth(text, heading) <= width) {
        return text;
    }
    qsizetype low = 0, high = text.size();
    while (low < high) {
        const qsizetype middle = (low + high + 1) / 2;
        const bool fits = textWidth(text.left(middle) + QChar(0x2026), heading) <= width;
        (fits ? low : high) = fits ? middle : middle - 1;
    }
    return low == 0 ? QString() : text.left(low) + QChar(0x2026);
}

void Canvas::textRight(const QRectF& rect, const QString& words, const QColor& colour) {
    text({rect.right() - textWidth(words), rect.center().y() - lineHeight() / 2}, words, colour);
}

void Canvas::textCentred(const QRectF& rect, const QString& words, const QColor& colour, bool heading) {
    text({rect.center().x() - textWidth(words, heading) / 2, rect.center().y() - lineHeight() / 2}, words, colour,
         heading);
}

void Canvas::textLeft(const QRectF& rect, const QString& words, const QColor& colour, bool heading) {
    text({rect.left(), rect.center().y() - lineHeight() / 2}, elided(words, rect.width(), heading), colour,
         heading);
}

double Canvas::paragraph(const QRectF& rect, const QString& words, const QColor& colour, bool heading) {
    double y = rect.top();
    QString line;
    const auto flush = [&] {
        text({rect.left(), y}, elided(line, rect.width(), heading), colour, heading);
        y += lineHeight();
        line.clear();
    };
    for (const QString& given : words.split(QLatin1Char('\n'))) {
        for (const QString& word : given.split(QLatin1Char(' '))) {
            const QString longer = line.isEmpty() ? word : line + QLatin1Char(' ') + word;
            if (!line.isEmpty() && textWidth(longer, heading) > rect.width()) {
                flush();
                line = word;
            } else {
                line = longer;
            }
            // Scripts without spaces break anywhere.
            while (textWidth(line, heading) > rect.width() && line.size() > 1) {
                const QString part = elided(line, rect.width(), heading).chopped(1);
                if (part.isEmpty()) {
                    break;
                }
                const QString rest = line.mid(part.size());
                line = part;
                flush();
                line = rest;
            }
        }
        flush();
    }
    return y - rect.top();
}

}  // namespace fw::ui
