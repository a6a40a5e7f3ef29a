#include "ui/queue_removal.h"

#include <QCoreApplication>
#include <algorithm>
#include <memory>
#include <utility>

namespace fw::ui {
namespace {

struct Removals {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Removals)
};

// Adds `jobs` to the queue's end and says their new ids, and in front of which job they belong.
struct Restored {
    std::vector<std::int64_t> ids;
    std::int64_t beforeId = 0;
};

Result<Restored> restore(store::LibraryStore& store, const std::vector<store::Job>& jobs,
                         const std::vector<std::int64_t>& followers) {
    FW_ASSIGN(const auto waiting, store.jobs({store::JobState::Queued, store::JobState::Interrupted}, -1));
    FW_ASSIGN(const auto added, store.addJobs(jobs));
    Restored restored;
    for (const auto& job : added) {
        restored.ids.push_back(job.id);
    }
    for (const std::int64_t id : followers) {
        if (std::any_of(waiting.begin(), waiting.end(), [&](const store::Job& job) { return job.id == id; })) {
            restored.beforeId = id;
            return restored;
        }
    }
    // All that stood behind have had their turn: what was in front of them is due.
    restored.beforeId = followers.empty() || waiting.empty() ? 0 : waiting.front().id;
    return restored;
}

}  // namespace

QueueRemoval::QueueRemoval(app::JobQueue& queue, app::LibraryService& library, std::vector<store::Job> jobs,
                           std::vector<std::int64_t> followers)
    : QUndoCommand(Removals::tr("remove jobs from the queue")),
      m_queue(&queue),
      m_library(library),
      m_jobs(std::move(jobs)),
      m_followers(std::move(followers)),
      m_ids(std::make_shared<std::vector<std::int64_t>>()) {
    for (const auto& job : m_jobs) {
        m_ids->push_back(job.id);
    }
}

void QueueRemoval::redo() {
    if (m_queue) {
        m_queue->remove(*m_ids);
    }
}

void QueueRemoval::undo() {
    if (!m_queue) {
        return;
    }
    m_library.write(
        m_queue,
        [jobs = m_jobs, followers = m_followers](store::LibraryStore& store) {
            return restore(store, jobs, followers);
        },
        [queue = m_queue, ids = m_ids](const Result<Restored>& restored) {
            if (!restored) {
                emit queue->notice(QString::fromStdString(restored.error().message));
                return;
            }
            *ids = restored->ids;
            queue->move(restored->ids, restored->beforeId);
        });
}

}  // namespace fw::ui
