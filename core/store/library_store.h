// The library database: jobs, clips, tags, projects, prompts, presets. SQLite in WAL mode.
//
// One LibraryStore is one connection and is used by one thread at a time (app/library owns the writer thread;
// readers open their own). Every public call is one transaction; after it returns the change survives a crash of
// the process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/store/records.h"

namespace fw::store {

// What open() had to do besides opening.
struct OpenReport {
    int migratedFrom = -1;         // schema version before, -1 if nothing was migrated
    std::filesystem::path backup;  // copy made before the first migration step
    std::filesystem::path
        damagedSetAside;  // the unreadable file, renamed; a fresh database holds what was recovered
    std::int64_t recoveredClips = 0, recoveredJobs = 0;
    int interruptedJobs = 0;   // running jobs found and marked Interrupted
    bool uncleanExit = false;  // the last session did not close(): the queue should start paused
};

// A parsed search line: words and `field:value` terms, e.g. "red fox model:mini steps:>20 star:>=3 tag:test
// -night". Fields: queryFields() in clip_query.h. Comparisons of numbers and dates (YYYY-MM-DD, UTC): > >= < <= =.
// A leading '-' negates. Quotes group words; the last letters of an unquoted word may be missing.
struct ClipQuery {
    std::string text;
    ClipOrder order = ClipOrder::Newest;
    std::int64_t projectId = 0;  // 0: all
    bool trashed = false;        // show the trash instead of the library
};

// The beginning of a list of clips.
struct FirstClips {
    std::vector<std::int64_t> ids;  // empty and not complete: only the whole search tells
    bool complete = false;          // there are no others
};

class LibraryStore {
 public:
    // Creates or migrates `<folder>/library.sqlite3`. Io or Internal with a sentence for the user.
    [[nodiscard]] static Result<std::unique_ptr<LibraryStore>> open(const std::filesystem::path& folder,
                                                                    OpenReport* report = nullptr);
    // A second, read-only connection for lists and searches on another thread.
    [[nodiscard]] static Result<std::unique_ptr<LibraryStore>> openReadOnly(const std::filesystem::path& folder);
    virtual ~LibraryStore() = default;

    // Marks a clean exit. Also interrupts a running query of this connection when called from another thread.
    virtual Status close() = 0;
    virtual void interrupt() = 0;

    // --- jobs
    [[nodiscard]] virtual Result<Job> addJob(const Job& job) = 0;  // id, position and time are set
    [[nodiscard]] virtual Result<std::vector<Job>> addJobs(const std::vector<Job>& jobs) = 0;  // one transaction
    [[nodiscard]] virtual Result<Job> job(std::int64_t id) = 0;
    [[nodiscard]] virtual Result<std::vector<Job>> jobs(const std::vector<JobState>& states, int limit) = 0;
    // Only while Queued: InvalidArgument otherwise.
    [[nodiscard]] virtual Status editJob(std::int64_t id, const std::string& requestJson) = 0;
    // Moves queued jobs, in the given order, before `beforeId` (0: to the end).
    [[nodiscard]] virtual Status moveJobs(const std::vector<std::int64_t>& ids, std::int64_t beforeId) = 0;
    [[nodiscard]] virtual Status removeJobs(const std::vector<std::int64_t>& ids) = 0;  // not while Running
    // Next queued or interrupted job, marked Running; nothing when the queue is empty.
    [[nodiscard]] virtual Result<std::optional<Job>> takeNextJob() = 0;
    [[nodiscard]] virtual Status setJobProgress(std::int64_t id, const std::string& phase, int step, int steps,
                                                const std::string& checkpointFile) = 0;
    [[nodiscard]] virtual Status finishJob(std::int64_t id, JobState state, const std::string& errorCode,
                                           const std::string& errorMessage) = 0;
    // Those of the jobs that wait are cancelled.
    [[nodiscard]] virtual Status cancelJobs(const std::vector<std::int64_t>& ids) = 0;
    // Failed and cancelled jobs wait again, in this order: a failed one with its checkpoint, a cancelled one from
    // the start. Nothing happens to any other.
    [[nodiscard]] virtual Status requeueJobs(const std::vector<std::int64_t>& ids) = 0;
    [[nodiscard]] virtual Result<int> countWorkerLoss(std::int64_t id) = 0;  // the new count

    // --- clips
    // Inserts the clip and marks its job Done in one transaction. The file must already be in place.
    [[nodiscard]] virtual Result<Clip> addClip(const Clip& clip) = 0;
    [[nodiscard]] virtual Result<Clip> clip(std::int64_t id) = 0;
    [[nodiscard]] virtual Result<std::int64_t> countClips(const ClipQuery& query) = 0;
    // InvalidArgument when the text cannot be parsed (findMistake() in clip_query.h says where).
    [[nodiscard]] virtual Result<std::vector<Clip>> clips(const ClipQuery& query, std::int64_t offset,
                                                          int limit) = 0;
    // All clips that match, in order. Reads indices only: some 10 ms for 100,000 clips. Cancelled once `cancel`
    // says so: while somebody types, the next letter makes this search pointless.
    [[nodiscard]] virtual Result<std::vector<std::int64_t>> clipIds(const ClipQuery& query,
                                                                    const CancelToken& cancel = {}) = 0;
    // What clipIds() begins with, for an answer at once: it looks at the first few thousand clips only.
    [[nodiscard]] virtual Result<FirstClips> firstClipIds(const ClipQuery& query, int limit) = 0;
    // The clips of `ids` in that order; ids without a clip are left out. Meant for a screenful.
    [[nodiscard]] virtual Result<std::vector<Clip>> clipsById(const std::vector<std::int64_t>& ids) = 0;
    // The values of a text field of the search line ("model"), each once.
    [[nodiscard]] virtual Result<std::vector<std::string>> fieldValues(const std::string& field) = 0;
    // The former numbers of stars, one for each id (0 where there is no such clip): what an undo restores.
    [[nodiscard]] virtual Result<std::vector<int>> setStars(const std::vector<std::int64_t>& ids, int stars) = 0;
    [[nodiscard]] virtual Status setNotes(std::int64_t id, const std::string& notes) = 0;
    // Tags differ by more than the case of their letters. Return the clips that changed: what an undo restores.
    [[nodiscard]] virtual Result<std::vector<std::int64_t>> addTag(const std::vector<std::int64_t>& ids,
                                                                   const std::string& tag) = 0;
    [[nodiscard]] virtual Result<std::vector<std::int64_t>> removeTag(const std::vector<std::int64_t>& ids,
                                                                      const std::string& tag) = 0;
    [[nodiscard]] virtual Result<std::vector<std::string>> tags() = 0;
    [[nodiscard]] virtual Status setTrashed(const std::vector<std::int64_t>& ids, bool trashed) = 0;
    // Removes rows of trashed clips for good and returns their files for the caller to delete.
    [[nodiscard]] virtual Result<std::vector<std::string>> purge(const std::vector<std::int64_t>& ids) = 0;
    [[nodiscard]] virtual Status setMissing(std::int64_t id, bool missing) = 0;
    // The former projects, one for each id: what an undo restores.
    [[nodiscard]] virtual Result<std::vector<std::int64_t>> moveToProject(const std::vector<std::int64_t>& ids,
                                                                          std::int64_t projectId) = 0;

    // --- projects, prompts, presets, session
    [[nodiscard]] virtual Result<std::vector<Project>> projects() = 0;
    [[nodiscard]] virtual Result<Project> addProject(const std::string& name) = 0;
    [[nodiscard]] virtual Status renameProject(std::int64_t id, const std::string& name) = 0;
    // Prompt and negative prompt of each.
    using PromptPair = std::pair<std::string, std::string>;
    [[nodiscard]] virtual Status rememberPrompts(const std::vector<PromptPair>& prompts) = 0;
    [[nodiscard]] virtual Result<std::vector<PromptEntry>> prompts(const std::string& words, int limit) = 0;
    [[nodiscard]] virtual Result<std::vector<Preset>> presets() = 0;
    [[nodiscard]] virtual Status savePreset(const Preset& preset) = 0;
    [[nodiscard]] virtual Status removePreset(const std::string& name) = 0;
    // In the order of their names.
    [[nodiscard]] virtual Result<std::vector<SavedSearch>> savedSearches() = 0;
    // Replaces the search of that name.
    [[nodiscard]] virtual Status saveSearch(const SavedSearch& search) = 0;
    // InvalidArgument when another search has that name.
    [[nodiscard]] virtual Status renameSearch(const std::string& from, const std::string& to) = 0;
    [[nodiscard]] virtual Status removeSearch(const std::string& name) = 0;
    [[nodiscard]] virtual Result<std::string> sessionValue(const std::string& key) = 0;  // empty when unset
    [[nodiscard]] virtual Status setSessionValue(const std::string& key, const std::string& value) = 0;

 protected:
    LibraryStore() = default;
};

}  // namespace fw::store
