// A line across the window that stays until it is answered: one sentence and what can be done about it.
#pragma once

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QPushButton;

namespace fw::ui {

class Banner : public QFrame {
    Q_OBJECT

 public:
    // Hidden until setText(). `name` is what a screen reader calls it.
    explicit Banner(const QString& name, QWidget* parent = nullptr);

    // The first button is the suggested one. The banner keeps it.
    QPushButton* addButton(const QString& text, const QString& toolTip);
    // Shows the banner; an empty text hides it.
    void setText(const QString& text);
    [[nodiscard]] QString text() const;

 private:
    QLabel* m_text;
    QHBoxLayout* m_row;
};

}  // namespace fw::ui
