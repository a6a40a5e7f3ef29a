// fw bench clip: prompt to file, phase by phase, with the memory it took.
#include <stdlib.h>  // mkdtemp

#include <system_error>

#include "app/cli/bench_model.h"
#include "app/cli/bench_report.h"
#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/cli/request_options.h"
#include "app/cli/result_json.h"
#include "app/engine/clip_job.h"

namespace fw::cli {

namespace {

namespace fs = std::filesystem;

// A folder of our own that goes away with its files.
class TemporaryFolder {
 public:
    static Result<TemporaryFolder> create() {
        std::error_code error;
        std::string pattern = (fs::temp_directory_path(error) / "fw-bench-XXXXXX").string();
        if (error || ::mkdtemp(pattern.data()) == nullptr) {
            return fail(ErrorCode::Io, "cannot make a temporary folder like {}", pattern);
        }
        return TemporaryFolder(pattern);
    }
    TemporaryFolder(TemporaryFolder&& other) noexcept : m_path(std::move(other.m_path)) { other.m_path.clear(); }
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    ~TemporaryFolder() {
        if (!m_path.empty()) {
            std::error_code error;
            fs::remove_all(m_path, error);
        }
    }
    [[nodiscard]] const fs::path& path() const { return m_path; }

 private:
    explicit TemporaryFolder(fs::path path) : m_path(std::move(path)) {}
    fs::path m_path;
};

class BenchClipCommand final : public Command {
 public:
    explicit BenchClipCommand(CLI::App& bench)
        : Command(bench, "clip", "Time a whole clip, prompt to file, the model's loading included") {
        m_request.addTo(*m_app, "a red balloon rises over the city");
        m_app->add_option("--repeats", m_repeats, "Clips to make; every one loads the model anew")
            ->check(CLI::Range(1, 1000))
            ->capture_default_str();
        m_model.addTo(*m_app);
        m_app->add_flag("--json", m_json, "Print one JSON object instead of text");
    }

    int run(const Session& session) override {
        const auto report = makeReport(session);
        if (!report) {
            return reportError(report.error(), m_json);
        }
        if (m_json) {
            say("{}\n", jsonText(*report));
            return kDone;
        }
        for (const OrderedJson& clip : (*report)["clips"]) {
            print(clip);
        }
        say("median {:.2f} s; peak memory {:.0f} MiB\n", (*report)["median_seconds"].get<double>(),
            (*report)["peak_resident_bytes"].get<double>() / kMebibyte);
        return kDone;
    }

 private:
    [[nodiscard]] Result<OrderedJson> makeReport(const Session& session) {
        FW_ASSIGN(job::GenerationRequest request, m_request.request());
        FW_TRY(m_model.apply(request));
        FW_ASSIGN(const TemporaryFolder folder, TemporaryFolder::create());
        app::ClipJobOptions options;
        options.output = folder.path() / "clip.mp4";
        Samples total;
        OrderedJson clips = OrderedJson::array();
        std::int64_t peak = 0;
        for (int i = 0; i < m_repeats; ++i) {
            app::ClipJobRunner runner;
            FW_ASSIGN(const app::ClipJobResult result, runner.run(request, options, {}, session.cancel));
            total.seconds.push_back(result.totalSeconds);
            peak = result.peakResidentBytes;
            OrderedJson clip = toJson(result);
            clip.erase("file");  // gone with the folder
            clips.push_back(std::move(clip));
        }
        return OrderedJson{{"clips", std::move(clips)},
                           {"median_seconds", total.median()},
                           {"fastest_seconds", total.fastest()},
                           {"slowest_seconds", total.slowest()},
                           {"peak_resident_bytes", peak}};
    }

    static void print(const OrderedJson& clip) {
        const OrderedJson& seconds = clip["seconds"];
        const auto of = [&](const char* phase) { return seconds[phase].get<double>(); };
        say("{:.2f} s: load {:.2f}, text {:.2f}, denoise {:.2f}, decode {:.2f} (encode {:.2f} beside it); {} on "
            "{}\n",
            of("total"), of("load"), of("text"), of("denoise"), of("decode"), of("encode"),
            clip["dtype"].get<std::string>(), clip["device"].get<std::string>());
    }

    RequestOptions m_request;
    BenchModel m_model;
    int m_repeats = 1;
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeBenchClipCommand(CLI::App& bench) {
    return std::make_unique<BenchClipCommand>(bench);
}

}  // namespace fw::cli
