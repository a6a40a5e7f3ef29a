// The right side: an invitation, the clip while it forms, the finished clip with its player, or what went wrong.
#pragma once

#include <QWidget>

#include "app/values/studio_values.h"
#include "ui/error_presenter.h"

class QLabel;
class QPushButton;
class QStackedLayout;
class QStackedWidget;

namespace fw::ui {

class ErrorView;
class FramePlayer;
class InvitationView;
class NoticeBar;
class ProgressRow;
class RecentStrip;
class StageCanvas;
class TransportBar;

enum class StageState : quint8 { Empty, Running, Cancelled, Finished, Failed };

class StageWidget : public QWidget {
    Q_OBJECT

 public:
    explicit StageWidget(QWidget* parent = nullptr);

    [[nodiscard]] StageState state() const { return m_state; }
    void setExamples(const QStringList& prompts);

    void showEmpty();
    void beginJob(const job::GenerationRequest& request);
    void setProgress(const app::JobProgress& progress);
    void showPreview(const app::JobPreview& preview);
    // Says how far the job came; what was seen of it stays, dimmed.
    void showCancelled();
    // `seconds` it took to make; negative: not known.
    void showClip(const app::LoadedClip& clip, double seconds);
    void showError(const PresentedError& error, const QString& details);
    // A short remark over the picture that goes away by itself. `action` empty: no button.
    void showNotice(const QString& text, const QString& action = QString());

    void setSmooth(bool smooth);
    [[nodiscard]] bool isSmooth() const;

    [[nodiscard]] const std::optional<app::LoadedClip>& clip() const { return m_clip; }
    [[nodiscard]] int previewCount() const { return m_previews; }
    [[nodiscard]] FramePlayer* player() const { return m_player; }
    [[nodiscard]] StageCanvas* canvas() const { return m_canvas; }
    [[nodiscard]] ProgressRow* progressRow() const { return m_progress; }
    [[nodiscard]] TransportBar* transportBar() const { return m_transport; }
    [[nodiscard]] RecentStrip* recentStrip() const { return m_recent; }

 signals:
    void stateChanged(fw::ui::StageState state);
    void exampleChosen(const QString& prompt);
    void cancelRequested();
    void runAgainRequested();
    void saveRequested();
    void smoothChanged(bool smooth);
    void errorActionRequested(fw::ui::SuggestedAction action);
    void noticeActionRequested();

 protected:
    void resizeEvent(QResizeEvent* event) override;

 private:
    QWidget* buildBottom();
    QWidget* buildCancelledRow();
    void setState(StageState state);
    void setCaption(const QString& title, const QString& facts);
    void elideCaption();

    StageState m_state = StageState::Empty;
    std::optional<app::LoadedClip> m_clip;
    int m_previews = 0;
    QString m_title, m_factsText;

    FramePlayer* m_player;
    QStackedLayout* m_views;
    StageCanvas* m_canvas;
    InvitationView* m_invitation;
    ErrorView* m_error;
    NoticeBar* m_notice;
    QWidget* m_controlsBox;
    QLabel* m_titleLabel;
    QLabel* m_facts;
    QStackedWidget* m_controls;
    ProgressRow* m_progress;
    TransportBar* m_transport;
    QWidget* m_cancelledRow;
    QLabel* m_cancelledText;
    RecentStrip* m_recent;
};

}  // namespace fw::ui
