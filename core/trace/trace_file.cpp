#include "core/trace/trace_file.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/trace/probe_file.h"
#include "core/weights/model_config.h"
#include "core/weights/safetensors.h"

namespace fw::trace {

namespace {

constexpr std::array<std::string_view, 14> kModuleNames{
    "text_encoder", "embeddings", "self_attention", "attention_core", "cross_attention", "feed_forward", "output",
    "guidance",     "sampler",    "preview",        "vae_decode",     "vae_encode",      "blocks",       "probe",
};
constexpr const char* kMetadataKey = "trace";
constexpr const char* kProbesKey = "probes";
constexpr const char* kFormatKey = "format";
constexpr int kFormat = 1;

// The columns of a table in the order of the struct.
struct Columns {
    std::vector<std::int32_t> step, branch, layer, module, source;
    std::vector<std::int64_t> startUs, durationUs, flops, bytes;
    std::vector<std::int64_t> pairs, densePairs, tiles, denseTiles;
};

Columns toColumns(const std::vector<Row>& rows) {
    Columns columns;
    for (const Row& row : rows) {
        columns.step.push_back(row.step);
        columns.branch.push_back(row.branch);
        columns.layer.push_back(row.layer);
        columns.module.push_back(static_cast<std::int32_t>(row.module));
        columns.source.push_back(static_cast<std::int32_t>(row.source));
        columns.startUs.push_back(row.startUs);
        columns.durationUs.push_back(row.durationUs);
        columns.flops.push_back(row.flops);
        columns.bytes.push_back(row.bytes);
        columns.pairs.push_back(row.pairs);
        columns.densePairs.push_back(row.densePairs);
        columns.tiles.push_back(row.tiles);
        columns.denseTiles.push_back(row.denseTiles);
    }
    return columns;
}

template <class T>
std::pair<std::string, ConstTensorView> column(const char* name, const std::vector<T>& values) {
    return {name, ConstTensorView(values.data(), kDTypeOf<T>, {static_cast<std::int64_t>(values.size())})};
}

template <class T>
Status readColumn(const weights::SafetensorsFile& file, const char* name, std::size_t rows,
                  std::vector<T>& values) {
    FW_ASSIGN(const ConstTensorView view, file.tensor(name, {static_cast<std::int64_t>(rows)}));
    if (view.dtype() != kDTypeOf<T>) {
        return fail(ErrorCode::BadModel, "{}: column {} is {}, {} expected", file.path().string(), name,
                    dtypeName(view.dtype()), dtypeName(kDTypeOf<T>));
    }
    values.assign(view.as<T>(), view.as<T>() + rows);
    return {};
}

Result<Columns> readColumns(const weights::SafetensorsFile& file) {
    FW_ASSIGN(const ConstTensorView first, file.tensor("step"));
    if (first.rank() != 1) {
        return fail(ErrorCode::BadModel, "{}: column step has shape {}, one dimension expected",
                    file.path().string(), first.shape().text());
    }
    const auto rows = static_cast<std::size_t>(first.count());
    Columns columns;
    FW_TRY(readColumn(file, "step", rows, columns.step));
    FW_TRY(readColumn(file, "branch", rows, columns.branch));
    FW_TRY(readColumn(file, "layer", rows, columns.layer));
    FW_TRY(readColumn(file, "module", rows, columns.module));
    columns.source.assign(rows, 0);
    if (file.contains("source")) {
        FW_TRY(readColumn(file, "source", rows, columns.source));
    }
    FW_TRY(readColumn(file, "start_us", rows, columns.startUs));
    FW_TRY(readColumn(file, "duration_us", rows, columns.durationUs));
    FW_TRY(readColumn(file, "flops", rows, columns.flops));
    FW_TRY(readColumn(file, "bytes", rows, columns.bytes));
    // Absent in files of before there was sparse attention.
    for (const auto& [name, values] : {std::pair<const char*, std::vector<std::int64_t>*>{"pairs", &columns.pairs},
                                       {"dense_pairs", &columns.densePairs},
                                       {"tiles", &columns.tiles},
                                       {"dense_tiles", &columns.denseTiles}}) {
        values->assign(rows, 0);
        if (file.contains(name)) {
            FW_TRY(readColumn(file, name, rows, *values));
        }
    }
    return columns;
}

}  // namespace

std::string_view moduleName(Module module) {
    const auto index = static_cast<std::size_t>(module);
    FW_CHECK(index < kModuleNames.size(), "module {}", index);
    return kModuleNames[index];
}

Status writeTrace(const std::filesystem::path& path, const Trace& trace) {
    const Columns columns = toColumns(trace.rows());
    Json description = trace.metadata;
    description["modules"] = kModuleNames;
    description[kFormatKey] = kFormat;
    std::vector<std::pair<std::string, ConstTensorView>> tensors{
        column("step", columns.step),
        column("branch", columns.branch),
        column("layer", columns.layer),
        column("module", columns.module),
        column("source", columns.source),
        column("start_us", columns.startUs),
        column("duration_us", columns.durationUs),
        column("flops", columns.flops),
        column("bytes", columns.bytes),
        column("pairs", columns.pairs),
        column("dense_pairs", columns.densePairs),
        column("tiles", columns.tiles),
        column("dense_tiles", columns.denseTiles),
    };
    ProbeColumns probes;
    if (trace.probes.isPresent()) {
        description[kProbesKey] = toJson(trace.probes.info);
        probes = probeColumns(trace.probes);
        tensors.insert(tensors.end(), probes.tensors.begin(), probes.tensors.end());
    }
    return weights::writeSafetensors(
        path, tensors, {{kMetadataKey, description.dump(-1, ' ', false, Json::error_handler_t::replace)}});
}

Result<Trace> readTrace(const std::filesystem::path& path) {
    FW_ASSIGN(auto opened, weights::SafetensorsFile::open(path));
    const std::shared_ptr<const weights::SafetensorsFile> file = std::move(opened);
    const auto text = file->metadata().find(kMetadataKey);
    if (text == file->metadata().end()) {
        return fail(ErrorCode::BadModel, "{} is no trace: its metadata has no key '{}'", path.string(),
                    kMetadataKey);
    }
    auto description = weights::parseJsonText(text->second);
    if (!description) {
        return tl::unexpected(
            std::move(description).error().within(fmt::format("{}: the trace's description", path.string())));
    }
    Trace trace;
    trace.metadata = std::move(*description);
    if (!trace.metadata.is_object()) {
        return fail(ErrorCode::BadModel, "{}: the trace's description is not a JSON object", path.string());
    }
    const Json format = trace.metadata.value(kFormatKey, Json(kFormat));
    if (!format.is_number_integer() || format > kFormat) {
        return fail(
            ErrorCode::BadModel,
            "{} was written by a newer version of Framewright (trace format {}, this one knows {}): open it "
            "with that version",
            path.string(), format.dump(), kFormat);
    }
    FW_ASSIGN(const Columns columns, readColumns(*file));
    for (std::size_t i = 0; i < columns.step.size(); ++i) {
        const std::int32_t module = columns.module[i];
        if (module < 0 || module >= static_cast<std::int32_t>(kModuleNames.size())) {
            return fail(ErrorCode::BadModel,
                        "{}: row {} names module {}, which is not known; a newer version may have written it",
                        path.string(), i, module);
        }
        const std::int32_t source = columns.source[i];
        if (source < 0 || source > static_cast<std::int32_t>(Source::Predicted)) {
            return fail(ErrorCode::BadModel, "{}: row {} has source {}, which is not known", path.string(), i,
                        source);
        }
        trace.add({columns.step[i], columns.branch[i], columns.layer[i], static_cast<Module>(module),
                   columns.startUs[i], columns.durationUs[i], columns.flops[i], columns.bytes[i], columns.pairs[i],
                   columns.densePairs[i], columns.tiles[i], columns.denseTiles[i], static_cast<Source>(source)});
    }
    if (trace.metadata.contains(kProbesKey)) {
        FW_ASSIGN(trace.probes, readProbes(file, trace.metadata.at(kProbesKey)));
    }
    return trace;
}

}  // namespace fw::trace
