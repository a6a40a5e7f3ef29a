#include "ui/theme.h"

#include <QApplication>
#include <QFontDatabase>
#include <QLabel>
#include <QProxyStyle>
#include <QStyleFactory>
#include <QWidget>

#include "ui/icons.h"
#include "ui/style_sheet.h"
#include "ui/system_theme.h"

namespace fw::ui {
namespace {

// Fusion, drawn through the style sheet, without pictures on the buttons of dialogs.
class StudioStyle final : public QProxyStyle {
 public:
    StudioStyle() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {}

    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                  QStyleHintReturn* data) const override {
        return hint == SH_DialogButtonBox_ButtonsHaveIcons ? 0 : QProxyStyle::styleHint(hint, option, widget, data);
    }
    // Fusion's own is hardly seen on dark ground.
    QIcon standardIcon(StandardPixmap which, const QStyleOption* option, const QWidget* widget) const override {
        return which == SP_LineEditClearButton ? icon(QStringLiteral("close"))
                                               : QProxyStyle::standardIcon(which, option, widget);
    }
};

QPalette paletteOf(const Colours& c) {
    QPalette palette;
    palette.setColor(QPalette::Window, c.window);
    palette.setColor(QPalette::WindowText, c.text);
    palette.setColor(QPalette::Base, c.control);
    palette.setColor(QPalette::AlternateBase, c.panel);
    palette.setColor(QPalette::Text, c.text);
    palette.setColor(QPalette::PlaceholderText, c.textSecondary);
    palette.setColor(QPalette::Button, c.control);
    palette.setColor(QPalette::ButtonText, c.text);
    palette.setColor(QPalette::BrightText, c.danger);
    palette.setColor(QPalette::Highlight, c.accent);
    palette.setColor(QPalette::HighlightedText, c.onAccent);
    palette.setColor(QPalette::Link, c.accent);
    palette.setColor(QPalette::ToolTipBase, c.control);
    palette.setColor(QPalette::ToolTipText, c.text);
    palette.setColor(QPalette::Mid, c.line);
    palette.setColor(QPalette::Dark, c.canvas);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        palette.setColor(QPalette::Disabled, role, c.textDisabled);
    }
    return palette;
}

}  // namespace

const Colours& darkColours() {
    static const Colours colours{"#191a1c", "#1f2123", "#292b2e", "#313438", "#0e0f10",
                                 "#323539", "#6f757c", "#eceded", "#a7acb2", "#747a81",
                                 "#5cc8b5", "#79d7c6", "#46b19e", "#08201b", "#f28b82"};
    return colours;
}

const Colours& lightColours() {
    static const Colours colours{"#f3f4f5", "#fbfbfc", "#ffffff", "#eef0f1", "#dfe1e3",
                                 "#d9dcdf", "#858b92", "#1a1c1e", "#555b62", "#878d94",
                                 "#0f766e", "#0c655e", "#09534d", "#ffffff", "#b3261e"};
    return colours;
}

Theme::Theme(QApplication& application, QObject* parent)
    : QObject(parent), m_application(application), m_systemIsDark(systemPaletteIsDark()) {
    QApplication::setStyle(new StudioStyle);
    // Inter where it is installed (its figures and letters are told apart best at small sizes), else the system's.
    if (QFontDatabase::families().contains(QStringLiteral("Inter"))) {
        QFont font(QStringLiteral("Inter"));
        font.setPointSizeF(QApplication::font().pointSizeF() > 0 ? QApplication::font().pointSizeF() : 10.0);
        QApplication::setFont(font);
    }
    auto* watcher = new SystemThemeWatcher(this);
    connect(watcher, &SystemThemeWatcher::darkChanged, this, [this](bool dark) {
        m_systemIsDark = dark;
        if (m_choice == ThemeChoice::System) {
            apply();
        }
    });
    apply();
}

void Theme::setChoice(ThemeChoice choice) {
    if (choice != m_choice) {
        m_choice = choice;
        apply();
    }
}

bool Theme::isDark() const {
    return m_choice == ThemeChoice::Dark || (m_choice == ThemeChoice::System && m_systemIsDark);
}

void Theme::apply() {
    QApplication::setPalette(paletteOf(colours()));
    m_application.setStyleSheet(styleSheet(colours()));
    emit changed();
}

const Colours& coloursOf(const QWidget& widget) {
    return widget.palette().color(QPalette::Window).lightness() < 128 ? darkColours() : lightColours();
}

QFont fontFor(TextRole role) {
    QFont font = QApplication::font();
    switch (role) {
        case TextRole::Title:
            font.setPointSizeF(font.pointSizeF() * 1.7);
            font.setWeight(QFont::DemiBold);
            break;
        case TextRole::Heading:
            font.setWeight(QFont::DemiBold);
            break;
        case TextRole::Caption:
            font.setPointSizeF(font.pointSizeF() * 0.9);
            break;
        case TextRole::Body:
        case TextRole::Secondary:
            break;
    }
    return font;
}

QLabel* makeLabel(const QString& text, TextRole role, bool wrap) {
    auto* label = new QLabel(text);
    label->setFont(fontFor(role));
    label->setWordWrap(wrap);
    label->setTextFormat(Qt::PlainText);
    if (role == TextRole::Secondary || role == TextRole::Caption) {
        label->setProperty("tone", QStringLiteral("secondary"));
    }
    return label;
}

}  // namespace fw::ui
