// What the stage shows when there is no clip: an invitation, or what went wrong and what to do.
#pragma once

#include <QWidget>

#include "ui/error_presenter.h"

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace fw::ui {

// Invites to a first prompt; the examples can be clicked.
class InvitationView : public QWidget {
    Q_OBJECT

 public:
    explicit InvitationView(QWidget* parent = nullptr);
    void setExamples(const QStringList& prompts);

 signals:
    void exampleChosen(const QString& prompt);

 private:
    QVBoxLayout* m_examples;
};

class ErrorView : public QWidget {
    Q_OBJECT

 public:
    explicit ErrorView(QWidget* parent = nullptr);
    void show(const PresentedError& error, const QString& details);
    [[nodiscard]] QPushButton* actionButton() const { return m_action; }

 signals:
    void actionRequested(fw::ui::SuggestedAction action);

 private:
    QLabel* m_title;
    QLabel* m_sentence;
    QLabel* m_advice;
    QPushButton* m_action;
    QString m_details;
    SuggestedAction m_suggested = SuggestedAction::None;
};

}  // namespace fw::ui
