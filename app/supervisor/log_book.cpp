#include "app/supervisor/log_book.h"

#include <QStringList>

namespace fw::app {

void LogBook::add(const QString& source, const QString& text) {
    const QStringList parts = text.split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    for (const QString& part : parts) {
        const QString trimmed = part.trimmed();
        if (trimmed.isEmpty()) {
            continue;
        }
        if (m_lines.size() >= kLines) {
            m_lines.removeFirst();
        }
        m_lines.append({QDateTime::currentDateTime(), source, trimmed});
        emit lineAdded(Line(m_lines.last()));  // a copy: a slot may add lines
    }
}

QString LogBook::toText(const Line& line) {
    return QStringLiteral("%1 %2: %3")
        .arg(line.time.toString(QStringLiteral("yyyy-MM-dd HH:mm:ss.zzz")), line.source, line.text);
}

QString LogBook::toText() const {
    QString text;
    for (const Line& line : m_lines) {
        text += toText(line) + QLatin1Char('\n');
    }
    return text;
}

}  // namespace fw::app
