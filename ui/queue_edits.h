// Changes of waiting jobs that can be taken back: their order, their settings, cancelling them.
#pragma once

#include <QPointer>
#include <QUndoCommand>
#include <cstdint>
#include <vector>

#include "app/library/job_queue.h"
#include "core/job/generation_request.h"

namespace fw::ui {

// Each does nothing once the queue is gone. What began meanwhile is left alone, and the queue says so.
class QueueMove : public QUndoCommand {
 public:
    // `order`: all waiting jobs as they are before the move of `ids` in front of `beforeId` (0: to the end).
    QueueMove(app::JobQueue& queue, std::vector<std::int64_t> order, std::vector<std::int64_t> ids,
              std::int64_t beforeId);
    void redo() override;
    void undo() override;

 private:
    QPointer<app::JobQueue> m_queue;
    std::vector<std::int64_t> m_order, m_ids;
    std::int64_t m_beforeId;
};

class QueueCancel : public QUndoCommand {
 public:
    // `order`: all waiting jobs, `ids` among them. Jobs that come back begin anew, at their old places.
    QueueCancel(app::JobQueue& queue, std::vector<std::int64_t> order, std::vector<std::int64_t> ids);
    void redo() override;
    void undo() override;

 private:
    QPointer<app::JobQueue> m_queue;
    std::vector<std::int64_t> m_order, m_ids;
};

class QueueEdit : public QUndoCommand {
 public:
    QueueEdit(app::JobQueue& queue, std::int64_t id, job::GenerationRequest before, job::GenerationRequest after);
    void redo() override;
    void undo() override;

 private:
    QPointer<app::JobQueue> m_queue;
    std::int64_t m_id;
    job::GenerationRequest m_before, m_after;
};

}  // namespace fw::ui
