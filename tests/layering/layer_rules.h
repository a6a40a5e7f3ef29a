// What each folder of the product may see. The one table of the architecture's boundaries, and the checks against
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fw::layering {

// A folder (or, for composition roots, one file) and everything it may include or link besides itself. `layers` are
// other folders of the table; `libraries` are names of the two tables in layer_rules.cpp ("qt", "libav" …).
struct LayerRule {
    std::string_view path;
    std::vector<std::string_view> layers;
    std::vector<std::string_view> libraries;
};

// Lowest layer first.
[[nodiscard]] std::vector<LayerRule> layerRules();

// One line per violation, "core/media/x.cpp:12: …". `path` is relative to the repository root and lies in app,
// core, kernels or ui; a path in no folder of the table is itself a violation.
[[nodiscard]] std::vector<std::string> includeViolations(std::string_view path, std::string_view source);

// The same for a CMakeLists.txt: fw_library, fw_program and target_link_libraries against the table, and no
// commands that would give a folder include paths or libraries for everything below it.
[[nodiscard]] std::vector<std::string> linkViolations(std::string_view path, std::string_view script);

// Rules that name a layer above themselves, or one that the table does not have.
[[nodiscard]] std::vector<std::string> tableViolations(const std::vector<LayerRule>& rules);

}  // namespace fw::layering
