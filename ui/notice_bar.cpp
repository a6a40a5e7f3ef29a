#include "ui/notice_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <algorithm>

#include "ui/controls.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr int kShownMs = 8000;
}

NoticeBar::NoticeBar(QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("notice"));
    m_text = makeLabel(QString(), TextRole::Body);
    m_text->setTextFormat(Qt::PlainText);  // prompts and file names are quoted in it
    m_text->setWordWrap(true);
    m_action = makeButton(QString());
    auto* close = makeIconButton(QStringLiteral("close"), tr("Close this remark"), QString());
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(2 * kGrid, kGrid, kGrid, kGrid);
    row->setSpacing(kGrid);
    row->addWidget(m_text);
    row->addWidget(m_action);
    row->addWidget(close);
    m_timer.setSingleShot(true);
    m_timer.setInterval(kShownMs);
    connect(&m_timer, &QTimer::timeout, this, &QWidget::hide);
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    connect(m_action, &QPushButton::clicked, this, [this] {
        hide();
        emit actionRequested();
    });
    hide();
}

void NoticeBar::show(const QString& text, const QString& action) {
    // What does not fit into one line is wrapped; what does not fit into three is cut.
    const int room = std::max(200, parentWidget()->width() - 40 * kGrid);
    const QString shown = m_text->fontMetrics().elidedText(text, Qt::ElideMiddle, 5 * room / 2);
    m_text->setText(shown);
    m_text->setFixedWidth(std::min(room, m_text->fontMetrics().horizontalAdvance(shown) + kGrid));
    m_text->setToolTip(asToolTip(text));
    m_action->setText(action);
    m_action->setAccessibleName(action);
    m_action->setVisible(!action.isEmpty());
    setAccessibleName(text);
    QFrame::show();
    place();
    raise();
    m_timer.start();
}

void NoticeBar::place() {
    adjustSize();
    move((parentWidget()->width() - width()) / 2, parentWidget()->height() - height() - 2 * kGrid);
}

// A remark that is being read stays.
void NoticeBar::enterEvent(QEnterEvent*) {
    m_timer.stop();
}

void NoticeBar::leaveEvent(QEvent*) {
    m_timer.start();
}

}  // namespace fw::ui
