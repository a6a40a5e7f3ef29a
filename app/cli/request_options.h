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
    std::string m_memoryBudget;
    std::vector<std::string> m_settings;
    std::vector<std::string> m_adapters;
    std::string m_lora = "merged";
    std::vector<std::string> m_cacheSettings;
};

// "FILE", or "FILE@0.8" with a strength; an @ that no number follows belongs to the name.
[[nodiscard]] Result<job::Adapter> adapterFromText(const std::string& text);
// "NAME=VALUE" into `parameters`: the value is JSON where it is any, text otherwise. InvalidArgument names
// `option`.
[[nodiscard]] Status addSetting(Json& parameters, std::string_view option, const std::string& setting);

// What to look at inside a run: for the commands that make or plan one clip.
class ProbeOptions {
 public:
    // This object must outlive the parsing.
    void addTo(CLI::App& command);
    [[nodiscard]] bool given() const { return !m_kinds.empty(); }
    // Adds what was given to `request`. InvalidArgument.
    [[nodiscard]] Status apply(job::GenerationRequest& request) const;

 private:
    std::string m_kinds, m_steps, m_layers, m_queries;
    std::optional<int> m_samples;
};

// --what-if: a file of changes made by hand (core/job/what_if.h), as the inspector saves it.
class WhatIfOption {
 public:
    // This object must outlive the parsing.
    void addTo(CLI::App& command);
    // Adds what the file says to what `request` changes already. InvalidArgument naming the file.
    [[nodiscard]] Status apply(job::GenerationRequest& request) const;

 private:
    std::string m_file;
};

}  // namespace fw::cli
