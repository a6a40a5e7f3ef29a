#include "ui/controls.h"

#include <QLabel>
#include <QPushButton>
#include <QStyle>
#include <QToolButton>
#include <QVariant>

#include "ui/icons.h"
#include "ui/theme.h"

namespace fw::ui {

QToolButton* makeIconButton(const QString& iconName, const QString& name, const QString& toolTip) {
    auto* button = new QToolButton;
    button->setIcon(icon(iconName));
    button->setIconSize(QSize(20, 20));
    button->setFixedSize(kControlHeight, kControlHeight);
    button->setAccessibleName(name);
    button->setToolTip(toolTip.isEmpty() ? name : toolTip);
    button->setFocusPolicy(Qt::StrongFocus);
    return button;
}

QPushButton* makeButton(const QString& text, const QString& kind) {
    auto* button = new QPushButton(text);
    button->setAccessibleName(QString(text).remove(QLatin1Char('&')));
    button->setAutoDefault(false);
    if (!kind.isEmpty()) {
        button->setProperty("kind", kind);
    }
    if (kind == QLatin1String("primary")) {
        button->setFont(fontFor(TextRole::Heading));
    }
    return button;
}

QLabel* makeFieldLabel(const QString& text, QWidget* buddy) {
    auto* label = makeLabel(text, TextRole::Secondary);
    label->setBuddy(buddy);
    if (buddy->accessibleName().isEmpty()) {
        buddy->setAccessibleName(text);
    }
    return label;
}

void setInvalid(QWidget* control, bool invalid) {
    if (control->property("invalid").toBool() != invalid) {
        setStyleProperty(control, "invalid", invalid);
    }
}

void setStyleProperty(QWidget* widget, const char* name, const QVariant& value) {
    widget->setProperty(name, value);
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
}

}  // namespace fw::ui
