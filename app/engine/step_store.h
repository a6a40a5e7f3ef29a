// Latents between the steps of the last runs: a run that a person changes by hand begins where it changes, not
// anew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/job/generation_request.h"

namespace fw::app {

// A folder with one folder for each run, named by what makes its latents; in them checkpoints
// (core/pipeline/checkpoint.h). What was written longest ago goes when they take too much; other files are left
// alone. It is a cache: all of it may be removed at any time, and files that cannot be read only cost the steps
// they would have saved. Programs may share it.
class StepStore {
 public:
    static constexpr std::int64_t kBytes = std::int64_t{1} << 30;
    // What one run should take of it.
    [[nodiscard]] std::int64_t runBytes() const { return m_bytes / 2; }

    // An empty folder: nothing is kept.
    explicit StepStore(std::filesystem::path folder = {}, std::int64_t bytes = kBytes)
        : m_folder(std::move(folder)), m_bytes(bytes) {}

    // `engine`: what computes, the model, the device and the build of the program. Where the steps of `resolved`, a
    // request without changes made by hand, are kept; made if missing. Empty when nothing is kept or the folder
    // cannot be made.
    [[nodiscard]] std::filesystem::path makeRun(const job::GenerationRequest& resolved,
                                                const std::string& engine) const;
    // Checkpoints of the same run without the changes of `resolved`, before the first step that changes; latest
    // first.
    [[nodiscard]] std::vector<std::filesystem::path> unchangedSteps(const job::GenerationRequest& resolved,
                                                                    const std::string& engine) const;
    // Makes room for a run in the folder `kept`, which itself stays.
    void trim(const std::filesystem::path& kept) const;

 private:
    [[nodiscard]] std::filesystem::path runFolder(job::GenerationRequest resolved, const std::string& engine) const;

    std::filesystem::path m_folder;
    std::int64_t m_bytes;
};

// Where they are kept: $FRAMEWRIGHT_STEP_CACHE, otherwise framewright/steps in $XDG_CACHE_HOME or ~/.cache. Empty
// when the variable says "off".
[[nodiscard]] std::filesystem::path stepStoreFolder();

}  // namespace fw::app
