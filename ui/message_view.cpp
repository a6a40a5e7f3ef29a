#include "ui/message_view.h"

#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/flow_layout.h"
#include "ui/icons.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kColumnWidth = 56 * kGrid;

// A column in the middle of `page`, left-aligned inside.
QVBoxLayout* makeColumn(QWidget* page) {
    auto* outer = new QHBoxLayout(page);
    outer->setContentsMargins(3 * kGrid, 3 * kGrid, 3 * kGrid, 3 * kGrid);
    outer->addStretch(1);
    auto* middle = new QWidget;
    middle->setMaximumWidth(kColumnWidth);
    auto* column = new QVBoxLayout(middle);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(kGrid);
    column->addStretch(2);
    outer->addWidget(middle, 100);
    outer->addStretch(1);
    return column;
}

}  // namespace

InvitationView::InvitationView(QWidget* parent) : QWidget(parent) {
    auto* column = makeColumn(this);
    column->addWidget(makeLabel(tr("Describe a clip"), TextRole::Title));
    column->addWidget(makeLabel(tr("Write who does what, and where, then press Run. The clip forms here while you "
                                   "watch. Or start from one of these:"),
                                TextRole::Secondary, true));
    column->addSpacing(kGrid);
    m_examples = new QVBoxLayout;
    m_examples->setSpacing(kGrid);
    column->addLayout(m_examples);
    column->addStretch(3);
}

void InvitationView::setExamples(const QStringList& prompts) {
    while (auto* item = m_examples->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    for (const auto& prompt : prompts) {
        auto* button = makeButton(prompt, QStringLiteral("suggestion"));
        button->setToolTip(tr("Put this into the prompt"));
        if (button->fontMetrics().horizontalAdvance(prompt) > kColumnWidth - 5 * kGrid) {
            button->setText(button->fontMetrics().elidedText(prompt, Qt::ElideRight, kColumnWidth - 5 * kGrid));
            button->setToolTip(asToolTip(prompt));
        }
        connect(button, &QPushButton::clicked, this, [this, prompt] { emit exampleChosen(prompt); });
        m_examples->addWidget(button);
    }
}

ErrorView::ErrorView(QWidget* parent) : QWidget(parent) {
    auto* column = makeColumn(this);
    column->addWidget(new IconLabel(QStringLiteral("error"), 32, QPalette::BrightText));
    m_title = makeLabel(QString(), TextRole::Title, true);
    m_sentence = makeLabel(QString(), TextRole::Body, true);
    m_sentence->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_advice = makeLabel(QString(), TextRole::Secondary, true);
    column->addWidget(m_title);
    column->addWidget(m_sentence);
    column->addWidget(m_advice);
    column->addSpacing(kGrid);
    m_action = makeButton(QString());
    auto* copy = makeButton(tr("Copy details"));
    copy->setToolTip(tr("Copy the message and the settings for a report"));
    auto* row = new FlowLayout(kGrid);
    row->addWidget(m_action);
    row->addWidget(copy);
    column->addLayout(row);
    column->addStretch(3);
    connect(m_action, &QPushButton::clicked, this, [this] { emit actionRequested(m_suggested); });
    connect(copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(m_details); });
}

void ErrorView::show(const PresentedError& error, const QString& details) {
    m_title->setText(error.title);
    m_sentence->setText(error.sentence);
    m_advice->setText(error.advice);
    m_suggested = error.action;
    m_action->setVisible(error.action != SuggestedAction::None);
    m_action->setText(error.actionText);
    m_action->setAccessibleName(error.actionText);
    m_details = details;
}

}  // namespace fw::ui
