#include "app/cli/trace_tables.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "app/cli/output.h"
#include "core/backend/token_blocks.h"
#include "core/trace/trace_file.h"

namespace fw::cli {

namespace {

using trace::ProbeKind;
using trace::Trace;

constexpr double kMicro = 1e-6;
constexpr std::int64_t kMostCells = 10'000'000;  // of a table that is built as a whole

double over(double part, double whole) {
    return whole > 0.0 ? part / whole : 0.0;
}

// Six significant digits: what a reader compares, without the noise behind them.
Json rounded(double value) {
    return std::isfinite(value) ? Json::parse(fmt::format("{:.6g}", value)) : Json();
}

tl::unexpected<Error> missing(std::string_view what, std::string_view remedy) {
    return fail(ErrorCode::InvalidArgument, "this trace has no {}; {}", what, remedy);
}

Result<const trace::ProbeTable*> recordsOf(const Trace& trace, ProbeKind kind, std::string_view probe) {
    const trace::ProbeTable* table = trace.probes.find(kind);
    if (table == nullptr) {
        return missing(trace::probeName(kind), fmt::format("make the clip with --probe {}", probe));
    }
    return table;
}

// Time, work and memory traffic of each kind of module. A module's time includes those inside it.
Result<Table> costTable(const Trace& trace) {
    struct Sum {
        double calls = 0, seconds = 0, flops = 0, bytes = 0;
    };
    std::map<trace::Module, Sum> sums;
    for (const trace::Row& row : trace.rows()) {
        Sum& sum = sums[row.module];
        sum.calls += 1;
        sum.seconds += static_cast<double>(row.durationUs) * kMicro;
        sum.flops += static_cast<double>(row.flops);
        sum.bytes += static_cast<double>(row.bytes);
    }
    Table table{{"module", "calls", "seconds", "GFLOP", "GFLOP/s", "GB", "GB/s", "FLOP/byte"}, {}};
    for (const auto& [module, sum] : sums) {
        table.rows.push_back({trace::moduleName(module), sum.calls, rounded(sum.seconds),
                              rounded(sum.flops / kGiga), rounded(over(sum.flops / kGiga, sum.seconds)),
                              rounded(sum.bytes / kGiga), rounded(over(sum.bytes / kGiga, sum.seconds)),
                              rounded(over(sum.flops, sum.bytes))});
    }
    return table;
}

// How each map lies: mass on the own block, and the largest that any block gives to another.
Result<Table> mapTable(const Trace& trace) {
    FW_ASSIGN(const trace::ProbeTable* maps, recordsOf(trace, ProbeKind::AttentionMap, "map"));
    const auto blocks = static_cast<std::size_t>(trace.probes.info.blockCount());
    Table table{{"step", "layer", "head", "own_block", "largest_elsewhere"}, {}};
    for (std::int64_t i = 0; i < maps->size(); ++i) {
        const std::vector<float> map = maps->values(i);
        double own = 0.0;
        double largest = 0.0;
        for (std::size_t row = 0; row < blocks; ++row) {
            for (std::size_t column = 0; column < blocks; ++column) {
                const auto mass = static_cast<double>(map[row * blocks + column]);
                own += row == column ? mass / static_cast<double>(blocks) : 0.0;
                largest = row == column ? largest : std::max(largest, mass);
            }
        }
        const trace::ProbeSite& site = maps->site(i);
        table.rows.push_back({site.step, site.layer, site.head, rounded(own), rounded(largest)});
    }
    return table;
}

Result<Table> statisticsTable(const Trace& trace) {
    FW_ASSIGN(const trace::ProbeTable* records, recordsOf(trace, ProbeKind::HeadStats, "stats"));
    Table table{{"step", "layer", "head", "entropy_nats", "dt", "dh", "dw", "sink", "own_frame"}, {}};
    for (std::int64_t i = 0; i < records->size(); ++i) {
        const trace::ProbeSite& site = records->site(i);
        std::vector<Json> row{site.step, site.layer, site.head};
        for (const float value : records->values(i)) {
            row.push_back(rounded(static_cast<double>(value)));
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

// One line for each layer, module and branch, one character for each step: . computed, r reused, p predicted, and a
// blank where it had no call of its own.
Result<Table> cacheTable(const Trace& trace) {
    std::map<std::tuple<int, trace::Module, int>, std::map<int, char>> lines;
    std::int32_t steps = 0;
    bool cached = false;
    for (const trace::Row& row : trace.rows()) {
        const bool replaceable =
            row.layer >= 0 ? row.module != trace::Module::Probe && row.module != trace::Module::AttentionCore
                           : row.module == trace::Module::Blocks;
        if (row.step < 0 || !replaceable) {
            continue;
        }
        steps = std::max(steps, row.step + 1);
        cached = cached || row.source != trace::Source::Computed;
        const char mark = row.source == trace::Source::Computed ? '.'
                          : row.source == trace::Source::Reused ? 'r'
                                                                : 'p';
        lines[{row.layer, row.module, row.branch}][row.step] = mark;
    }
    if (!cached) {
        return missing("cache decisions", "nothing was reused: make the clip with --cache");
    }
    constexpr std::int32_t kMostSteps = 10'000;
    Table table{{"layer", "module", "branch", "steps"}, {}};
    for (const auto& [key, marks] : lines) {
        std::string text(static_cast<std::size_t>(std::min(steps, kMostSteps)), ' ');
        for (const auto& [step, mark] : marks) {
            if (static_cast<std::size_t>(step) < text.size()) {
                text[static_cast<std::size_t>(step)] = mark;
            }
        }
        table.rows.push_back({std::get<0>(key), trace::moduleName(std::get<1>(key)), std::get<2>(key), text});
    }
    return table;
}

// Tokens in each tile of the trace's masks.
std::vector<std::int64_t> tileSizes(const trace::ProbeInfo& info) {
    const backend::TokenBlocks tiles{
        {info.grid[0], info.grid[1], info.grid[2]}, std::max<std::int64_t>(info.mask.size, 1), info.mask.box};
    std::vector<std::int64_t> sizes;
    for (std::int64_t tile = 0; tile < tiles.count(); ++tile) {
        sizes.push_back(tiles.tokensOf(tile));
    }
    return sizes;
}

// `pairs`: of the tokens in those tiles. What a method of blocks computed, exactly; a window's edge may cut tiles.
Result<Table> maskTable(const Trace& trace) {
    FW_ASSIGN(const trace::ProbeTable* masks, recordsOf(trace, ProbeKind::Mask, "mask and a sparse --method"));
    const trace::ProbeTable* kept = trace.probes.find(ProbeKind::KeptMass);
    const std::int64_t tiles = trace.probes.info.maskTileCount();
    constexpr std::array<const char*, 3> kOrders{"frame", "token", "boxes"};
    Table table{{"step", "layer", "head", "order", "tiles", "density", "pairs", "kept_mass"}, {}};
    const std::vector<std::int64_t> sizes = tileSizes(trace.probes.info);
    if (static_cast<std::int64_t>(sizes.size()) != tiles) {
        return fail(ErrorCode::BadModel, "the trace's masks have {} tiles, but its clip has {}", tiles,
                    sizes.size());
    }
    for (std::int64_t i = 0; i < masks->size(); ++i) {
        std::int64_t set = 0, pairs = 0;
        for (std::int64_t query = 0; query < tiles; ++query) {
            for (std::int64_t key = 0; key < tiles; ++key) {
                if (trace::maskBit(masks->record(i), tiles, query, key)) {
                    ++set;
                    pairs += sizes[static_cast<std::size_t>(query)] * sizes[static_cast<std::size_t>(key)];
                }
            }
        }
        const trace::ProbeSite& site = masks->site(i);
        std::vector<Json> row{
            site.step, site.layer,
            site.head, kOrders.at(static_cast<std::size_t>(masks->item(i))),
            set,       rounded(over(static_cast<double>(set), static_cast<double>(tiles * tiles))),
            pairs};
        // The mean over all heads where they share a mask.
        double mass = 0.0;
        std::int64_t count = 0;
        for (std::int64_t k = 0; kept != nullptr && k < kept->size(); ++k) {
            const trace::ProbeSite& other = kept->site(k);
            if (other.step == site.step && other.layer == site.layer && other.branch == site.branch &&
                (site.head < 0 || other.head == site.head)) {
                for (const float share : kept->values(k)) {
                    mass += static_cast<double>(share);
                    ++count;
                }
            }
        }
        row.push_back(count == 0 ? Json() : rounded(mass / static_cast<double>(count)));
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::string cellText(const Json& cell) {
    return cell.is_string() ? cell.get<std::string>() : cell.is_null() ? std::string() : cell.dump();
}

// How each gate is spread over the tokens: mean, and the share of tokens in each tenth of 0 to 1. With it, where it
// was recorded, how large the gated branch is beside the sparse one.
Result<Table> gateTable(const Trace& trace) {
    FW_ASSIGN(const trace::ProbeTable* gates, recordsOf(trace, ProbeKind::Gate, "gate and --method salad"));
    const trace::ProbeTable* shares = trace.probes.find(ProbeKind::LinearShare);
    constexpr std::size_t kTenths = 10;
    Table table{{"step", "branch", "layer", "mean", "linear_to_sparse"}, {}};
    for (std::size_t i = 0; i < kTenths; ++i) {
        table.columns.push_back(fmt::format("from_0.{}", i));
    }
    for (std::int64_t i = 0; i < gates->size(); ++i) {
        const trace::ProbeSite& site = gates->site(i);
        const std::vector<float> values = gates->values(i);
        std::array<double, kTenths> counts{};
        double sum = 0.0;
        for (const float value : values) {
            sum += static_cast<double>(value);
            if (std::isfinite(value)) {
                const auto tenth = static_cast<std::size_t>(std::clamp(value, 0.0F, 1.0F) * 10.0F);
                counts.at(std::min(tenth, kTenths - 1)) += 1.0;
            }
        }
        const auto tokens = static_cast<double>(values.size());
        const std::int64_t other = shares == nullptr ? -1 : shares->find(site);
        const std::vector<float> parts = other < 0 ? std::vector<float>() : shares->values(other);
        std::vector<Json> row{
            site.step, site.branch, site.layer, rounded(over(sum, tokens)),
            rounded(parts.empty() ? std::nan("")
                                  : over(static_cast<double>(parts[1]), static_cast<double>(parts[0])))};
        for (const double count : counts) {
            row.push_back(rounded(over(count, tokens)));
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

}  // namespace

const std::vector<TableEntry>& traceTables() {
    static const std::vector<TableEntry> tables{
        {"cost", "time, FLOPs and bytes of each kind of module"},
        {"maps", "how each head's pooled attention map lies"},
        {"stats", "entropy, distances, sink and own frame of each head"},
        {"cache", "what a step cache computed, reused and predicted"},
        {"masks", "density and kept mass of each mask"},
        {"gates", "SALAD's gates: mean and share of tokens in each tenth, for each layer and step"},
    };
    return tables;
}

Result<Table> traceTable(const Trace& trace, std::string_view name) {
    if (name == "cost") {
        return costTable(trace);
    }
    if (name == "maps") {
        return mapTable(trace);
    }
    if (name == "stats") {
        return statisticsTable(trace);
    }
    if (name == "cache") {
        return cacheTable(trace);
    }
    if (name == "gates") {
        return gateTable(trace);
    }
    FW_CHECK(name == "masks", "table {}", name);
    return maskTable(trace);
}

namespace {

// The records of a kind, by its name.
Result<std::pair<ProbeKind, const trace::ProbeTable*>> findProbe(const Trace& trace, std::string_view probe) {
    const auto kind = std::find_if(trace::kProbeKinds.begin(), trace::kProbeKinds.end(),
                                   [&](ProbeKind known) { return trace::probeName(known) == probe; });
    if (kind == trace::kProbeKinds.end()) {
        std::vector<std::string_view> names;
        for (const auto& [known, table] : trace.probes.tables) {
            names.push_back(trace::probeName(known));
        }
        return fail(ErrorCode::InvalidArgument, "there is no probe '{}'; this trace has {}", probe,
                    names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
    }
    const trace::ProbeTable* records = trace.probes.find(*kind);
    if (records == nullptr) {
        return missing(probe, "fw inspect --list shows what there is");
    }
    return std::pair(*kind, records);
}

}  // namespace

Result<Table> probeTable(const Trace& trace, std::string_view probe) {
    FW_ASSIGN(const auto found, findProbe(trace, probe));
    const auto& [kind, records] = found;
    const std::int64_t tiles = kind == ProbeKind::Mask ? trace.probes.info.maskTileCount() : 0;
    const std::int64_t count = tiles > 0 ? tiles * tiles : records->recordShape().product();
    if (count > kMostCells / std::max<std::int64_t>(records->size(), 1)) {
        return fail(ErrorCode::InvalidArgument,
                    "{} has {} records of {} numbers, too many for text; write them with --export FILE.npz", probe,
                    records->size(), count);
    }
    Table table{{"step", "branch", "layer", "head"}, {}};
    const std::string_view item = trace::probeItemName(kind);
    if (!item.empty()) {
        table.columns.emplace_back(item);
    }
    for (std::int64_t i = 0; i < count; ++i) {
        table.columns.push_back(fmt::format("v{}", i));
    }
    for (std::int64_t i = 0; i < records->size(); ++i) {
        const trace::ProbeSite& site = records->site(i);
        std::vector<Json> row{site.step, site.branch, site.layer, site.head};
        if (!item.empty()) {
            row.push_back(records->item(i));
        }
        if (tiles > 0) {
            const ConstTensorView record = records->record(i);
            for (std::int64_t bit = 0; bit < count; ++bit) {
                row.push_back(trace::maskBit(record, tiles, bit / tiles, bit % tiles) ? 1 : 0);
            }
        } else {
            for (const float value : records->values(i)) {
                row.push_back(rounded(static_cast<double>(value)));
            }
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

Result<trace::NpzArchive> probeArrays(const Trace& trace, std::string_view probe) {
    FW_ASSIGN(const auto found, findProbe(trace, probe));
    const auto& [kind, records] = found;
    const Shape shape{records->size()};
    std::vector<std::int32_t> steps, branches, layers, heads, items;
    for (std::int64_t i = 0; i < records->size(); ++i) {
        const trace::ProbeSite& site = records->site(i);
        steps.push_back(site.step);
        branches.push_back(site.branch);
        layers.push_back(site.layer);
        heads.push_back(site.head);
        items.push_back(records->item(i));
    }
    trace::NpzArchive archive;
    const auto add = [&](std::string_view name, const std::vector<std::int32_t>& column) {
        archive.add(std::string(name), ConstTensorView(column.data(), DType::I32, shape));
    };
    add("step", steps);
    add("branch", branches);
    add("layer", layers);
    add("head", heads);
    if (!trace::probeItemName(kind).empty()) {
        add(trace::probeItemName(kind), items);
    }
    if (kind != ProbeKind::Mask) {
        archive.add("data", records->data());
        return archive;
    }
    const std::int64_t tiles = trace.probes.info.maskTileCount();
    std::vector<std::uint8_t> bits;
    for (std::int64_t i = 0; i < records->size(); ++i) {
        for (std::int64_t bit = 0; bit < tiles * tiles; ++bit) {
            bits.push_back(trace::maskBit(records->record(i), tiles, bit / tiles, bit % tiles) ? 1 : 0);
        }
    }
    archive.add("data", ConstTensorView(bits.data(), DType::U8, {records->size(), tiles, tiles}));
    return archive;
}

trace::NpzArchive asArrays(const Table& table) {
    trace::NpzArchive archive;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const bool numbers = std::all_of(table.rows.begin(), table.rows.end(),
                                         [&](const auto& row) { return row[i].is_number() || row[i].is_null(); });
        std::vector<double> values;
        std::vector<std::string> texts;
        for (const auto& row : table.rows) {
            values.push_back(row[i].is_number() ? row[i].template get<double>() : std::nan(""));
            texts.push_back(cellText(row[i]));
        }
        if (numbers) {
            archive.add(table.columns[i], values);
        } else {
            archive.add(table.columns[i], texts);
        }
    }
    return archive;
}

std::string asText(const Table& table) {
    std::vector<std::size_t> widths;
    for (const std::string& column : table.columns) {
        widths.push_back(column.size());
    }
    std::vector<bool> isText(table.columns.size());
    for (const auto& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], cellText(row[i]).size());
            isText[i] = isText[i] || row[i].is_string();
        }
    }
    std::string text;
    const auto addLine = [&](const auto& cellOf) {
        std::string line;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const std::string cell = cellOf(i);
            line += i == 0 ? "" : "  ";
            line += isText[i] ? fmt::format("{:<{}}", cell, widths[i]) : fmt::format("{:>{}}", cell, widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    };
    addLine([&](std::size_t i) { return table.columns[i]; });
    for (const auto& row : table.rows) {
        addLine([&](std::size_t i) { return cellText(row[i]); });
    }
    return text;
}

std::string asCsv(const Table& table) {
    const auto quoted = [](std::string cell) {
        if (cell.find_first_of(",\"\r\n") == std::string::npos) {
            return cell;
        }
        std::string result = "\"";
        for (const char c : cell) {
            result += c == '"' ? "\"\"" : std::string(1, c);
        }
        return result + "\"";
    };
    std::string text;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        text += (i == 0 ? "" : ",") + quoted(table.columns[i]);
    }
    text += "\r\n";
    for (const auto& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += (i == 0 ? "" : ",") + quoted(cellText(row[i]));
        }
        text += "\r\n";
    }
    return text;
}

OrderedJson asJson(const Table& table) {
    OrderedJson list = OrderedJson::array();
    for (const auto& row : table.rows) {
        OrderedJson entry;
        for (std::size_t i = 0; i < row.size(); ++i) {
            entry[table.columns[i]] = OrderedJson::parse(row[i].dump());
        }
        list.push_back(std::move(entry));
    }
    return list;
}

}  // namespace fw::cli
