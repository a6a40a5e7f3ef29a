// fw generate: a prompt to a file.
#include <unistd.h>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/cli/progress_line.h"
#include "app/cli/request_options.h"
#include "app/cli/result_json.h"
#include "app/engine/clip_job.h"
#include "core/backend/ops.h"

namespace fw::cli {

namespace {

class GenerateCommand final : public Command {
 public:
    explicit GenerateCommand(CLI::App& program) : Command(program, "generate", "Make a clip from a prompt") {
        m_request.addTo(*m_app);
        m_whatIf.addTo(*m_app);
        m_probes.addTo(*m_app);
        m_app->add_option(
            "-o,--out", m_options.output,
            "File to write: .mp4, .webm, .gif, or a folder of PNG files (default: named after the prompt)");
        m_app->add_option("--noise", m_options.noiseFile, "Start from this noise instead of the seed's")
            ->type_name("FILE.safetensors");
        m_app->add_option("--save-latents", m_options.latentsFile, "Also write the finished latents")
            ->type_name("FILE.safetensors");
        m_app->add_option("--trace", m_options.traceFile, "Also write what happened inside, module by module")
            ->type_name("FILE.safetensors");
        m_app->add_option("--steps-dir", m_options.stepFolder, "Also keep the latents of every step, for fw branch")
            ->type_name("DIR");
        m_app
            ->add_option("--preview-dir", m_options.previewFolder, "Also write a look at the clip after every step")
            ->type_name("DIR");
        m_app->add_option("--preview", m_preview, "How previews are made: projection (nearly free) or vae (exact)")
            ->check(CLI::IsMember({"projection", "vae"}))
            ->capture_default_str();
        m_app->add_option("--preview-every", m_options.previewEvery, "Steps from one preview to the next")
            ->check(CLI::Range(1, job::kMaxSteps))
            ->capture_default_str();
        m_app->add_flag("--no-prompt-cache", m_noPromptCache,
                        "Encode the prompt anew, and do not keep what comes of it for later runs");
        m_app->add_flag("--json", m_json, "Print one JSON object instead of text");
        m_app->add_flag("-q,--quiet", m_quiet, "Print nothing but the file's name");
        m_app->footer(exitCodeHelp());
    }

    int run(const Session& session) override {
        const auto result = generate(session);
        if (!result) {
            return reportError(result.error(), m_json);
        }
        if (m_json) {
            say("{}\n", jsonText(toJson(*result)));
        } else {
            say("{}\n", result->file.string());
            if (!m_quiet) {
                printSummary(*result);
            }
        }
        return reportNotes(result->report.notes, m_json);
    }

 private:
    Result<app::ClipJobResult> generate(const Session& session) {
        FW_ASSIGN(job::GenerationRequest request, m_request.request());
        FW_TRY(m_whatIf.apply(request));
        FW_TRY(m_probes.apply(request));
        if (m_probes.given() && m_options.traceFile.empty()) {
            return fail(ErrorCode::InvalidArgument, "--probe writes into the trace: name its file with --trace");
        }
        if (!m_options.previewFolder.empty()) {
            m_options.preview = m_preview == "vae" ? pipeline::PreviewKind::Vae : pipeline::PreviewKind::Projection;
        }
        m_options.computingOn = [&](const std::string& device, const std::string& note) {
            if (style() != ProgressStyle::Silent && !note.empty()) {
                say(stderr, "computing on {}: {}\n", device, note);
            }
        };
        ProgressPrinter printer(style(), stderr);
        pipeline::GeneratorEvents events;
        events.progress = [&](const pipeline::Progress& progress) { printer.show(progress); };
        m_options.promptFolder = m_noPromptCache ? std::filesystem::path() : app::promptFolder();
        app::ClipJobRunner runner;
        return runner.run(request, m_options, events, session.cancel);
    }

    [[nodiscard]] ProgressStyle style() const {
        if (m_json || m_quiet) {
            return ProgressStyle::Silent;
        }
        return ::isatty(STDERR_FILENO) != 0 ? ProgressStyle::Bar : ProgressStyle::Lines;
    }

    static void printSummary(const app::ClipJobResult& result) {
        const pipeline::GenerationReport& report = result.report;
        say(stderr,
            "{:.1f} s (load {:.1f}, text {:.1f}, denoise {:.1f}, decode {:.1f}, encode {:.1f} beside it) in {} on "
            "{}; seed {}; peak memory {:.0f} MiB\n",
            result.totalSeconds, report.loadSeconds, report.textSeconds, report.denoiseSeconds,
            report.decodeSeconds, result.encodeSeconds, report.dtype, report.device, *report.request.seed,
            static_cast<double>(result.peakResidentBytes) / kMebibyte);
    }

    RequestOptions m_request;
    WhatIfOption m_whatIf;
    ProbeOptions m_probes;
    app::ClipJobOptions m_options;
    std::string m_preview = "projection";
    bool m_json = false;
    bool m_quiet = false;
    bool m_noPromptCache = false;
};

}  // namespace

std::unique_ptr<Command> makeGenerateCommand(CLI::App& program) {
    return std::make_unique<GenerateCommand>(program);
}

}  // namespace fw::cli
