// Options and the model that gpu_bench clip and gpu_bench memory share.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "clip_runs.h"

namespace fw::gpu {

// "--name value" and "--flag" words, each with a default.
class BenchOptions {
 public:
    // InvalidArgument for a word that is none of `defaults`. A default of "no" makes a flag.
    [[nodiscard]] static Result<BenchOptions> parse(std::span<char*> arguments,
                                                    std::map<std::string, std::string> defaults);
    [[nodiscard]] const std::string& text(const std::string& name) const { return m_values.at(name); }
    [[nodiscard]] bool flag(const std::string& name) const { return m_values.at(name) == "yes"; }
    [[nodiscard]] Result<int> number(const std::string& name) const;
    // Comma-separated.
    [[nodiscard]] std::vector<std::string> list(const std::string& name) const;

 private:
    std::map<std::string, std::string> m_values;
};

// --size, --frames, --steps, --config, --layers, --dtype, --device.
[[nodiscard]] std::map<std::string, std::string> sharedOptions();

// A folder with a random model, which goes away with the object.
class RandomFolder {
 public:
    RandomFolder() = default;
    ~RandomFolder();
    RandomFolder(RandomFolder&& other) noexcept;
    RandomFolder& operator=(RandomFolder&& other) noexcept;
    // By --config and --layers; --config may also be a model's folder, which is used as it is.
    [[nodiscard]] static Result<RandomFolder> create(const BenchOptions& options);
    [[nodiscard]] const std::filesystem::path& model() const { return m_model; }
    [[nodiscard]] std::filesystem::path saladAdapter() const { return m_root / "salad.safetensors"; }

 private:
    std::filesystem::path m_root, m_model;
};

// What the shared options ask for.
[[nodiscard]] Result<ClipSetup> clipSetup(const BenchOptions& options, const RandomFolder& folder);

// Into the file that --json names, if it does.
[[nodiscard]] Status writeReport(const BenchOptions& options, const OrderedJson& report);

}  // namespace fw::gpu
