// The one implementation of LibraryStore; split over sqlite_store*.cpp by topic.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/store/clip_query.h"
#include "core/store/library_store.h"
#include "core/store/sqlite_handles.h"

namespace fw::store {

class SqliteStore final : public LibraryStore {
 public:
    SqliteStore(std::unique_ptr<Connection> connection, bool readOnly)
        : m_connection(std::move(connection)), m_readOnly(readOnly) {}
    ~SqliteStore() override;

    Status close() override;
    void interrupt() override { m_connection->interrupt(); }

    Result<Job> addJob(const Job& job) override;
    Result<std::vector<Job>> addJobs(const std::vector<Job>& jobs) override;
    Result<Job> job(std::int64_t id) override;
    Result<std::vector<Job>> jobs(const std::vector<JobState>& states, int limit) override;
    Status editJob(std::int64_t id, const std::string& requestJson) override;
    Status moveJobs(const std::vector<std::int64_t>& ids, std::int64_t beforeId) override;
    Status removeJobs(const std::vector<std::int64_t>& ids) override;
    Result<std::optional<Job>> takeNextJob() override;
    Status setJobProgress(std::int64_t id, const std::string& phase, int step, int steps,
                          const std::string& checkpointFile) override;
    Status finishJob(std::int64_t id, JobState state, const std::string& errorCode,
                     const std::string& errorMessage) override;
    Status cancelJobs(const std::vector<std::int64_t>& ids) override;
    Status requeueJobs(const std::vector<std::int64_t>& ids) override;
    Result<int> countWorkerLoss(std::int64_t id) override;

    Result<Clip> addClip(const Clip& clip) override;
    Result<Clip> clip(std::int64_t id) override;
    Result<std::int64_t> countClips(const ClipQuery& query) override;
    Result<std::vector<Clip>> clips(const ClipQuery& query, std::int64_t offset, int limit) override;
    Result<std::vector<std::int64_t>> clipIds(const ClipQuery& query, const CancelToken& cancel) override;
    Result<FirstClips> firstClipIds(const ClipQuery& query, int limit) override;
    Result<std::vector<Clip>> clipsById(const std::vector<std::int64_t>& ids) override;
    Result<std::vector<std::string>> fieldValues(const std::string& field) override;
    Result<std::vector<int>> setStars(const std::vector<std::int64_t>& ids, int stars) override;
    Status setNotes(std::int64_t id, const std::string& notes) override;
    Result<std::vector<std::int64_t>> addTag(const std::vector<std::int64_t>& ids, const std::string& tag) override;
    Result<std::vector<std::int64_t>> removeTag(const std::vector<std::int64_t>& ids,
                                                const std::string& tag) override;
    Result<std::vector<std::string>> tags() override;
    Status setTrashed(const std::vector<std::int64_t>& ids, bool trashed) override;
    Result<std::vector<std::string>> purge(const std::vector<std::int64_t>& ids) override;
    Status setMissing(std::int64_t id, bool missing) override;
    Result<std::vector<std::int64_t>> moveToProject(const std::vector<std::int64_t>& ids,
                                                    std::int64_t projectId) override;

    Result<std::vector<Project>> projects() override;
    Result<Project> addProject(const std::string& name) override;
    Status renameProject(std::int64_t id, const std::string& name) override;
    Status rememberPrompts(const std::vector<PromptPair>& prompts) override;
    Result<std::vector<PromptEntry>> prompts(const std::string& words, int limit) override;
    Result<std::vector<Preset>> presets() override;
    Status savePreset(const Preset& preset) override;
    Status removePreset(const std::string& name) override;
    Result<std::vector<SavedSearch>> savedSearches() override;
    Status saveSearch(const SavedSearch& search) override;
    Status renameSearch(const std::string& from, const std::string& to) override;
    Status removeSearch(const std::string& name) override;
    Result<std::string> sessionValue(const std::string& key) override;
    Status setSessionValue(const std::string& key, const std::string& value) override;

 private:
    // Runs `sql` (last parameter: the id) for every id in one transaction; `value` is bound before it when given.
    Status forEachId(const std::vector<std::int64_t>& ids, const char* sql,
                     const std::optional<std::int64_t>& value = std::nullopt);
    // Sets one column of every id in one transaction; returns what stood there before.
    Result<std::vector<std::int64_t>> exchange(const std::vector<std::int64_t>& ids, const char* column,
                                               std::int64_t value);
    // The matching clips from `offset` on, at most `limit` when that is not negative.
    Result<std::vector<std::int64_t>> matchingIds(const ClipQuery& query, std::int64_t offset, std::int64_t limit,
                                                  const CancelToken& cancel);
    // Rows of clip_words that match the FTS5 expression, ascending or descending.
    Result<std::vector<std::int64_t>> wordHits(const std::string& expression, bool descending,
                                               const CancelToken& cancel);
    Result<std::vector<std::int64_t>> collectIds(Statement& statement, const CancelToken& cancel = {});
    // Of `ids`, which ascend or descend, those whose words are as `conditions` ask.
    Result<std::vector<std::int64_t>> withWords(std::vector<std::int64_t> ids, const ClipConditions& conditions);
    Status readTags(std::vector<Clip>& clips);
    Result<double> lastPosition();  // of the jobs

    std::unique_ptr<Connection> m_connection;
    bool m_readOnly;
    bool m_closed = false;
};

// Microseconds since the Unix epoch.
[[nodiscard]] std::int64_t nowUs();

}  // namespace fw::store
