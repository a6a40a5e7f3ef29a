// Rows of the library database as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fw::store {

// Times are microseconds since the Unix epoch; 0 means "not yet". Ids are SQLite row ids; 0 means "none".

enum class JobState : std::uint8_t {
    Queued,       // waiting; may be edited, moved, removed
    Running,      // given to a worker
    Interrupted,  // was running when the worker or the studio ended; can continue from its checkpoint
    Done,         // its clip is in the library
    Failed,       // errorCode and errorMessage say why; may be retried
    Cancelled,    // stopped by the user
};
[[nodiscard]] std::string_view jobStateName(JobState state);  // "queued" …: the text stored in the database

struct Job {
    std::int64_t id = 0;
    std::int64_t projectId = 1;
    JobState state = JobState::Queued;
    double position = 0;      // order among queued jobs, ascending; gaps allow moving one row
    std::string requestJson;  // job::GenerationRequest
    std::string batch;        // same text for jobs queued together; empty: alone
    std::int64_t createdUs = 0, startedUs = 0, finishedUs = 0;
    std::string phase;  // of the last progress report
    int step = 0, steps = 0;
    std::string checkpointFile;  // latents and sampler state of the last completed step; relative to the library
    int workerLosses = 0;        // workers lost while running it; two end the retries
    std::string errorCode, errorMessage;
    std::int64_t clipId = 0;  // the result
};

// Sort orders of clip lists. The numbers are stored: they never change.
enum class ClipOrder : std::uint8_t { Newest, Oldest, Stars, Longest, Name };

struct Clip {
    std::int64_t id = 0;
    std::int64_t projectId = 1;
    std::int64_t jobId = 0;
    std::string file;  // relative to the library folder
    std::string sha256;
    std::int64_t bytes = 0;
    int width = 0, height = 0, frames = 0;
    std::int64_t fpsNumerator = 0, fpsDenominator = 1;
    std::int64_t createdUs = 0;
    std::string prompt, negativePrompt;
    std::string model, modelHash, method, sampler, device, dtype, version;
    int steps = 0;
    double guidance = 0;
    std::string seed;    // decimal: 64 unsigned bits do not fit SQLite's integer
    double seconds = 0;  // prompt to file
    std::string requestJson, reportJson;
    std::string traceFile, thumbnailFile;  // relative; may be empty
    int stars = 0;                         // 0 … 5
    std::string notes;
    std::vector<std::string> tags;
    std::int64_t trashedUs = 0;  // 0: not in the trash
    bool missing = false;        // the file was not found when last looked for
};

struct Project {
    std::int64_t id = 0;
    std::string name;
    std::int64_t createdUs = 0;
};

struct PromptEntry {
    std::int64_t id = 0;
    std::string prompt, negativePrompt;
    std::int64_t usedUs = 0;
    int uses = 0;
};

struct Preset {
    std::string name;
    std::string requestJson;
};

// A search line with what was chosen beside it, kept under a name.
struct SavedSearch {
    std::string name;  // names differ by more than the case of their letters
    std::string text;
    std::int64_t projectId = 0;  // 0: all
    ClipOrder order = ClipOrder::Newest;
};

}  // namespace fw::store
