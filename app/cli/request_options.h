// The options that describe a clip, shared by every command that takes one.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/job/generation_request.h"

namespace fw::cli {

class RequestOptions {
 public:
    // Adds the options to `command`; this object must outlive the parsing. The prompt is a required argument, or,
    // for benchmarks, optional with a default.
    void addTo(CLI::App& command, const std::string& defaultPrompt = {});

    // What was given; fields nobody named stay without value. InvalidArgument.
    [[nodiscard]] Result<job::GenerationRequest> request() const;

 private:
    job::GenerationRequest m_request;
    std::string m_sampler = "unipc";
    std::string m_rate;
    std::string m_seed;
    std::vector<std::string> m_settings;
    std::vector<std::string> m_adapters;
    std::vector<std::string> m_cacheSettings;
};

}  // namespace fw::cli
