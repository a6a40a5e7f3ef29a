#include "layer_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <utility>

#include "source_reader.h"

namespace fw::layering {
namespace {

using Names = std::vector<std::string_view>;

Names operator+(Names a, const Names& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// Libraries by the beginning of their headers' names. A header with a folder that is neither here nor the system's
// is a violation, so a new library needs a line here (and one in docs/dependencies.md).
constexpr std::pair<std::string_view, std::string_view> kHeaderLibraries[] = {
    {"libav", "libav"},       {"libsw", "libav"},          {"sqlite3", "sqlite"},
    {"cuda", "cuda"},         {"cublas", "cuda"},          {"cudnn", "cuda"},
    {"nccl", "cuda"},         {"nvrtc", "cuda"},           {"nvtx3/", "cuda"},
    {"cub/", "cuda"},         {"thrust/", "cuda"},         {"cute/", "cuda"},
    {"cutlass/", "cuda"},     {"cooperative", "cuda"},     {"mma.h", "cuda"},
    {"dnnl", "dnnl"},         {"oneapi/", "dnnl"},         {"hwy/", "highway"},
    {"imgui", "imgui"},       {"backends/imgui", "imgui"}, {"sentencepiece", "sentencepiece"},
    {"utf8proc", "utf8proc"}, {"nlohmann/", "json"},       {"fmt/", "fmt"},
    {"tl/", "expected"},      {"CLI/", "cli11"},           {"omp.h", "openmp"},
    {"immintrin.h", "simd"},  {"cpuid.h", "simd"},         {"x86", "simd"},
    {"gtest/", "gtest"},      {"gmock/", "gtest"},         {"benchmark/", "benchmark"},
    {"GL/", "opengl"},        {"EGL/", "opengl"},          {"GLES", "opengl"},
    {"openssl/", "openssl"},  {"spdlog/", "spdlog"},       {"torch/", "torch"},
    {"sys/", "system"},       {"linux/", "system"},        {"netinet/", "system"},
    {"arpa/", "system"},      {"asm/", "system"},          {"webp/", "webp"},
};

// The same libraries by the names CMake links them under. Qt's parts without a window are "qt", the others
// "qt_gui".
constexpr std::pair<std::string_view, std::string_view> kLinkLibraries[] = {
    {"PkgConfig::libav", "libav"},
    {"PkgConfig::webp", "webp"},
    {"PkgConfig::sqlite3", "sqlite"},
    {"CUDA::", "cuda"},
    {"fw_dnnl", "dnnl"},
    {"PkgConfig::hwy", "highway"},
    {"PkgConfig::imgui", "imgui"},
    {"PkgConfig::sentencepiece", "sentencepiece"},
    {"PkgConfig::utf8proc", "utf8proc"},
    {"nlohmann_json::", "json"},
    {"fmt::", "fmt"},
    {"tl::expected", "expected"},
    {"CLI11::", "cli11"},
    {"OpenMP::", "openmp"},
    {"OpenSSL::Crypto", "openssl"},
    {"GTest::", "gtest"},
    {"benchmark::", "benchmark"},
    {"OpenGL::", "opengl"},
    {"Qt6::Core", "qt"},
    {"Qt6::Network", "qt"},
    {"Qt6::", "qt_gui"},
    {"Threads::", "system"},
    {"rt", "system"},
    {"dl", "system"},
    {"fw_strict", "system"},
};

std::optional<std::string_view> linkLibrary(std::string_view target) {
    for (const auto& [prefix, library] : kLinkLibraries) {
        const bool whole = prefix.size() < 3;  // "rt" and "dl" are names, not beginnings
        if (whole ? target == prefix : target.starts_with(prefix)) {
            return library;
        }
    }
    return std::nullopt;
}

// "system" for the C++ library and the operating system; nothing for a library the table does not know.
std::optional<std::string_view> headerLibrary(std::string_view header) {
    const auto upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
    if (header.size() > 1 && header[0] == 'Q' && (upper(header[1]) || header[1] == 't')) {
        return "qt";
    }
    for (const auto& [prefix, library] : kHeaderLibraries) {
        if (header.starts_with(prefix)) {
            return library;
        }
    }
    return header.find('/') == std::string_view::npos ? std::optional<std::string_view>("system") : std::nullopt;
}

bool contains(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// "core/media/x.cpp" lies in "core/media"; "app/studio/main.cpp" in itself, a layer above the rest of its folder.
bool lies(std::string_view path, std::string_view in) {
    return path == in || (path.starts_with(in) && (path[in.size()] == '/' || path[in.size()] == '.'));
}

// The rule of the longest matching path.
std::optional<LayerRule> ruleOf(std::string_view path) {
    std::optional<LayerRule> best;
    for (LayerRule& rule : layerRules()) {
        if (lies(path, rule.path) && (!best || rule.path.size() > best->path.size())) {
            best = std::move(rule);
        }
    }
    return best;
}

std::string_view folderOf(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// The folder of a rule; a rule for one file belongs to its folder.
std::string_view layerOf(const LayerRule& rule) {
    return rule.path.ends_with(".cpp") ? folderOf(rule.path) : rule.path;
}

// fw_media for core/media, fw_app_engine for app/engine.
std::string targetOf(std::string_view folder) {
    std::string name(folder.starts_with("core/") ? folder.substr(5) : folder);
    std::replace(name.begin(), name.end(), '/', '_');
    return "fw_" + name;
}

// Why `rule` may not include a header of a library, or nothing.
std::optional<std::string> forbiddenHeader(const LayerRule& rule, std::string_view header) {
    const std::optional<std::string_view> library = headerLibrary(header);
    if (!library) {
        return "belongs to a library the table does not know";
    }
    if (*library != "system" && !contains(rule.libraries, *library)) {
        return fmt::format("belongs to {}, which {} must not see", *library, rule.path);
    }
    return std::nullopt;
}

// Why `rule` may not include a file in quotes, or nothing. Some libraries want quotes too (Highway).
std::optional<std::string> forbiddenFile(const LayerRule& rule, std::string_view included) {
    if (included.find("..") != std::string_view::npos) {
        return "goes up by '..'; include from the repository root";
    }
    const std::string_view top = included.substr(0, included.find('/'));
    if (top == included && headerLibrary(included) == "system") {
        return std::nullopt;  // a neighbour in the same folder
    }
    if (!contains({"app", "core", "kernels", "ui"}, top)) {
        return forbiddenHeader(rule, included);
    }
    const std::optional<LayerRule> target = ruleOf(included);
    if (!target) {
        return "is in no folder of the table of layers";
    }
    const std::string_view layer = layerOf(*target);
    if (layer != layerOf(rule) && !contains(rule.layers, layer)) {
        return fmt::format("is in {}, which {} must not see", layer, rule.path);
    }
    return std::nullopt;
}

// The names a command links: the words behind the keywords that introduce libraries.
Names linkedNames(const Command& command) {
    const bool plain = command.name == "target_link_libraries";
    Names names;
    bool active = plain;
    for (std::size_t i = 1; i < command.arguments.size(); ++i) {
        const std::string& word = command.arguments[i];
        if (word == "PUBLIC" || word == "PRIVATE" || word == "LIBS" || word == "INTERFACE") {
            active = true;
        } else if (word == "SOURCES") {
            active = false;
        } else if (active) {
            names.push_back(word);
        }
    }
    return names;
}

// Why `rule` may not link `name`, or nothing.
std::optional<std::string> forbiddenLink(const LayerRule& rule, std::string_view name) {
    for (const LayerRule& other : layerRules()) {
        if (targetOf(other.path) == name) {
            const bool allowed = other.path == layerOf(rule) || contains(rule.layers, other.path);
            return allowed ? std::nullopt
                           : std::optional(fmt::format("links {}, which {} must not see", name, rule.path));
        }
    }
    const std::optional<std::string_view> library = linkLibrary(name);
    if (!library) {
        return fmt::format("links {}, which the table does not know", name);
    }
    if (*library != "system" && !contains(rule.libraries, *library)) {
        return fmt::format("links {} ({}), which {} must not see", name, *library, rule.path);
    }
    return std::nullopt;
}

}  // namespace

std::vector<LayerRule> layerRules() {
    const Names common = {"fmt", "json", "expected"};
    const Names values = {"core/base", "core/tensor", "core/job"};
    const Names compute = values + Names{"core/weights", "core/trace", "core/backend"};
    const Names engine = compute + Names{"core/method", "core/cache", "core/model", "core/pipeline"};
    const Names window = {"qt", "qt_gui", "imgui", "opengl"};
    const Names services =
        values + Names{"core/store", "core/ipc", "app/supervisor", "app/values", "app/library", "app/clips"};
    return {
        {"kernels/cpu", {}, {"highway", "openmp", "simd"}},
        {"kernels/cuda", {}, {"cuda"}},
        {"core/base", {}, common},
        {"core/tensor", {"core/base"}, common},
        {"core/weights", {"core/base", "core/tensor"}, common},
        {"core/job", {"core/base", "core/tensor"}, common},
        {"core/trace", values + Names{"core/weights"}, common},
        {"core/backend", values + Names{"kernels/cpu", "kernels/cuda"}, common + Names{"dnnl", "openmp", "simd"}},
        {"core/method", compute, common},
        {"core/cache", compute + Names{"core/method"}, common},
        {"core/model", compute + Names{"core/method", "core/cache"},
         common + Names{"sentencepiece", "utf8proc", "openssl"}},
        {"core/pipeline", compute + Names{"core/method", "core/cache", "core/model"}, common},
        {"core/media", values, common + Names{"libav", "webp"}},
        {"core/metrics", values, common},
        {"core/store", {"core/base", "core/job"}, common + Names{"sqlite"}},
        {"core/ipc", values + Names{"core/trace"}, common},
        {"app/engine", engine + Names{"core/media", "core/metrics"}, common},
        {"app/cli", engine + Names{"core/media", "core/metrics", "app/engine"}, common + Names{"cli11"}},
        {"app/worker", engine + Names{"core/media", "core/ipc", "app/engine"}, common},
        {"app/supervisor", values + Names{"core/trace", "core/ipc"}, common + Names{"qt"}},
        {"app/values", values, common + Names{"qt", "qt_gui"}},
        {"app/library",
         values + Names{"core/trace", "core/store", "core/ipc", "core/media", "app/supervisor", "app/values"},
         common + Names{"qt"}},
        {"app/clips", values + Names{"core/media", "app/values"}, common + Names{"qt", "qt_gui"}},
        // Everything behind the window, and no engine: the studio talks to the worker process.
        {"app/studio", services, common + Names{"qt", "qt_gui"}},
        // Of core/store only the values and the interface (records.h, library_store.h): no SQLite behind them.
        {"ui", services + Names{"core/trace", "core/metrics", "app/studio"}, common + window},
        {"app/studio/main.cpp", services + Names{"app/studio", "ui"}, common + window},
    };
}

std::vector<std::string> includeViolations(std::string_view path, std::string_view source) {
    const std::optional<LayerRule> rule = ruleOf(path);
    if (!rule) {
        return {fmt::format("{}: lies in no folder of the table of layers; add one to layerRules()", path)};
    }
    std::vector<std::string> violations;
    for (const Include& include : readIncludes(source)) {
        const auto reason =
            include.quoted ? forbiddenFile(*rule, include.name) : forbiddenHeader(*rule, include.name);
        if (reason) {
            violations.push_back(fmt::format("{}:{}: {} {}", path, include.line, include.name, *reason));
        }
    }
    return violations;
}

std::vector<std::string> linkViolations(std::string_view path, std::string_view script) {
    static constexpr std::string_view kGlobal[] = {"include_directories", "link_libraries", "link_directories",
                                                   "target_include_directories"};
    std::vector<std::string> violations;
    for (const Command& command : readCommands(script)) {
        const auto report = [&](std::string_view reason) {
            violations.push_back(fmt::format("{}:{}: {} {}", path, command.line, command.name, reason));
        };
        if (std::find(std::begin(kGlobal), std::end(kGlobal), command.name) != std::end(kGlobal)) {
            report("opens include paths or libraries beside the table");
            continue;
        }
        const bool program = command.name == "fw_program";
        if (!program && command.name != "fw_library" && command.name != "target_link_libraries") {
            continue;
        }
        // A program is a composition root: what its main.cpp may include, it may link.
        const std::string folder(folderOf(path));
        const std::optional<LayerRule> rule = ruleOf(program ? folder + "/main.cpp" : folder);
        if (!rule) {
            report("makes a library in no folder of the table of layers; add one to layerRules()");
            continue;
        }
        for (const std::string_view name : linkedNames(command)) {
            if (const auto reason = forbiddenLink(*rule, name)) {
                report(*reason);
            }
        }
    }
    return violations;
}

std::vector<std::string> tableViolations(const std::vector<LayerRule>& rules) {
    std::vector<std::string> violations;
    std::set<std::string_view> below;
    for (const LayerRule& rule : rules) {
        for (const std::string_view layer : rule.layers) {
            if (!below.contains(layer)) {
                violations.push_back(fmt::format("{} may see {}, which is not below it", rule.path, layer));
            }
        }
        below.insert(layerOf(rule));
    }
    return violations;
}

}  // namespace fw::layering
