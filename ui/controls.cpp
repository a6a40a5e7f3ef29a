#include "ui/controls.h"

#include <QDoubleSpinBox>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QStyle>
#include <QToolButton>
#include <QVariant>

#include "ui/icons.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

class RateBox final : public QDoubleSpinBox {
 public:
    using QDoubleSpinBox::QDoubleSpinBox;
    [[nodiscard]] QString textFromValue(double value) const override {
        QLocale plain = locale();
        plain.setNumberOptions(QLocale::OmitGroupSeparator);
        QString text = plain.toString(value, 'f', decimals());
        while (text.endsWith(plain.zeroDigit())) {
            text.chop(1);
        }
        return text.endsWith(plain.decimalPoint()) ? text.chopped(1) : text;
    }
};

}  // namespace

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

QDoubleSpinBox* makeRateBox(double smallest, double largest) {
    auto* box = new RateBox;
    box->setDecimals(3);
    box->setRange(smallest, largest);
    return box;
}

QLabel* makeFieldLabel(const QString& text, QWidget* buddy) {
    auto* label = makeLabel(text, TextRole::Secondary);
    label->setBuddy(buddy);
    if (buddy->accessibleName().isEmpty()) {
        buddy->setAccessibleName(text);
    }
    return label;
}

QString asToolTip(const QString& plain) {
    return QStringLiteral("<p>%1</p>").arg(plain.toHtmlEscaped().replace(QLatin1Char('\n'), QLatin1String("<br>")));
}

QString asMenuText(const QString& name) {
    constexpr int kMostCharacters = 40;
    QString text = name.size() > kMostCharacters ? name.left(kMostCharacters - 1) + QStringLiteral("…") : name;
    return text.replace(QLatin1Char('&'), QStringLiteral("&&"));
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
