#include "core/trace/probe_file.h"

#include <algorithm>
#include <limits>

#include "core/trace/trace.h"

namespace fw::trace {

namespace {

using weights::SafetensorsFile;

constexpr std::array<const char*, 4> kSiteColumns{"step", "branch", "layer", "head"};
constexpr std::int32_t kModules = static_cast<std::int32_t>(Module::Probe) + 1;

constexpr std::int32_t kScanOrders = 256;  // more than there are: which one matters to nobody who checks a file

std::string tensorName(ProbeKind kind, std::string_view part) {
    return fmt::format("probe.{}.{}", probeName(kind), part);
}

// Values a column may hold: [least, below).
struct Range {
    std::int64_t least = 0, below = std::numeric_limits<std::int32_t>::max();
};

Range itemRange(ProbeKind kind, const ProbeInfo& info) {
    switch (kind) {
        case ProbeKind::AttentionRow:
            return {0, info.tokens()};
        case ProbeKind::Change:
        case ProbeKind::CacheError:
            return {0, kModules};
        case ProbeKind::ScanMemory:
            return {0, kScanOrders};
        default:
            return {0, static_cast<std::int64_t>(TileOrder::Boxes) + 1};
    }
}

Result<std::vector<std::int32_t>> readColumn(const SafetensorsFile& file, const std::string& name,
                                             const Shape& shape, const Range& range) {
    FW_ASSIGN(const ConstTensorView view, file.tensor(name, shape));
    if (view.dtype() != DType::I32) {
        return fail(ErrorCode::BadModel, "{}: column {} is {}, i32 expected", file.path().string(), name,
                    dtypeName(view.dtype()));
    }
    std::vector<std::int32_t> values(view.as<std::int32_t>(), view.as<std::int32_t>() + view.count());
    for (const std::int32_t value : values) {
        if (value < range.least || value >= range.below) {
            return fail(ErrorCode::BadModel, "{}: column {} holds {}, which lies outside {} … {}",
                        file.path().string(), name, value, range.least, range.below - 1);
        }
    }
    return values;
}

Result<ProbeTable> readTable(const std::shared_ptr<const SafetensorsFile>& file, ProbeKind kind,
                             const ProbeInfo& info) {
    const std::string dataName = tensorName(kind, "data");
    FW_ASSIGN(const ConstTensorView data, file->tensor(dataName));
    Shape expected{data.rank() == 0 ? 0 : data.dim(0)};
    for (const std::int64_t extent : probeRecordShape(kind, info)) {
        expected.push(extent);
    }
    if (data.dtype() != probeType(kind) || !(data.shape() == expected)) {
        return fail(ErrorCode::BadModel, "{}: {} is {}, but {}{} is expected", file->path().string(), dataName,
                    data.text(), dtypeName(probeType(kind)), expected.text());
    }
    const Shape length{expected[0]};
    const Range ranges[] = {{}, {0, 2}, {-1, info.layers}, {-1, info.heads}};
    std::array<std::vector<std::int32_t>, 4> columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        FW_ASSIGN(columns[i], readColumn(*file, tensorName(kind, kSiteColumns[i]), length, ranges[i]));
    }
    std::vector<std::int32_t> items(static_cast<std::size_t>(length[0]), 0);
    if (!probeItemName(kind).empty()) {
        FW_ASSIGN(items, readColumn(*file, tensorName(kind, probeItemName(kind)), length, itemRange(kind, info)));
    }
    std::vector<ProbeSite> sites;
    sites.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        sites.push_back({columns[0][i], columns[1][i], columns[2][i], columns[3][i]});
    }
    return ProbeTable::borrow(std::move(sites), std::move(items), data, file);
}

// The tiles of a mask as the file counts them, against the description.
Status checkMaskShape(const SafetensorsFile& file, const ProbeInfo& info) {
    const std::string name = tensorName(ProbeKind::Mask, "shape");
    FW_ASSIGN(const auto shape, readColumn(file, name, {2}, {}));
    if (shape[0] != info.maskTileCount() || shape[1] != info.maskTileCount()) {
        return fail(ErrorCode::BadModel, "{}: {} is {} x {}, but the description has {} tiles",
                    file.path().string(), name, shape[0], shape[1], info.maskTileCount());
    }
    return {};
}

}  // namespace

ProbeColumns probeColumns(const ProbeData& probes) {
    ProbeColumns result;
    // The views borrow from the inner vectors, which stay where they are when the outer one grows.
    const auto add = [&](ProbeKind kind, std::string_view part, std::vector<std::int32_t> values) {
        result.columns.push_back(std::move(values));
        const auto& kept = result.columns.back();
        result.tensors.emplace_back(
            tensorName(kind, part),
            ConstTensorView(kept.data(), DType::I32, {static_cast<std::int64_t>(kept.size())}));
    };
    for (const auto& [kind, table] : probes.tables) {
        std::array<std::vector<std::int32_t>, 4> columns;
        std::vector<std::int32_t> items;
        for (std::int64_t i = 0; i < table.size(); ++i) {
            const ProbeSite& site = table.site(i);
            columns[0].push_back(site.step);
            columns[1].push_back(site.branch);
            columns[2].push_back(site.layer);
            columns[3].push_back(site.head);
            items.push_back(table.item(i));
        }
        for (std::size_t i = 0; i < columns.size(); ++i) {
            add(kind, kSiteColumns[i], std::move(columns[i]));
        }
        if (!probeItemName(kind).empty()) {
            add(kind, probeItemName(kind), std::move(items));
        }
        if (kind == ProbeKind::Mask) {
            const auto tiles = static_cast<std::int32_t>(probes.info.maskTileCount());
            add(kind, "shape", {tiles, tiles});
        }
        result.tensors.emplace_back(tensorName(kind, "data"), table.data());
    }
    return result;
}

Result<ProbeData> readProbes(const std::shared_ptr<const SafetensorsFile>& file, const Json& description) {
    auto info = probeInfoFromJson(description);
    if (!info) {
        return tl::unexpected(std::move(info).error().within(file->path().string()));
    }
    ProbeData probes;
    probes.info = *std::move(info);
    for (const ProbeKind kind : kProbeKinds) {
        if (!file->contains(tensorName(kind, "data"))) {
            continue;
        }
        if (kind == ProbeKind::Mask) {
            FW_TRY(checkMaskShape(*file, probes.info));
        }
        FW_ASSIGN(ProbeTable table, readTable(file, kind, probes.info));
        probes.tables.emplace(kind, std::move(table));
    }
    return probes;
}

}  // namespace fw::trace
