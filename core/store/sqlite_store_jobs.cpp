// Jobs of the library database.
#include <unordered_set>
#include <utility>

#include "core/store/sqlite_store.h"

namespace fw::store {

namespace {

constexpr const char* kJobColumns =
    "id, project_id, state, position, request, batch, created_us, started_us, finished_us, phase, step, steps, "
    "checkpoint, worker_losses, error_code, error_message, clip_id";

JobState stateFromName(const std::string& name) {
    for (const JobState state : {JobState::Queued, JobState::Running, JobState::Interrupted, JobState::Done,
                                 JobState::Failed, JobState::Cancelled}) {
        if (jobStateName(state) == name) {
            return state;
        }
    }
    return JobState::Failed;  // the table's CHECK allows no other text
}

Job readJob(const Statement& row) {
    Job job;
    job.id = row.integer(0);
    job.projectId = row.integer(1);
    job.state = stateFromName(row.text(2));
    job.position = row.real(3);
    job.requestJson = row.text(4);
    job.batch = row.text(5);
    job.createdUs = row.integer(6);
    job.startedUs = row.integer(7);
    job.finishedUs = row.integer(8);
    job.phase = row.text(9);
    job.step = row.smallInteger(10);
    job.steps = row.smallInteger(11);
    job.checkpointFile = row.text(12);
    job.workerLosses = row.smallInteger(13);
    job.errorCode = row.text(14);
    job.errorMessage = row.text(15);
    job.clipId = row.integer(16);
    return job;
}

Status requireChange(Connection& connection, std::int64_t id, const char* what) {
    if (connection.changes() == 0) {
        return fail(ErrorCode::InvalidArgument, "job {} {}", id, what);
    }
    return {};
}

}  // namespace

Result<Job> SqliteStore::addJob(const Job& job) {
    FW_ASSIGN(auto stored, addJobs({job}));
    return stored.front();
}

// 0 while there are no jobs.
Result<double> SqliteStore::lastPosition() {
    FW_ASSIGN(auto last, m_connection->prepare("SELECT coalesce(max(position), 0) FROM job"));
    FW_ASSIGN(const bool row, last.step());
    return row ? last.real(0) : 0.0;
}

Result<std::vector<Job>> SqliteStore::addJobs(const std::vector<Job>& jobs) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    FW_ASSIGN(double position, lastPosition());
    FW_ASSIGN(auto insert, m_connection->prepare("INSERT INTO job (project_id, state, position, request, batch, "
                                                 "created_us) VALUES (?, ?, ?, ?, ?, ?)"));
    std::vector<Job> stored = jobs;
    for (Job& job : stored) {
        job.state = JobState::Queued;
        job.createdUs = nowUs();
        job.position = ++position;
        FW_TRY(insert.reset()
                   .bind(job.projectId)
                   .bind(jobStateName(job.state))
                   .bind(job.position)
                   .bind(job.requestJson)
                   .bind(job.batch)
                   .bind(job.createdUs)
                   .run());
        job.id = m_connection->lastInsertId();
    }
    insert.reset();
    FW_TRY(transaction.commit());
    return stored;
}

Result<Job> SqliteStore::job(std::int64_t id) {
    FW_ASSIGN(auto statement, m_connection->prepare(fmt::format("SELECT {} FROM job WHERE id = ?", kJobColumns)));
    FW_ASSIGN(const bool row, statement.bind(id).step());
    if (!row) {
        return fail(ErrorCode::InvalidArgument, "there is no job {}", id);
    }
    return readJob(statement);
}

Result<std::vector<Job>> SqliteStore::jobs(const std::vector<JobState>& states, int limit) {
    std::string list;
    bool finished = false;
    for (const JobState state : states) {
        list += fmt::format("{}'{}'", list.empty() ? "" : ", ", jobStateName(state));
        finished = finished || state == JobState::Done || state == JobState::Failed || state == JobState::Cancelled;
    }
    // The queue reads front to back, the history newest first.
    FW_ASSIGN(auto statement, m_connection->prepare(fmt::format(
                                  "SELECT {} FROM job WHERE state IN ({}) ORDER BY {} LIMIT ?", kJobColumns, list,
                                  finished ? "finished_us DESC, id DESC" : "position, id")));
    statement.bind(limit);
    std::vector<Job> result;
    for (;;) {
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return result;
        }
        result.push_back(readJob(statement));
    }
}

Status SqliteStore::editJob(std::int64_t id, const std::string& requestJson) {
    FW_ASSIGN(auto statement,
              m_connection->prepare("UPDATE job SET request = ? WHERE id = ? AND state = 'queued'"));
    FW_TRY(statement.bind(requestJson).bind(id).run());
    return requireChange(*m_connection, id, "is no longer waiting and cannot be edited");
}

Status SqliteStore::moveJobs(const std::vector<std::int64_t>& ids, std::int64_t beforeId) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    // The new order of everything that waits: the others in place, the moved ones in front of `beforeId`.
    FW_ASSIGN(const auto waiting, jobs({JobState::Queued, JobState::Interrupted}, -1));
    std::vector<std::int64_t> order;
    const std::unordered_set<std::int64_t> moved(ids.begin(), ids.end());
    bool placed = false;
    for (const Job& job : waiting) {
        if (job.id == beforeId) {
            order.insert(order.end(), ids.begin(), ids.end());
            placed = true;
        }
        if (!moved.contains(job.id)) {
            order.push_back(job.id);
        }
    }
    if (!placed) {
        order.insert(order.end(), ids.begin(), ids.end());
    }
    FW_ASSIGN(auto statement, m_connection->prepare("UPDATE job SET position = ? WHERE id = ? AND state IN "
                                                    "('queued', 'interrupted')"));
    double position = 0;
    for (const std::int64_t id : order) {
        FW_TRY(statement.reset().bind(++position).bind(id).run());
    }
    statement.reset();
    return transaction.commit();
}

Status SqliteStore::removeJobs(const std::vector<std::int64_t>& ids) {
    return forEachId(ids, "DELETE FROM job WHERE state <> 'running' AND id = ?");
}

Result<std::optional<Job>> SqliteStore::takeNextJob() {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    // What was interrupted comes before what has not begun.
    FW_ASSIGN(auto next,
              m_connection->prepare(fmt::format("SELECT {} FROM job WHERE state IN ('queued', 'interrupted') "
                                                "ORDER BY state = 'queued', position, id LIMIT 1",
                                                kJobColumns)));
    FW_ASSIGN(const bool row, next.step());
    if (!row) {
        return std::optional<Job>{};
    }
    Job job = readJob(next);
    job.state = JobState::Running;
    job.startedUs = job.startedUs != 0 ? job.startedUs : nowUs();
    FW_ASSIGN(auto statement, m_connection->prepare("UPDATE job SET state = 'running', started_us = ?, "
                                                    "error_code = '', error_message = '' WHERE id = ?"));
    FW_TRY(statement.bind(job.startedUs).bind(job.id).run());
    FW_TRY(transaction.commit());
    return std::optional<Job>{std::move(job)};
}

Status SqliteStore::setJobProgress(std::int64_t id, const std::string& phase, int step, int steps,
                                   const std::string& checkpointFile) {
    FW_ASSIGN(auto statement, m_connection->prepare("UPDATE job SET phase = ?, step = ?, steps = ?, checkpoint = ? "
                                                    "WHERE id = ? AND state = 'running'"));
    FW_TRY(statement.bind(phase).bind(step).bind(steps).bind(checkpointFile).bind(id).run());
    return requireChange(*m_connection, id, "is not running");
}

Status SqliteStore::finishJob(std::int64_t id, JobState state, const std::string& errorCode,
                              const std::string& errorMessage) {
    FW_ASSIGN(auto statement, m_connection->prepare("UPDATE job SET state = ?, finished_us = ?, error_code = ?, "
                                                    "error_message = ? WHERE id = ? AND state <> 'done'"));
    FW_TRY(statement.bind(jobStateName(state)).bind(nowUs()).bind(errorCode).bind(errorMessage).bind(id).run());
    return requireChange(*m_connection, id, "does not exist or is done");
}

Status SqliteStore::cancelJobs(const std::vector<std::int64_t>& ids) {
    return forEachId(ids,
                     "UPDATE job SET state = 'cancelled', finished_us = ?, error_code = 'cancelled', "
                     "error_message = '' WHERE state IN ('queued', 'interrupted') AND id = ?",
                     nowUs());
}

Status SqliteStore::requeueJobs(const std::vector<std::int64_t>& ids) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    FW_ASSIGN(double position, lastPosition());
    FW_ASSIGN(auto statement,
              m_connection->prepare("UPDATE job SET state = 'queued', finished_us = 0, started_us = 0, "
                                    "step = CASE state WHEN 'failed' THEN step ELSE 0 END, "
                                    "checkpoint = CASE state WHEN 'failed' THEN checkpoint ELSE '' END, "
                                    "worker_losses = 0, error_code = '', error_message = '', position = ? "
                                    "WHERE id = ? AND state IN ('failed', 'cancelled')"));
    for (const std::int64_t id : ids) {
        FW_TRY(statement.reset().bind(++position).bind(id).run());
    }
    statement.reset();
    return transaction.commit();
}

Result<int> SqliteStore::countWorkerLoss(std::int64_t id) {
    FW_ASSIGN(auto statement, m_connection->prepare("UPDATE job SET worker_losses = worker_losses + 1 WHERE id = ? "
                                                    "RETURNING worker_losses"));
    FW_ASSIGN(const bool row, statement.bind(id).step());
    if (!row) {
        return fail(ErrorCode::InvalidArgument, "there is no job {}", id);
    }
    const int losses = statement.smallInteger(0);
    FW_ASSIGN(const bool more, statement.step());  // to completion: only then is the change committed
    FW_CHECK(!more, "job ids are unique");
    return losses;
}

}  // namespace fw::store
