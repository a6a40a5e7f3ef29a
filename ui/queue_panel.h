// The queue as people see it: what runs and how far it is, what waits, what failed and why, what was made last.
#pragma once

#include <QTimer>
#include <QWidget>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/library/job_queue.h"
#include "app/library/library_service.h"
#include "core/job/generation_request.h"

class QAction;
class QLabel;
class QMenu;
class QPushButton;
class QStackedLayout;
class QToolButton;
class QUndoStack;

namespace fw::ui {

class NoticeBar;
class QueueModel;
class QueueView;
struct QueueRow;

class QueuePanel : public QWidget {
    Q_OBJECT

 public:
    // Both services outlive the panel.
    QueuePanel(app::JobQueue& queue, app::LibraryService& library, QWidget* parent = nullptr);

    // The stack that changes go onto instead of the panel's own; it must outlive the panel, and its owner offers
    // Ctrl+Z.
    void setUndoStack(QUndoStack* stack);
    [[nodiscard]] QueueView* view() const { return m_view; }
    [[nodiscard]] QueueModel* model() const { return m_model; }
    [[nodiscard]] QPushButton* pauseButton() const { return m_pause; }
    // Of the running job and all that wait; negative: not known.
    void setSecondsLeft(double seconds);
    // "Paused  ·  3 waiting  ·  about 2 min 10 s"
    [[nodiscard]] QString summary() const;

 signals:
    // The form should show this waiting job's request and save it with JobQueue::edit().
    void editRequested(qint64 jobId, const fw::job::GenerationRequest& request);
    void loadSettingsRequested(const fw::job::GenerationRequest& request);
    void clipRequested(qint64 clipId);
    void notice(const QString& sentence);

 protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

 private:
    struct Verbs {
        QAction *edit, *show, *retry, *load, *duplicate, *first, *up, *down, *batch, *keep, *cancel, *copy, *remove,
            *undo;
    };
    QWidget* buildEmpty();
    QWidget* buildHeader();
    void buildActions();
    QAction* addVerb(const QString& text, const QKeySequence& key, void (QueuePanel::*slot)());
    void connectQueue();
    void reload();
    void showJobs();
    void showPaused();
    void updateVerbs();
    void openMenu(const QPoint& position);
    void activate(const QModelIndex& index);
    [[nodiscard]] std::vector<const QueueRow*> selection() const;
    [[nodiscard]] std::vector<std::int64_t> selectedIn(const std::vector<store::JobState>& states) const;
    [[nodiscard]] std::vector<std::int64_t> waitingIds() const;
    void move(const std::vector<std::int64_t>& ids, std::int64_t beforeId);

    void editJob();
    void showClip();
    void retryJobs();
    void loadSettings();
    void duplicateJobs();
    void moveFirst();
    void moveUp();
    void moveDown();
    void selectBatch();
    void keepRunning();
    void cancelJobs();
    void copyTexts();
    void removeJobs();
    void undoLast();
    void clearFinished();

    app::JobQueue& m_queue;
    app::LibraryService& m_library;
    QueueModel* m_model;
    QueueView* m_view;
    QUndoStack* m_undo;
    Verbs m_verbs{};
    QMenu* m_menu = nullptr;
    QPushButton* m_pause = nullptr;
    QLabel* m_summary = nullptr;
    QToolButton* m_clear = nullptr;
    QStackedLayout* m_pages = nullptr;
    NoticeBar* m_notice = nullptr;
    QTimer m_reload;  // gathers changes that come together
    QTimer m_second;  // counts down what is left
    double m_secondsLeft = -1.0;
    bool m_reading = false, m_stale = false;
    int m_generation = 0;  // of the order shown; an answer from before a move is not wanted
};

}  // namespace fw::ui
