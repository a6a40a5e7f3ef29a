// fw inspect: what happened inside a run, from its trace.
#include <fmt/ranges.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/cli/trace_tables.h"
#include "app/cli/write_whole.h"
#include "core/trace/trace_file.h"

namespace fw::cli {

namespace {

namespace fs = std::filesystem;

// The name of a description's entry, where the file has one; files may come from anywhere.
std::string described(const Json& json, const char* object, const char* key) {
    const auto outer = json.find(object);
    if (outer == json.end() || !outer->is_object() || !outer->contains(key)) {
        return "unknown";
    }
    const Json& value = outer->at(key);
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

OrderedJson listJson(const trace::ProbeData& probes) {
    OrderedJson list = OrderedJson::array();
    for (const auto& [kind, table] : probes.tables) {
        const ConstTensorView data = table.data();
        list.push_back({{"probe", trace::probeName(kind)},
                        {"records", table.size()},
                        {"shape", table.recordShape().text()},
                        {"type", dtypeName(data.dtype())},
                        {"bytes", data.bytes()}});
    }
    return list;
}

Table listTable(const trace::ProbeData& probes) {
    Table table{{"probe", "records", "shape", "type", "bytes"}, {}};
    for (const OrderedJson& entry : listJson(probes)) {
        std::vector<Json> row;
        for (const auto& cell : entry) {
            row.push_back(Json::parse(cell.dump()));
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

void printSummary(const trace::Trace& trace) {
    const Json& about = trace.metadata;
    say("prompt       {}\n", described(about, "request", "prompt"));
    say("model        {} on {} in {}\n", described(about, "model", "name"), described(about, "device", "name"),
        described(about, "device", "dtype"));
    say("method       {}, step cache {}\n", described(about, "request", "method"),
        described(about, "request", "cache"));
    if (about.contains("failure") && about.at("failure").is_string()) {
        say("failed       {}\n", about.at("failure").get<std::string>());
    }
    const trace::ProbeInfo& info = trace.probes.info;
    if (!trace.probes.isPresent()) {
        say("probes       none: make the clip again with --probe and the same seed\n");
    } else {
        say("tokens       {} x {} x {} (frames, height, width), pooled by {} x {} x {}\n", info.grid[0],
            info.grid[1], info.grid[2], info.pool[0], info.pool[1], info.pool[2]);
        say("probes       steps {} of layers {}\n", fmt::join(info.steps, ", "),
            fmt::join(info.probedLayers, ", "));
    }
}

class InspectCommand final : public Command {
 public:
    explicit InspectCommand(CLI::App& program)
        : Command(program, "inspect", "Show what happened inside a run, from its trace") {
        m_app->add_option("file", m_file, "Trace: fw generate --trace, or <clip>.trace.safetensors in a library")
            ->required();
        m_app->add_flag("--list", m_list, "Only the probes it holds");
        std::string names;
        std::vector<std::string> choices;
        for (const TableEntry& entry : traceTables()) {
            names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", entry.name, entry.help);
            choices.emplace_back(entry.name);
        }
        auto* table = m_app->add_option("--table", m_table, "One table: " + names);
        table->check(CLI::IsMember(choices))->type_name("NAME");
        auto* probe = m_app->add_option("--probe", m_probe, "Every record of one probe, such as attention_map");
        probe->type_name("KIND")->excludes(table);
        m_app->add_option("--export", m_export, "Write the table or the probe to this file: .csv, .json or .npz")
            ->type_name("FILE");
        m_app->add_flag("--json", m_json, "Print JSON instead of text");
        m_app->footer(exitCodeHelp());
    }

    int run(const Session&) override {
        const Status status = show();
        return status ? kDone : reportError(status.error(), m_json);
    }

 private:
    [[nodiscard]] Status show() const {
        FW_ASSIGN(const trace::Trace trace, trace::readTrace(m_file));
        if (m_export.extension() == ".npz" && !m_probe.empty()) {
            FW_ASSIGN(const trace::NpzArchive arrays, probeArrays(trace, m_probe));
            return writeArrays(arrays);
        }
        if (!m_table.empty() || !m_probe.empty()) {
            FW_ASSIGN(const Table table, m_probe.empty() ? traceTable(trace, m_table) : probeTable(trace, m_probe));
            return m_export.empty() ? print(table) : writeText(table);
        }
        if (!m_export.empty()) {
            return fail(ErrorCode::InvalidArgument, "--export needs to know what: name a --table or a --probe");
        }
        if (m_list) {
            if (m_json) {
                say("{}\n", jsonText(listJson(trace.probes)));
                return {};
            }
            return print(listTable(trace.probes));
        }
        FW_ASSIGN(const Table cost, traceTable(trace, "cost"));
        if (m_json) {
            const OrderedJson about =
                OrderedJson::parse(trace.metadata.dump(-1, ' ', false, Json::error_handler_t::replace));
            say("{}\n",
                jsonText({{"description", about}, {"cost", asJson(cost)}, {"probes", listJson(trace.probes)}}));
            return {};
        }
        printSummary(trace);
        say("\n{}", asText(cost));
        if (!trace.probes.tables.empty()) {
            say("\n{}", asText(listTable(trace.probes)));
        }
        return {};
    }

    [[nodiscard]] Status print(const Table& table) const {
        say("{}", m_json ? jsonText(asJson(table)) + "\n" : asText(table));
        return {};
    }

    [[nodiscard]] Status writeText(const Table& table) const {
        const std::string extension = m_export.extension().string();
        if (extension == ".npz") {
            return writeArrays(asArrays(table));
        }
        if (extension != ".csv" && extension != ".json") {
            return fail(ErrorCode::InvalidArgument, "{} is none of .csv, .json and .npz", m_export.string());
        }
        return write(extension == ".csv" ? asCsv(table) : jsonText(asJson(table)) + "\n");
    }

    [[nodiscard]] Status writeArrays(const trace::NpzArchive& arrays) const {
        FW_ASSIGN(const std::string bytes, arrays.bytes());
        return write(bytes);
    }

    [[nodiscard]] Status write(const std::string& bytes) const { return writeWhole(m_export, bytes); }

    fs::path m_file, m_export;
    std::string m_table, m_probe;
    bool m_list = false, m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeInspectCommand(CLI::App& program) {
    return std::make_unique<InspectCommand>(program);
}

}  // namespace fw::cli
