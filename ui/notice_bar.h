// A remark that floats over its parent's lower edge for a few seconds.
#pragma once

#include <QFrame>
#include <QTimer>

class QLabel;
class QPushButton;

namespace fw::ui {

class NoticeBar : public QFrame {
    Q_OBJECT

 public:
    explicit NoticeBar(QWidget* parent);
    void show(const QString& text, const QString& action);
    void place();

 signals:
    void actionRequested();

 protected:
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

 private:
    QLabel* m_text;
    QPushButton* m_action;
    QTimer m_timer;
};

}  // namespace fw::ui
