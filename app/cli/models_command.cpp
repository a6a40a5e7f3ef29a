// fw models: which models there are and whether they can run.
#include <system_error>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/engine/clip_job.h"
#include "core/model/video_model.h"

namespace fw::cli {

namespace {

constexpr double kMega = 1e6;

OrderedJson toJson(const model::ModelInfo& info) {
    const job::ModelDefaults& defaults = info.defaults;
    return {
        {"name", info.name},
        {"folder", info.folder.string()},
        {"family", info.family},
        {"parameters", info.parameters},
        {"bytes", info.bytes},
        {"defaults",
         {{"width", defaults.width},
          {"height", defaults.height},
          {"frames", defaults.frames},
          {"frame_rate", job::frameRateText(defaults.frameRate)},
          {"steps", defaults.steps},
          {"guidance", defaults.guidance},
          {"shift", defaults.shift},
          {"size_multiple", defaults.sizeMultiple},
          {"frame_multiple", defaults.frameMultiple}}},
        {"runnable", info.problems.empty()},
        {"problems", info.problems},
    };
}

void print(const model::ModelInfo& info) {
    const job::ModelDefaults& defaults = info.defaults;
    say("{:<28} {:<5} {:>9.1f} M  {:>9.1f} MB  {}x{}, {} frames at {} fps  {}\n", info.name, info.family,
        static_cast<double>(info.parameters) / kMega, static_cast<double>(info.bytes) / kMega, defaults.width,
        defaults.height, defaults.frames,
        static_cast<double>(defaults.frameRate.numerator) / static_cast<double>(defaults.frameRate.denominator),
        info.problems.empty() ? "ok" : "cannot run");
    say("    {}\n", info.folder.string());
    for (const std::string& problem : info.problems) {
        say("    {}\n", problem);
    }
}

class ModelsCommand final : public Command {
 public:
    explicit ModelsCommand(CLI::App& program)
        : Command(program, "models", "List models: the embedded one and those in the folders given") {
        m_app->add_option("folders", m_folders, "A model, or a folder of models; repeatable")->type_name("DIR");
        m_app->add_flag("--json", m_json, "Print one JSON object instead of text");
        m_app->footer(exitCodeHelp());
    }

    int run(const Session&) override {
        const auto models = find();
        if (!models) {
            return reportError(models.error(), m_json);
        }
        if (m_json) {
            OrderedJson list = OrderedJson::array();
            for (const model::ModelInfo& info : *models) {
                list.push_back(toJson(info));
            }
            say("{}\n", jsonText({{"models", list}}));
            return kDone;
        }
        for (const model::ModelInfo& info : *models) {
            print(info);
        }
        if (models->empty()) {
            say("no models found\n");
        }
        return kDone;
    }

 private:
    [[nodiscard]] Result<std::vector<model::ModelInfo>> find() const {
        std::vector<model::ModelInfo> models;
        if (const auto embedded = app::embeddedModelFolder()) {
            const std::vector<std::filesystem::path> roots{embedded->parent_path()};
            models = model::listModels(roots);
        }
        for (const std::filesystem::path& folder : m_folders) {
            std::error_code error;
            if (!std::filesystem::is_directory(folder, error)) {
                return fail(ErrorCode::Io, "{} is no folder", folder.string());
            }
            if (std::filesystem::exists(folder / "model_index.json", error)) {
                FW_ASSIGN(model::ModelInfo info, model::inspectModel(folder));
                models.push_back(std::move(info));
                continue;
            }
            const std::vector<std::filesystem::path> roots{folder};
            for (model::ModelInfo& info : model::listModels(roots)) {
                models.push_back(std::move(info));
            }
        }
        return models;
    }

    std::vector<std::filesystem::path> m_folders;
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeModelsCommand(CLI::App& program) {
    return std::make_unique<ModelsCommand>(program);
}

}  // namespace fw::cli
