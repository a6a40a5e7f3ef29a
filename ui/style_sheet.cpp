#include "ui/style_sheet.h"

#include <QHash>
#include <QRegularExpression>

#include "ui/theme.h"

namespace fw::ui {
namespace {

// @name stands for a colour of Colours, @mode for "dark" or "light" in the names of pictures. Focus is a 2 px ring
// in the accent; controls keep their size by giving the second pixel back from the padding. Links, whose left edge
// stands outside so that their text begins where labels do, have a line below instead.
constexpr auto kTemplate = R"(
QWidget { color: @text; }
QMainWindow, QDialog { background: @window; }
QToolTip { background: @control; color: @text; border: 1px solid @border; padding: 6px; }

QMenuBar { background: @window; border: 0; padding: 2px 8px; }
QMenuBar::item { background: transparent; padding: 4px 8px; border-radius: 4px; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: @controlHover; }
QMainWindow::separator { background: @line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @accent; }
QDockWidget { titlebar-close-icon: url(:/framewright/icons/glyph-close.svg); titlebar-normal-icon: url(:/framewright/icons/glyph-float.svg); }
QDockWidget::title { background: @panel; padding: 8px 8px 8px 12px; text-align: left; border-bottom: 1px solid @line; }
QDockWidget::close-button, QDockWidget::float-button { background: transparent; border: 0; border-radius: 4px; padding: 2px; icon-size: 12px; }
QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: @controlHover; }
QTabBar { background: @window; border: 0; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: @textSecondary; border: 0; border-bottom: 2px solid transparent; padding: 6px 16px; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:selected { color: @text; border-bottom-color: @accent; }
QTabBar::tab:focus { background: @controlHover; }
#banner { background: @control; border: 0; border-bottom: 1px solid @line; }

#panel { background: @panel; border: 0; }
#panelScroll, #panelContent { background: @panel; border: 0; }
#actions { background: @panel; border-top: 1px solid @line; }
#stage { background: @window; }
#queuePanel, #queueList { background: @panel; border: 0; }

QLabel { background: transparent; }
QLabel[tone="secondary"] { color: @textSecondary; }
QLabel[tone="strong"] { color: @text; font-weight: 600; }
QLabel[tone="danger"] { color: @danger; }
QLabel:disabled { color: @textDisabled; }

QPlainTextEdit, QLineEdit, QComboBox, QAbstractSpinBox {
  background: @control; border: 1px solid @border; border-radius: 4px; padding: 1px 7px;
  selection-background-color: @accent; selection-color: @onAccent;
}
QLineEdit, QComboBox, QAbstractSpinBox { min-height: 28px; }
QPlainTextEdit { padding: 5px 5px; }
QComboBox { padding: 1px 9px; }
QPlainTextEdit:hover, QLineEdit:hover, QComboBox:hover, QAbstractSpinBox:hover { background: @controlHover; }
QPlainTextEdit:focus, QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {
  border: 2px solid @accent; padding: 0px 6px;
}
QPlainTextEdit:focus { padding: 4px 4px; background: @control; }
QComboBox:focus { padding: 0px 8px; }
QLineEdit[invalid="true"], QAbstractSpinBox[invalid="true"] { border: 2px solid @danger; padding: 0px 6px; }
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled { color: @textDisabled; border-color: @line; }

QComboBox::drop-down { width: 24px; border: 0; subcontrol-origin: padding; subcontrol-position: center right; }
QComboBox::down-arrow { image: url(:/framewright/icons/glyph-down.svg); width: 12px; height: 12px; }
QComboBox QAbstractItemView {
  background: @control; border: 1px solid @border; outline: 0; padding: 4px;
  selection-background-color: @accent; selection-color: @onAccent;
}
QComboBox QAbstractItemView::item { min-height: 28px; padding: 0 4px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 20px; border: 0; background: transparent; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-arrow { image: url(:/framewright/icons/glyph-up.svg); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url(:/framewright/icons/glyph-down.svg); width: 10px; height: 10px; }

QPushButton {
  background: @control; border: 1px solid @border; border-radius: 4px; padding: 1px 15px; min-height: 28px;
}
QPushButton:hover { background: @controlHover; }
QPushButton:pressed { background: @line; }
QPushButton:focus { border: 2px solid @accent; padding: 0px 14px; }
QPushButton:checked, QPushButton[kind="action"] { background: @accent; color: @onAccent; border-color: @accent; }
QPushButton:checked:hover, QPushButton[kind="action"]:hover { background: @accentHover; }
QPushButton:checked:focus, QPushButton[kind="action"]:focus { border: 2px solid @text; padding: 0px 14px; }
QPushButton:disabled { color: @textDisabled; border-color: @line; background: transparent; }

QPushButton[kind="primary"] { background: @accent; color: @onAccent; border: 0; padding: 2px 16px; min-height: 36px; }
QPushButton[kind="primary"]:hover { background: @accentHover; }
QPushButton[kind="primary"]:pressed { background: @accentPressed; }
QPushButton[kind="primary"]:focus { border: 2px solid @text; padding: 0px 14px; }
QPushButton[kind="primary"]:disabled { background: @line; color: @textSecondary; border: 0; }

QPushButton[kind="suggestion"] { text-align: left; padding: 1px 15px; min-height: 36px; }
QPushButton[kind="suggestion"]:focus { padding: 0px 14px; }

QPushButton[kind="link"] {
  background: transparent; border: 2px solid transparent; color: @text; text-align: left; padding: 0 6px 0 0; margin-left: -4px;
}
QPushButton[kind="link"]:hover { color: @accent; }
QPushButton[kind="link"]:focus { border-radius: 0; border-bottom-color: @accent; }

QPushButton[kind="chip"] { background: @controlHover; border: 1px solid @line; border-radius: 10px; padding: 0 8px; min-height: 20px; }
QPushButton[kind="chip"]:hover { border-color: @border; }
QPushButton[kind="chip"]:focus { border: 2px solid @accent; padding: 0 7px; }

QCheckBox { spacing: 8px; }
QCheckBox::indicator { width: 14px; height: 14px; background: @control; border: 1px solid @border; border-radius: 3px; }
QCheckBox::indicator:hover { background: @controlHover; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url(:/framewright/icons/glyph-check-@mode.svg); }
QCheckBox::indicator:checked:hover { background: @accentHover; border-color: @accentHover; }
QCheckBox::indicator:focus { border: 2px solid @accent; width: 12px; height: 12px; }
QCheckBox::indicator:checked:focus { border-color: @text; }
QCheckBox::indicator:disabled { background: transparent; border-color: @line; }
QCheckBox::indicator:checked:disabled { background: @textDisabled; }
QCheckBox:disabled { color: @textDisabled; }

QSlider::groove:horizontal { background: @border; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 2px; }
QSlider::handle:horizontal { background: @accent; border: 2px solid @accent; border-radius: 8px; width: 12px; margin: -6px 0; }
QSlider::handle:horizontal:hover { background: @accentHover; border-color: @accentHover; }
QSlider::handle:horizontal:focus { border-color: @text; }
QSlider::groove:horizontal:disabled, QSlider::sub-page:horizontal:disabled { background: @line; }
QSlider::handle:horizontal:disabled { background: @textDisabled; border-color: @textDisabled; }

QToolButton { background: transparent; border: 2px solid transparent; border-radius: 4px; padding: 4px; }
QToolButton:hover { background: @controlHover; }
QToolButton:pressed { background: @line; }
QToolButton:checked { background: @controlHover; }
QToolButton:focus { border-color: @accent; }
QToolButton::menu-indicator { image: none; width: 0; }

QScrollArea { border: 0; background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @border; border-radius: 3px; margin: 2px; min-height: 24px; min-width: 24px; }
QScrollBar::handle:hover { background: @textSecondary; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: none; border: 0; width: 0; height: 0; }

QMenu { background: @control; border: 1px solid @border; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 28px; border-radius: 3px; }
QMenu::item:selected { background: @accent; color: @onAccent; }
QMenu::item:disabled { color: @textDisabled; }
QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
QMenu::indicator { width: 12px; height: 12px; left: 8px; }

QTableView { background: @panel; border: 1px solid @line; border-radius: 4px; gridline-color: @line; outline: 0; }
QTableView:focus { border: 2px solid @accent; }
QTableView::item { padding: 4px 8px; border: 0; }
QTableView::item:focus, QTableView::item:selected { background: transparent; color: @text; }
QHeaderView { background: @window; border: 0; }
QHeaderView::section { background: @window; color: @textSecondary; padding: 4px 8px; border: 0;
    border-right: 1px solid @line; border-bottom: 1px solid @line; }

QProgressBar { background: @line; border: 0; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }

#banner { background: @controlHover; border-bottom: 1px solid @line; }
#popover QListWidget { background: @control; border: 1px solid @border; border-radius: 4px; padding: 2px; outline: 0; }
#popover QListWidget:focus { border: 2px solid @accent; padding: 1px; }
#popover QListWidget::item { min-height: 24px; padding: 2px 6px; border-radius: 3px; }
#popover QListWidget::item:hover { background: @controlHover; }
#popover QListWidget::item:selected { background: @accent; color: @onAccent; }
#qt_msgbox_label { font-weight: 600; }
#notice { background: @control; border: 1px solid @border; border-radius: 4px; }
#plainValue { background: transparent; border: 0; padding: 0; min-height: 0; }
#popover { background: @control; border: 1px solid @border; }
#library, #clipDetails, #clipDetails > QWidget > QWidget { background: @panel; }
#libraryMessage { background: @window; }
#libraryGrid { background: @window; border: 0; outline: 0; }
#libraryGrid:focus { border: 0; }
)";

}  // namespace

QString styleSheet(const Colours& c) {
    const QHash<QString, QColor> names{{"window", c.window},
                                       {"panel", c.panel},
                                       {"control", c.control},
                                       {"controlHover", c.controlHover},
                                       {"line", c.line},
                                       {"border", c.border},
                                       {"text", c.text},
                                       {"textSecondary", c.textSecondary},
                                       {"textDisabled", c.textDisabled},
                                       {"accent", c.accent},
                                       {"accentHover", c.accentHover},
                                       {"accentPressed", c.accentPressed},
                                       {"onAccent", c.onAccent},
                                       {"danger", c.danger}};
    const QString mode = c.window.lightness() < 128 ? QStringLiteral("dark") : QStringLiteral("light");
    static const QRegularExpression pattern(QStringLiteral("@([A-Za-z]+)"));
    const QString source = QString::fromUtf8(kTemplate);
    QString result;
    qsizetype from = 0;
    for (auto matches = pattern.globalMatch(source); matches.hasNext();) {
        const auto match = matches.next();
        const QString name = match.captured(1);
        result += source.mid(from, match.capturedStart() - from) +
                  (name == QLatin1String("mode") ? mode : names.value(name).name());
        from = match.capturedEnd();
    }
    return result + source.mid(from);
}

}  // namespace fw::ui
