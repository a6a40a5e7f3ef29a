#include "ui/queue_edits.h"

#include <QCoreApplication>
#include <utility>

namespace fw::ui {
namespace {

struct Edits {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Edits)
};

}  // namespace

QueueMove::QueueMove(app::JobQueue& queue, std::vector<std::int64_t> order, std::vector<std::int64_t> ids,
                     std::int64_t beforeId)
    : QUndoCommand(Edits::tr("move jobs in the queue")),
      m_queue(&queue),
      m_order(std::move(order)),
      m_ids(std::move(ids)),
      m_beforeId(beforeId) {}

void QueueMove::redo() {
    if (m_queue) {
        m_queue->move(m_ids, m_beforeId);
    }
}

void QueueMove::undo() {
    if (m_queue) {
        m_queue->restoreOrder(m_order);
    }
}

QueueCancel::QueueCancel(app::JobQueue& queue, std::vector<std::int64_t> order, std::vector<std::int64_t> ids)
    : QUndoCommand(Edits::tr("cancel jobs in the queue")),
      m_queue(&queue),
      m_order(std::move(order)),
      m_ids(std::move(ids)) {}

void QueueCancel::redo() {
    if (m_queue) {
        m_queue->cancelWaiting(m_ids);
    }
}

void QueueCancel::undo() {
    if (m_queue) {
        m_queue->retry(m_ids);
        m_queue->restoreOrder(m_order);
    }
}

QueueEdit::QueueEdit(app::JobQueue& queue, std::int64_t id, job::GenerationRequest before,
                     job::GenerationRequest after)
    : QUndoCommand(Edits::tr("edit a job of the queue")),
      m_queue(&queue),
      m_id(id),
      m_before(std::move(before)),
      m_after(std::move(after)) {}

void QueueEdit::redo() {
    if (m_queue) {
        m_queue->edit(m_id, m_after);
    }
}

void QueueEdit::undo() {
    if (m_queue) {
        m_queue->edit(m_id, m_before);
    }
}

}  // namespace fw::ui
