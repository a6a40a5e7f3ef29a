// The studio's look: colours, the grid, type sizes, and the style sheet made of them. Neutral greys, so that the
// only colours beside a clip are the clip's own, and one accent.
#pragma once

#include <QColor>
#include <QFont>
#include <QObject>
#include <QPalette>
#include <QString>

class QApplication;
class QLabel;
class QWidget;

namespace fw::ui {

enum class ThemeChoice : quint8 { System, Light, Dark };

// One set of colours. Text on its ground has a contrast of 4.5 or more, borders of controls of 3 or more.
struct Colours {
    QColor window, panel, control, controlHover, canvas;
    QColor line;    // separates
    QColor border;  // bounds a control
    QColor text, textSecondary, textDisabled;
    QColor accent, accentHover, accentPressed, onAccent;
    QColor danger;
};
[[nodiscard]] const Colours& darkColours();
[[nodiscard]] const Colours& lightColours();

// Distances are multiples of kGrid.
inline constexpr int kGrid = 8;
inline constexpr int kControlHeight = 32;
inline constexpr int kPanelWidth = 376;

enum class TextRole : quint8 { Title, Heading, Body, Secondary, Caption };

// Applies colours to the application and keeps them up to date with the system's choice. One per application.
class Theme : public QObject {
    Q_OBJECT

 public:
    // `application` must outlive the theme.
    explicit Theme(QApplication& application, QObject* parent = nullptr);

    void setChoice(ThemeChoice choice);
    [[nodiscard]] ThemeChoice choice() const { return m_choice; }
    [[nodiscard]] bool isDark() const;
    [[nodiscard]] const Colours& colours() const { return isDark() ? darkColours() : lightColours(); }

 signals:
    void changed();

 private:
    void apply();

    QApplication& m_application;
    ThemeChoice m_choice = ThemeChoice::System;
    bool m_systemIsDark = false;
};

// The colours in force, from the application's palette: for widgets that paint themselves.
[[nodiscard]] const Colours& coloursOf(const QWidget& widget);

// The application's font in the size and weight of `role`.
[[nodiscard]] QFont fontFor(TextRole role);
// A label in that role; word-wrapped when `wrap`. The caller's layout takes it.
[[nodiscard]] QLabel* makeLabel(const QString& text, TextRole role, bool wrap = false);

}  // namespace fw::ui
