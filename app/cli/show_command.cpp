// fw show: what a clip or a trace says about its making.
#include <array>
#include <map>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/cli/result_json.h"
#include "core/media/clip_reader.h"
#include "core/trace/trace_file.h"

namespace fw::cli {

namespace {

namespace fs = std::filesystem;

OrderedJson clipJson(const fs::path& file, const media::ClipInfo& info) {
    OrderedJson json = {
        {"file", file.string()},
        {"container", info.container},
        {"codec", info.codec},
        {"width", info.width},
        {"height", info.height},
        {"frames", info.frames},
        {"frame_rate", job::frameRateText(info.frameRate)},
    };
    json["metadata"] = metadataJson(info.metadata);
    return json;
}

// Total time and work per module. Times of inner modules are also part of the outer ones'.
OrderedJson traceJson(const fs::path& file, const trace::Trace& trace) {
    struct Sum {
        std::int64_t calls = 0, us = 0, flops = 0, bytes = 0;
    };
    std::map<trace::Module, Sum> sums;
    for (const trace::Row& row : trace.rows()) {
        Sum& sum = sums[row.module];
        ++sum.calls;
        sum.us += row.durationUs;
        sum.flops += row.flops;
        sum.bytes += row.bytes;
    }
    OrderedJson modules;
    for (const auto& [module, sum] : sums) {
        modules[std::string(trace::moduleName(module))] = {
            {"calls", sum.calls}, {"us", sum.us}, {"flops", sum.flops}, {"bytes", sum.bytes}};
    }
    return {
        {"file", file.string()},
        {"rows", trace.rows().size()},
        {"modules", modules},
        {"description", OrderedJson::parse(trace.metadata.dump(-1, ' ', false, Json::error_handler_t::replace))}};
}

class ShowCommand final : public Command {
 public:
    explicit ShowCommand(CLI::App& program)
        : Command(program, "show", "Print what a clip (or a trace, .safetensors) says about its making") {
        m_app->add_option("file", m_file, "Clip made by fw")->required();
        m_app->add_flag("--json", m_json, "On one line");
        m_app->footer(exitCodeHelp());
    }

    int run(const Session&) override {
        const auto json = describe();
        if (!json) {
            return reportError(json.error(), m_json);
        }
        say("{}\n", jsonText(*json, m_json ? -1 : 2));
        return kDone;
    }

 private:
    [[nodiscard]] Result<OrderedJson> describe() const {
        if (m_file.extension() == ".safetensors") {
            FW_ASSIGN(const trace::Trace trace, trace::readTrace(m_file));
            return traceJson(m_file, trace);
        }
        FW_ASSIGN(const media::ClipInfo info, media::readClipInfo(m_file));
        return clipJson(m_file, info);
    }

    fs::path m_file;
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeShowCommand(CLI::App& program) {
    return std::make_unique<ShowCommand>(program);
}

}  // namespace fw::cli
