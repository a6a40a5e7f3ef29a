// fw doctor: what this machine has and what is missing.
#include <fmt/ranges.h>
#include <unistd.h>

#include <system_error>
#include <vector>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/engine/clip_job.h"
#include "core/backend/device.h"
#include "core/media/clip_writer.h"
#include "core/model/video_model.h"

namespace fw::cli {

namespace {

namespace fs = std::filesystem;

// One line of the report. An essential thing that is not ok makes `fw generate` fail with `exit`.
struct Finding {
    std::string name;
    bool ok = true;
    std::string text;
    int exit = kDone;
};

void addBackends(std::vector<Finding>& findings) {
    bool any = false, cuda = false;
    for (const backend::BackendEntry& entry : backend::createBackends()) {
        cuda = cuda || entry.name == "cuda";
        if (entry.devices.empty()) {
            findings.push_back({entry.name, false, entry.status, kDone});
        }
        for (const auto& device : entry.devices) {
            any = true;
            const backend::DeviceInfo info = device->info();
            findings.push_back({info.id, true,
                                fmt::format("{}; {} by default; {}; {:.1f} of {:.1f} GiB free", info.name,
                                            dtypeName(info.preferredDType), fmt::join(info.features, " "),
                                            static_cast<double>(info.freeBytes) / kGibibyte,
                                            static_cast<double>(info.totalBytes) / kGibibyte),
                                kDone});
        }
    }
    if (!cuda) {
        findings.push_back(
            {"cuda", false,
             "this program was built without its CUDA engine (no CUDA toolkit was found then); clips are "
             "computed on the CPU",
             kDone});
    }
    if (!any) {
        findings.push_back({"devices", false, "no device can compute here", kUnsupported});
    }
}

void addModel(std::vector<Finding>& findings) {
    const auto folder = app::embeddedModelFolder();
    if (!folder) {
        findings.push_back({"model", false, folder.error().message, kBadModel});
        return;
    }
    const auto info = model::inspectModel(*folder);
    if (!info || !info->problems.empty()) {
        findings.push_back({"model", false, info ? info->problems.front() : info.error().message, kBadModel});
        return;
    }
    findings.push_back({"model", true, fmt::format("{} in {}", info->name, folder->string()), kDone});
}

void addFormats(std::vector<Finding>& findings) {
    std::error_code error;
    const fs::path folder = fs::temp_directory_path(error);
    for (const std::string& extension : media::clipExtensions()) {
        const fs::path probe = folder / fmt::format("fw-doctor-{}.{}", ::getpid(), extension);
        const auto writer = media::ClipWriter::create(probe, {16, 16, {12, 1}, {}});
        findings.push_back({"." + extension, writer.has_value(),
                            writer ? std::string("can be written") : writer.error().message,
                            extension == "mp4" ? kIo : kDone});
    }
}

void addFolder(std::vector<Finding>& findings) {
    std::error_code error;
    const fs::path folder = fs::current_path(error);
    const bool writable = !error && ::access(folder.c_str(), W_OK) == 0;
    const fs::space_info space = fs::space(folder, error);
    findings.push_back({"folder", writable,
                        writable ? fmt::format("{} can be written, {:.1f} GiB free", folder.string(),
                                               static_cast<double>(space.available) / kGibibyte)
                                 : fmt::format("{} cannot be written", folder.string()),
                        kIo});
}

class DoctorCommand final : public Command {
 public:
    explicit DoctorCommand(CLI::App& program)
        : Command(program, "doctor", "Say what this machine has and what is missing") {
        m_app->add_flag("--json", m_json, "Print one JSON object instead of text");
        m_app->footer(exitCodeHelp());
    }

    int run(const Session&) override {
        std::vector<Finding> findings{{"program", true, "framewright " + app::programVersion(), kDone}};
        addBackends(findings);
        addModel(findings);
        addFormats(findings);
        addFolder(findings);
        int exit = kDone;
        OrderedJson list = OrderedJson::array();
        for (const Finding& finding : findings) {
            if (!finding.ok && exit == kDone) {
                exit = finding.exit;
            }
            list.push_back({{"name", finding.name}, {"ok", finding.ok}, {"text", finding.text}});
            if (!m_json) {
                say("{:<8} {:<7} {}\n", finding.name, finding.ok ? "ok" : "missing", finding.text);
            }
        }
        if (m_json) {
            say("{}\n", jsonText({{"findings", list}, {"ready", exit == kDone}}));
        }
        return exit;
    }

 private:
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeDoctorCommand(CLI::App& program) {
    return std::make_unique<DoctorCommand>(program);
}

}  // namespace fw::cli
