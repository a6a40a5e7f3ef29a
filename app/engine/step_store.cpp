#include "app/engine/step_store.h"

#include <algorithm>
#include <system_error>

#include "core/job/what_if.h"
#include "core/model/sha256.h"
#include "core/pipeline/generator.h"

namespace fw::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunSuffix = ".steps";
constexpr std::size_t kNameLength = 32;

struct StoredRun {
    fs::path folder;
    fs::file_time_type written;
    std::int64_t bytes = 0;
};

// Only what runFolder() names is ever removed: a person may have chosen a folder with things of their own.
bool isRun(const fs::path& folder) {
    const std::string stem = folder.stem().string();
    return folder.extension() == kRunSuffix && stem.size() == kNameLength &&
           stem.find_first_not_of("0123456789abcdef") == std::string::npos;
}

StoredRun look(const fs::path& folder) {
    StoredRun run{folder, fs::file_time_type::min(), 0};
    std::error_code error;
    for (fs::directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
        std::error_code gone;  // another program may trim at the same time
        const auto size = file->file_size(gone);
        const auto written = file->last_write_time(gone);
        if (!gone) {
            run.bytes += static_cast<std::int64_t>(size);
            run.written = std::max(run.written, written);
        }
    }
    return run;
}

}  // namespace

fs::path StepStore::runFolder(job::GenerationRequest resolved, const std::string& engine) const {
    resolved.probes.reset();
    resolved.whatIf.reset();
    resolved.memoryBudget.reset();
    model::Sha256 hash;
    hash.addText(engine);
    hash.addText(job::toJson(resolved).dump());
    return m_folder / (hash.finish().substr(0, kNameLength) + kRunSuffix);
}

fs::path StepStore::makeRun(const job::GenerationRequest& resolved, const std::string& engine) const {
    if (m_folder.empty() || resolved.whatIf) {
        return {};
    }
    fs::path folder = runFolder(resolved, engine);
    std::error_code error;
    fs::create_directories(folder, error);
    return error ? fs::path() : folder;
}

std::vector<fs::path> StepStore::unchangedSteps(const job::GenerationRequest& resolved,
                                                const std::string& engine) const {
    std::vector<fs::path> files;
    if (m_folder.empty() || !resolved.whatIf) {
        return files;
    }
    const auto whatIf = job::whatIfOf(resolved);
    if (!whatIf) {
        return files;  // the run itself says what is wrong
    }
    const fs::path folder = runFolder(resolved, engine);
    for (int step = std::min(job::firstChange(*whatIf), *resolved.steps - 1); step > 0; --step) {
        fs::path file = folder / pipeline::stepFileName(step);
        std::error_code error;
        if (fs::is_regular_file(file, error)) {
            files.push_back(std::move(file));
        }
    }
    return files;
}

void StepStore::trim(const fs::path& kept) const {
    std::vector<StoredRun> runs;
    std::int64_t all = 0;
    std::error_code error;
    for (fs::directory_iterator entry(m_folder, error), end; !error && entry != end; entry.increment(error)) {
        if (isRun(entry->path()) && !entry->is_symlink(error)) {
            runs.push_back(look(entry->path()));
            all += entry->path() == kept ? 0 : runs.back().bytes;
        }
    }
    std::sort(runs.begin(), runs.end(),
              [](const StoredRun& a, const StoredRun& b) { return a.written < b.written; });
    for (const StoredRun& run : runs) {
        if (all <= m_bytes - runBytes()) {
            break;
        }
        if (run.folder != kept) {
            fs::remove_all(run.folder, error);
            all -= run.bytes;
        }
    }
}

}  // namespace fw::app
