// Where the program's own files lie.
#include <cstdlib>
#include <system_error>
#include <vector>

#include "app/engine/clip_job.h"
#include "app/engine/step_store.h"

namespace fw::app {

namespace {

namespace fs = std::filesystem;

constexpr const char* kEmbeddedModel = "models/mini";

std::vector<fs::path> resourceFolders() {
    std::vector<fs::path> folders;
    if (const char* chosen = std::getenv("FRAMEWRIGHT_RESOURCES"); chosen != nullptr && *chosen != '\0') {
        return {chosen};  // whoever sets it means it: no silent fallback
    }
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (!error) {
        folders.push_back(program.parent_path() / "resources");
        folders.push_back(program.parent_path().parent_path() / "share" / "framewright");
    }
    folders.emplace_back(FW_SOURCE_RESOURCES);
    return folders;
}

}  // namespace

Result<fs::path> embeddedModelFolder() {
    std::string tried;
    for (const fs::path& folder : resourceFolders()) {
        std::error_code error;
        const fs::path model = folder / kEmbeddedModel;
        if (fs::exists(model / "model_index.json", error)) {
            return model;
        }
        tried += (tried.empty() ? "" : ", ") + model.string();
    }
    return fail(ErrorCode::BadModel, "the embedded model is missing; looked in {}; name another one with --model",
                tried);
}

Result<fs::path> modelFolder(const job::GenerationRequest& request) {
    if (request.model.empty()) {
        return embeddedModelFolder();
    }
    return fs::path(request.model);
}

namespace {

// What $NAME says, "off" for nothing; otherwise `name` below the user's folder of caches.
fs::path cacheFolder(const char* chooser, const char* name) {
    const auto variable = [](const char* which) {
        const char* value = std::getenv(which);
        return fs::path(value == nullptr ? "" : value);
    };
    if (const fs::path chosen = variable(chooser); !chosen.empty()) {
        return chosen == "off" ? fs::path() : chosen;
    }
    const fs::path below = fs::path("framewright") / name;
    if (const fs::path cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) {
        return cache / below;
    }
    const fs::path home = variable("HOME");
    return home.empty() ? fs::path() : home / ".cache" / below;
}

}  // namespace

fs::path promptFolder() {
    return cacheFolder("FRAMEWRIGHT_PROMPT_CACHE", "prompts");
}

fs::path stepStoreFolder() {
    return cacheFolder("FRAMEWRIGHT_STEP_CACHE", "steps");
}

std::string programVersion() {
    return FW_PROGRAM_VERSION;
}

}  // namespace fw::app
