// fw branch: another end to a clip that was begun, with other attention or another step cache from some step on.
#include <unistd.h>

#include <optional>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/cli/progress_line.h"
#include "app/cli/request_options.h"
#include "app/cli/result_json.h"
#include "app/engine/clip_job.h"
#include "core/job/what_if.h"
#include "core/pipeline/checkpoint.h"

namespace fw::cli {

namespace {

class BranchCommand final : public Command {
 public:
    explicit BranchCommand(CLI::App& program)
        : Command(program, "branch",
                  "What if: go on from a step of a clip with other attention or another step cache") {
        m_app->add_option("folder", m_folder, "Where fw generate --steps-dir kept the steps")->required();
        m_app->add_option("--at-step", m_step, "Steps that stay as they were")
            ->required()
            ->check(CLI::Range(1, job::kMaxSteps));
        m_app->add_option("--method", m_method, "Attention method from here on (default: as before)")
            ->type_name("ID");
        m_app->add_option("--set", m_settings, "Parameter of the attention method, repeatable")
            ->type_name("NAME=VALUE");
        m_app
            ->add_option("--adapter", m_adapters,
                         "LoRA file or an attention method's weights from here on, instead of those before; "
                         "repeatable, with a strength as FILE@0.8")
            ->type_name("FILE");
        m_app->add_option("--cache", m_cache, "Step cache from here on (default: as before)")->type_name("ID");
        m_app->add_option("--set-cache", m_cacheSettings, "Parameter of the step cache, repeatable")
            ->type_name("NAME=VALUE");
        m_app->add_option("--device", m_device, "auto, cpu, …: see fw doctor (default: as before)");
        m_app->add_option("--threads", m_threads, "CPU threads; 0: all (default: as before)");
        m_whatIf.addTo(*m_app);
        m_probes.addTo(*m_app);
        m_app->add_option("-o,--out", m_options.output, "File to write")->required();
        m_app->add_option("--save-latents", m_options.latentsFile, "Also write the finished latents")
            ->type_name("FILE.safetensors");
        m_app->add_option("--trace", m_options.traceFile, "Also write what happened inside, module by module")
            ->type_name("FILE.safetensors");
        m_app->add_flag("--json", m_json, "Print one JSON object instead of text");
        m_app->footer(exitCodeHelp());
    }

    int run(const Session& session) override {
        const auto result = branch(session);
        if (!result) {
            return reportError(result.error(), m_json);
        }
        if (m_json) {
            say("{}\n", jsonText(toJson(*result)));
        } else {
            say("{}\n", result->file.string());
        }
        return reportNotes(result->report.notes, m_json);
    }

 private:
    // What was asked for last counts: over the settings of the run's own beginning, and over those that it changes
    // by hand. The steps that stay keep theirs.
    Status setMethod(job::GenerationRequest& request) const {
        FW_ASSIGN(job::WhatIf changed, job::whatIfOf(request));
        if (!m_method.empty() && m_method != request.method) {
            const Json lost = job::parametersAt(Json::object(), changed, job::kMaxSteps);
            for (const auto& [name, value] : lost.items()) {
                say(stderr, "{}, changed by hand, was a setting of {}; {} begins with its own\n", name,
                    request.method, m_method);
            }
            changed = job::withoutParameters(std::move(changed));
            request.method = m_method;
            request.methodParameters = Json::object();
            request.adapters.clear();
        }
        Json settings = Json::object();
        for (const std::string& setting : m_settings) {
            FW_TRY(addSetting(settings, "--set", setting));
        }
        const Json byHand = job::parametersAt(Json::object(), changed, job::kMaxSteps);
        job::Change asked;
        asked.fromStep = m_step;
        for (const auto& [name, value] : settings.items()) {
            const bool isChanged = byHand.contains(name) && value.is_number();
            (isChanged ? asked.parameters : request.methodParameters)[name] = value;
        }
        job::setWhatIf(request, job::combined(std::move(changed), {{asked}, {}}));
        return addWhatIf(request, settings);
    }

    // The file's changes over those of --set: a later step of the same setting is no contradiction.
    Status addWhatIf(job::GenerationRequest& request, const Json& settings) const {
        FW_TRY(m_whatIf.apply(request));
        FW_ASSIGN(const job::WhatIf all, job::whatIfOf(request));
        const Json now = job::parametersAt(Json::object(), all, m_step);
        for (const auto& [name, value] : settings.items()) {
            if (now.contains(name) && now.at(name) != value) {
                return fail(ErrorCode::InvalidArgument,
                            "--set and --what-if both say what {} is at step {}; leave one of them out", name,
                            m_step);
            }
        }
        return {};
    }

    [[nodiscard]] Result<app::ClipJobResult> branch(const Session& session) {
        m_options.branchFrom = m_folder / pipeline::stepFileName(m_step);
        FW_ASSIGN(job::GenerationRequest request, pipeline::checkpointRequest(m_options.branchFrom));
        // Another method or cache begins with its own defaults.
        FW_TRY(setMethod(request));
        if (!m_adapters.empty()) {
            request.adapters.clear();
        }
        for (const std::string& text : m_adapters) {
            FW_ASSIGN(auto adapter, adapterFromText(text));
            request.adapters.push_back(std::move(adapter));
        }
        request.device = m_device.value_or(request.device);
        request.threads = m_threads.value_or(request.threads);
        if (!m_cache.empty() && m_cache != request.cache) {
            request.cache = m_cache;
            request.cacheParameters = Json::object();
        }
        for (const std::string& setting : m_cacheSettings) {
            FW_TRY(addSetting(request.cacheParameters, "--set-cache", setting));
        }
        FW_TRY(m_probes.apply(request));
        if (m_probes.given() && m_options.traceFile.empty()) {
            return fail(ErrorCode::InvalidArgument, "--probe writes into the trace: name its file with --trace");
        }
        const bool bar = ::isatty(STDERR_FILENO) != 0;
        ProgressPrinter printer(m_json ? ProgressStyle::Silent
                                : bar  ? ProgressStyle::Bar
                                       : ProgressStyle::Lines,
                                stderr);
        pipeline::GeneratorEvents events;
        events.progress = [&](const pipeline::Progress& progress) { printer.show(progress); };
        app::ClipJobRunner runner;
        m_options.promptFolder = app::promptFolder();
        return runner.run(request, m_options, events, session.cancel);
    }

    std::filesystem::path m_folder;
    int m_step = 0;
    std::string m_method, m_cache;
    std::vector<std::string> m_settings, m_cacheSettings, m_adapters;
    std::optional<std::string> m_device;
    std::optional<int> m_threads;
    WhatIfOption m_whatIf;
    ProbeOptions m_probes;
    app::ClipJobOptions m_options;
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeBranchCommand(CLI::App& program) {
    return std::make_unique<BranchCommand>(program);
}

}  // namespace fw::cli
