// Small builders for controls that look and name themselves alike everywhere.
#pragma once

#include <QString>

class QAbstractButton;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QToolButton;
class QWidget;

namespace fw::ui {

// A square button of one icon. `name` is what a screen reader says.
[[nodiscard]] QToolButton* makeIconButton(const QString& iconName, const QString& name, const QString& toolTip);

// kind: "", "primary", "suggestion" or "link" (style_sheet.cpp).
[[nodiscard]] QPushButton* makeButton(const QString& text, const QString& kind = QString());

// For frames per second: up to three decimals, of which zeros at the end are not shown.
[[nodiscard]] QDoubleSpinBox* makeRateBox(double smallest, double largest);

// A label in front of `buddy`; it also gives the control its accessible name.
[[nodiscard]] QLabel* makeFieldLabel(const QString& text, QWidget* buddy);

// For texts that are data: what looks like mark-up in them stays text. Long ones are wrapped.
[[nodiscard]] QString asToolTip(const QString& plain);

// For entries of menus that are data: no ampersand becomes a shortcut, and long names are cut.
[[nodiscard]] QString asMenuText(const QString& name);

// Draws the control as wrong, or as right again.
void setInvalid(QWidget* control, bool invalid);

// Sets a property the style sheet looks at and has the style look again.
void setStyleProperty(QWidget* widget, const char* name, const QVariant& value);

}  // namespace fw::ui
