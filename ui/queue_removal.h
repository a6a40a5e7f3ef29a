// Removing waiting jobs from the queue, and adding them again where they were.
#pragma once

#include <QPointer>
#include <QUndoCommand>
#include <cstdint>
#include <memory>
#include <vector>

#include "app/library/job_queue.h"
#include "app/library/library_service.h"
#include "core/store/records.h"

namespace fw::ui {

class QueueRemoval : public QUndoCommand {
 public:
    // `jobs` wait; `followers` are the waiting jobs behind the last of them, nearest first: the first that still
    // waits when the removal is undone says where they go. Does nothing once `queue` is gone; `library` outlives
    // it.
    QueueRemoval(app::JobQueue& queue, app::LibraryService& library, std::vector<store::Job> jobs,
                 std::vector<std::int64_t> followers);

    void redo() override;
    void undo() override;

 private:
    QPointer<app::JobQueue> m_queue;
    app::LibraryService& m_library;
    std::vector<store::Job> m_jobs;
    std::vector<std::int64_t> m_followers;
    // Jobs that come back have new ids, which the answer of the library brings.
    std::shared_ptr<std::vector<std::int64_t>> m_ids;
};

}  // namespace fw::ui
