// The right side: an invitation, the clip while it forms, the finished clip with its player, or what went wrong.
#pragma once

#include <QThreadPool>
#include <QWidget>

#include "app/values/studio_values.h"
#include "ui/error_presenter.h"
#include "ui/preview_history.h"

class QLabel;
class QPushButton;
class QStackedLayout;
class QStackedWidget;

namespace fw::ui {

class ErrorView;
class FramePlayer;
class FrameRow;
class KeyMap;
class InvitationView;
class NoticeBar;
class ProgressRow;
class StageCanvas;
class StepBar;
class TransportBar;

enum class StageState : quint8 { Empty, Running, Cancelled, Finished, Failed };

class StageWidget : public QWidget {
    Q_OBJECT

 public:
    explicit StageWidget(QWidget* parent = nullptr);
    ~StageWidget() override;  // waits for a frame that is being saved

    [[nodiscard]] StageState state() const { return m_state; }
    void setExamples(const QStringList& prompts);

    void showEmpty();
    // With the request of the job that was shown last and has not ended, its previews are still there.
    void beginJob(const job::GenerationRequest& request);
    void setProgress(const app::JobProgress& progress);
    // Every preview is kept (preview_history.h) and can be gone back to. One of the clip's own size was decoded
    // exactly: the stage stays at it until the user goes on.
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

    // Space, arrows, J K L, I O X, plus and minus … True if the key means something to what is shown. For keys that
    // the focused control did not want; the stage sees those of its own controls by itself.
    bool handleKey(const QKeyEvent& event);
    void copyFrame();
    void askWhereToSaveFrame();
    // As PNG, off the window's thread; a notice says how it ended. What is there is replaced.
    void saveFrameAs(const QString& path);

    [[nodiscard]] const std::optional<app::LoadedClip>& clip() const { return m_clip; }
    [[nodiscard]] int previewCount() const { return m_previews; }
    [[nodiscard]] FramePlayer* player() const { return m_player; }
    [[nodiscard]] StageCanvas* canvas() const { return m_canvas; }
    [[nodiscard]] ProgressRow* progressRow() const { return m_progress; }
    [[nodiscard]] TransportBar* transportBar() const { return m_transport; }
    [[nodiscard]] StepBar* stepBar() const { return m_steps; }
    [[nodiscard]] const PreviewHistory& history() const { return m_history; }

 signals:
    void stateChanged(fw::ui::StageState state);
    void exampleChosen(const QString& prompt);
    void cancelRequested();
    void showNowRequested();
    void stopAndKeepRequested();
    void runAgainRequested();
    void saveRequested();
    void smoothChanged(bool smooth);
    void errorActionRequested(fw::ui::SuggestedAction action);
    void noticeActionRequested();

 protected:
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

 private:
    void addKeys();  // stage_keys.cpp
    void addPlayKeys();
    void addViewKeys();
    void changeSpeed(int by);
    [[nodiscard]] bool isOfHistory(const job::GenerationRequest& request) const;
    void updateSteps();
    void showChosen();
    QWidget* buildBottom();
    QWidget* buildCancelledRow();
    void setState(StageState state);
    void setCaption(const QString& title, const QString& facts);
    void elideCaption();

    StageState m_state = StageState::Empty;
    std::optional<app::LoadedClip> m_clip;
    int m_previews = 0;
    QString m_title;

    PreviewHistory m_history;
    job::GenerationRequest m_historyRequest;
    QString m_historyFile;       // the clip it became; empty: none yet
    bool m_historyOpen = false;  // its job has not ended
    bool m_historyShown = false;
    int m_stepCount = 0;
    QSize m_requestSize;
    QThreadPool m_saving;

    KeyMap* m_keys;
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
    StepBar* m_steps;
    FrameRow* m_frames;
    ProgressRow* m_progress;
    TransportBar* m_transport;
    QWidget* m_cancelledRow;
    QLabel* m_cancelledText;
};

}  // namespace fw::ui
