// What the engine and the studio had to say, for the log view and for reports of defects.
#pragma once

#include <QDateTime>
#include <QList>
#include <QObject>
#include <QString>

namespace fw::app {

// The last lines, oldest first; older ones are forgotten. Lives on the window's thread.
class LogBook : public QObject {
    Q_OBJECT

 public:
    enum class Level : quint8 { Info, Warning, Error };
    struct Line {
        QDateTime time;
        Level level = Level::Info;
        QString source;  // "engine", "queue", "library" …: not translated, for reports
        QString text;    // one line
    };
    static constexpr qsizetype kLines = 2000;

    using QObject::QObject;

    // A text of several lines becomes several lines; empty ones are left out.
    void add(Level level, const QString& source, const QString& text);
    [[nodiscard]] const QList<Line>& lines() const { return m_lines; }
    // "2026-11-22 08:01:02.345 engine: …", warnings and errors with that word before the text.
    [[nodiscard]] static QString toText(const Line& line);
    // The newest `count` lines, one each, for the clipboard.
    [[nodiscard]] QString toText(qsizetype count) const;

 signals:
    void lineAdded(const fw::app::LogBook::Line& line);

 private:
    QList<Line> m_lines;
};

}  // namespace fw::app
