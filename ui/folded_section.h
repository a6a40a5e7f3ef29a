// A heading that shows and hides the labelled controls below it.
#pragma once

#include <QWidget>

class QGridLayout;
class QPushButton;

namespace fw::ui {

// Closed at first.
class FoldedSection : public QWidget {
    Q_OBJECT

 public:
    FoldedSection(const QString& title, const QString& toolTip, QWidget* parent = nullptr);

    // Below the rows that are there. Without a label the control stands in the column of the controls.
    void addRow(const QString& label, QWidget* control);
    void addRow(QWidget* control);
    void setOpen(bool open);

 private:
    QPushButton* m_toggle;
    QWidget* m_content;
    QGridLayout* m_grid;
};

}  // namespace fw::ui
