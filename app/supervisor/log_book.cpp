#include "app/supervisor/log_book.h"

#include <QStringList>
#include <algorithm>

namespace fw::app {

void LogBook::add(Level level, const QString& source, const QString& text) {
    const QStringList parts = text.split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    for (const QString& part : parts) {
        const QString trimmed = part.trimmed();
        if (trimmed.isEmpty()) {
            continue;
        }
        if (m_lines.size() >= kLines) {
            m_lines.removeFirst();
        }
        m_lines.append({QDateTime::currentDateTime(), level, source, trimmed});
        emit lineAdded(Line(m_lines.last()));  // a copy: a slot may add lines
    }
}

QString LogBook::toText(const Line& line) {
    const QString level = line.level == Level::Error     ? QStringLiteral("error: ")
                          : line.level == Level::Warning ? QStringLiteral("warning: ")
                                                         : QString();
    return QStringLiteral("%1 %2: %3%4")
        .arg(line.time.toString(QStringLiteral("yyyy-MM-dd HH:mm:ss.zzz")), line.source, level, line.text);
}

QString LogBook::toText(qsizetype count) const {
    QString text;
    for (qsizetype i = std::max<qsizetype>(0, m_lines.size() - count); i < m_lines.size(); ++i) {
        text += toText(m_lines[i]) + QLatin1Char('\n');
    }
    return text;
}

}  // namespace fw::app
