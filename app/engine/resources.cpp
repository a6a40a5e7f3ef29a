// Where the program's own files lie, and which build of it runs.
#include <fmt/format.h>
#include <link.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string_view>
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

std::string programBuild() {
    std::string build = programVersion();
    dl_iterate_phdr(
        [](dl_phdr_info* module, std::size_t, void* text) {
            // The first one is the program itself and has no name.
            const std::string_view name = module->dlpi_name == nullptr ? "" : module->dlpi_name;
            auto& all = *static_cast<std::string*>(text);
            const bool isProgram = name.empty() && all.find('|') == std::string::npos;
            struct stat file {};
            if ((isProgram || name.find("/libfw_") != std::string_view::npos) &&
                ::stat(isProgram ? "/proc/self/exe" : module->dlpi_name, &file) == 0) {
                all += fmt::format("|{}:{}.{}", file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
            }
            return 0;
        },
        &build);
    return build;
}

}  // namespace fw::app
