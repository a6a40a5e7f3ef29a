// Benchmarks on a model of a published size with random weights: speed without a download.
#pragma once

#include <CLI/CLI.hpp>

#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "core/job/generation_request.h"

namespace fw::cli {

// The option --config and the folder it asks for, in the temporary files' folder (TMPDIR) until the object goes.
class BenchModel {
 public:
    BenchModel() = default;
    ~BenchModel();
    BenchModel(const BenchModel&) = delete;
    BenchModel& operator=(const BenchModel&) = delete;

    // This object must outlive the parsing.
    void addTo(CLI::App& command);
    // With --config: writes the model and names it in `request`. InvalidArgument beside a model of the request's
    // own, Io when there is no room.
    [[nodiscard]] Status apply(job::GenerationRequest& request);
    // What was asked for; empty: the request's own model.
    [[nodiscard]] const std::string& config() const { return m_config; }

 private:
    std::string m_config;
    std::filesystem::path m_folder;
};

}  // namespace fw::cli
