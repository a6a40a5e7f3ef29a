// fw calibrate: measure what step caches must know of a model.
#include <cmath>
#include <filesystem>
#include <fstream>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/cli/request_options.h"
#include "app/cli/write_whole.h"
#include "app/engine/clip_job.h"
#include "app/engine/job_files.h"
#include "core/backend/device.h"
#include "core/cache/measurement.h"

namespace fw::cli {

namespace {

namespace fs = std::filesystem;

// Five digits: what a mean over a few prompts is worth, and what a file in a repository should hold.
double rounded(double value) {
    if (value == 0.0 || !std::isfinite(value)) {
        return 0.0;
    }
    const double scale = std::pow(10.0, 4.0 - std::floor(std::log10(std::fabs(value))));
    return std::round(value * scale) / scale;
}

// Relative change [step][layer] of one kind, mean of the branches.
OrderedJson changeTable(const cache::Measurement& measurement, cache::SiteKind kind, int branches) {
    OrderedJson steps = OrderedJson::array();
    const auto first = measurement.changes(kind, 0);
    const auto second = branches > 1 ? measurement.changes(kind, 1) : first;
    for (std::size_t step = 0; step < first.size(); ++step) {
        OrderedJson layers = OrderedJson::array();
        for (std::size_t layer = 0; layer < first[step].size(); ++layer) {
            layers.push_back(rounded((first[step][layer].relative + second[step][layer].relative) / 2.0));
        }
        steps.push_back(std::move(layers));
    }
    return steps;
}

Result<std::vector<std::string>> readPrompts(const std::string& file) {
    std::ifstream stream(file);
    std::vector<std::string> prompts;
    for (std::string line; std::getline(stream, line);) {
        if (line.find_first_not_of(" \t\r") != std::string::npos) {
            prompts.push_back(line);
        }
    }
    if (prompts.empty()) {
        return fail(ErrorCode::Io, "{} cannot be read or holds no prompt", file);
    }
    return prompts;
}

class CalibrateCommand final : public Command {
 public:
    explicit CalibrateCommand(CLI::App& program)
        : Command(program, "calibrate",
                  "Measure what TeaCache and MagCache must know of a model, and how much every "
                  "module changes from step to step") {
        m_request.addTo(*m_app, "a red balloon rises over the city");
        m_app->add_option("--prompts", m_prompts, "Prompts to measure with, one a line (default: the one given)")
            ->type_name("FILE");
        m_app->add_option("-o,--out", m_out, "File to write (default: cache_constants.json in the model's folder)")
            ->type_name("FILE.json");
        m_app->footer(exitCodeHelp());
    }

    int run(const Session& session) override {
        const auto file = calibrate(session);
        if (!file) {
            return reportError(file.error(), false);
        }
        say("{}\n", file->string());
        return kDone;
    }

 private:
    Result<fs::path> calibrate(const Session& session) {
        FW_ASSIGN(job::GenerationRequest request, m_request.request());
        FW_ASSIGN(const fs::path folder, app::modelFolder(request));
        request.model = folder.string();
        if (request.cache != "none") {
            return fail(ErrorCode::InvalidArgument,
                        "a calibration measures runs without a step cache; leave out --cache");
        }
        const fs::path out = m_out.empty() ? folder / cache::kConstantsFile : fs::path(m_out);
        FW_TRY(app::checkWritable(out));
        std::vector<std::string> prompts{request.prompt};
        if (!m_prompts.empty()) {
            FW_ASSIGN(prompts, readPrompts(m_prompts));
        }
        FW_ASSIGN(const model::ModelInfo info, model::inspectModel(folder));
        request.prompt = prompts.front();
        FW_ASSIGN(job::GenerationRequest resolved, job::resolve(request, info.defaults));
        if (*resolved.steps < 3) {
            return fail(ErrorCode::InvalidArgument, "{} steps are too few to compare them; use 3 or more",
                        *resolved.steps);
        }
        FW_ASSIGN(const auto device, backend::createDevice(resolved.device));
        FW_ASSIGN(const auto generator, pipeline::Generator::create(folder, resolved.device, resolved.dtype,
                                                                    resolved.threads, session.cancel));
        cache::Measurement measurement(*device, *resolved.steps);
        const std::uint64_t seed = *resolved.seed;
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            say(stderr, "{} of {}: {}\n", i + 1, prompts.size(), prompts[i]);
            resolved.prompt = prompts[i];
            resolved.seed = seed + i;
            measurement.nextRun();
            FW_TRY(watch(*generator, resolved, measurement, session.cancel));
        }
        std::error_code ignored;
        if (fs::exists(out, ignored)) {
            say(stderr, "replaces the constants that were in {}\n", out.string());
        }
        FW_TRY(writeWhole(out, describe(measurement, resolved, info.name, prompts.size()).dump(1) + "\n"));
        return out;
    }

    // A run up to its latents; the frames are not needed.
    static Status watch(pipeline::Generator& generator, const job::GenerationRequest& request,
                        cache::Measurement& measurement, const CancelToken& cancel) {
        pipeline::GeneratorOptions options;
        options.observer = &measurement;
        bool denoised = false;
        options.latentsReady = [&](const ConstTensorView&) -> Status {
            denoised = true;
            return fail(ErrorCode::Cancelled, "enough was seen");
        };
        const auto sink = [](const ConstTensorView&) -> Status { return {}; };
        const auto made = generator.generate(request, options, {}, sink, cancel);
        return denoised || made ? Status() : tl::unexpected(made.error());
    }

    static OrderedJson describe(const cache::Measurement& measurement, const job::GenerationRequest& request,
                                const std::string& model, std::size_t prompts) {
        const int branches = *request.guidance > 1.0 ? 2 : 1;
        cache::Constants constants = measurement.constants();
        for (auto& branch : constants.magnitudes) {
            for (double& value : branch) {
                value = rounded(value);
            }
        }
        OrderedJson json = cache::toJson(constants);
        json["measured"] = {{"model", model},
                            {"prompts", prompts},
                            {"steps", *request.steps},
                            {"shift", *request.shift},
                            {"guidance", *request.guidance},
                            {"sampler", job::samplerName(request.sampler)}};
        OrderedJson& curves = json["change_by_step_and_layer"];
        for (int kind = 0; kind < cache::kSiteKinds; ++kind) {
            const auto site = static_cast<cache::SiteKind>(kind);
            OrderedJson table = changeTable(measurement, site, branches);
            if (!table.empty()) {
                curves[std::string(cache::siteKindName(site))] = std::move(table);
            }
        }
        return json;
    }

    RequestOptions m_request;
    std::string m_prompts;
    std::string m_out;
};

}  // namespace

std::unique_ptr<Command> makeCalibrateCommand(CLI::App& program) {
    return std::make_unique<CalibrateCommand>(program);
}

}  // namespace fw::cli
