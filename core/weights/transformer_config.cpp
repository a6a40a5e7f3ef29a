#include "core/weights/transformer_config.h"

#include <fmt/format.h>

#include "core/weights/config_reader.h"

namespace fw::weights {

namespace {

constexpr const char* kWanClass = "WanTransformer3DModel";
constexpr const char* kMateClass = "LinGenTransformer3DModel";
constexpr IntegerRange kExtent{1, 1 << 20};
constexpr std::int64_t kWidest = 1 << 16;
constexpr std::int64_t kMostOrders = 64;

using Extents = std::array<std::int64_t, 3>;

Extents readExtents(ConfigReader& reader, const char* key, IntegerRange range, const Extents& fallback) {
    if (!reader.has(key)) {
        return fallback;
    }
    const auto values = reader.integers(key, {3, 3}, range);
    return values.size() == 3 ? Extents{values[0], values[1], values[2]} : fallback;
}

void readWindows(ConfigReader& reader, MateConfig& mate) {
    mate.window = readExtents(reader, "tesa_window", kExtent, mate.window);
    const Extents half{mate.window[0] / 2, mate.window[1] / 2, mate.window[2] / 2};
    mate.shift = readExtents(reader, "tesa_shift", {0, kExtent.high}, half);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        reader.require(
            mate.shift[axis] < mate.window[axis],
            fmt::format("\"tesa_shift\" moves windows of {} tokens by {}; less than a window is possible",
                        mate.window[axis], mate.shift[axis]));
    }
}

void readStateSpace(ConfigReader& reader, const WanTransformerConfig& dit, MateConfig& mate) {
    mate.expand = reader.integer("ssm_expand", {1, 16}, mate.expand);
    mate.headDim = reader.integer("ssm_head_dim", {8, 256}, mate.headDim);
    mate.stateDim = reader.integer("ssm_state_dim", {8, 256}, mate.stateDim);
    mate.groups = reader.integer("ssm_num_groups", {1, 1 << 13}, mate.groups);
    mate.convKernel = reader.integer("ssm_conv_kernel", {2, 8}, mate.convKernel);
    mate.chunk = reader.integer("ssm_chunk_size", {1, 1024}, mate.chunk);
    for (const auto& [key, value] :
         {std::pair("ssm_head_dim", mate.headDim), std::pair("ssm_state_dim", mate.stateDim)}) {
        reader.require(value % 8 == 0, fmt::format("\"{}\" is {}, which is not a multiple of 8", key, value));
    }
    const std::int64_t inner = mate.innerWidth(dit);
    reader.require(inner <= kWidest, fmt::format("\"ssm_expand\" {} makes {} of width {}; up to {} is possible",
                                                 mate.expand, inner, dit.width(), kWidest));
    reader.require(mate.headDim > 0 && inner % mate.headDim == 0,
                   fmt::format("\"ssm_head_dim\" {} does not divide the inner width {}", mate.headDim, inner));
    if (mate.headDim > 0 && mate.groups > 0) {
        reader.require(mate.heads(dit) % mate.groups == 0,
                       fmt::format("\"ssm_num_groups\" {} does not divide the {} heads of {}", mate.groups,
                                   mate.heads(dit), mate.headDim));
    }
    mate.tiedDirections = reader.choice("ssm_directions", {"separate", "tied"}, "separate") == "tied";
}

void readReview(ConfigReader& reader, const Json& json, MateConfig& mate) {
    const bool off = json.is_object() && json.contains("review_pooling") && json["review_pooling"].is_null();
    if (off) {
        mate.reviewPooling.reset();
    } else {
        mate.reviewPooling = readExtents(reader, "review_pooling", kExtent, *mate.reviewPooling);
    }
    mate.reviewBothWays = reader.choice("review_directions", {"forward", "both"}, "forward") == "both";
}

void readPositions(ConfigReader& reader, MateConfig& mate) {
    const std::string kind = reader.choice("position_embedding", {"shared", "per_block", "none"}, "shared");
    mate.positions = kind == "none"     ? MateConfig::Positions::None
                     : kind == "shared" ? MateConfig::Positions::Shared
                                        : MateConfig::Positions::PerBlock;
    if (mate.positions != MateConfig::Positions::None) {
        reader.require(
            reader.has("position_embedding_size"),
            fmt::format("\"position_embedding_size\" is missing; \"position_embedding\" {} needs it", kind));
        mate.positionSizes = readExtents(reader, "position_embedding_size", {1, 1 << 16}, {1, 1, 1});
    }
}

void readOrders(ConfigReader& reader, const Json& json, MateConfig& mate) {
    if (!reader.has("scan_orders")) {
        return;
    }
    const Json& orders = json["scan_orders"];
    const bool list = orders.is_array() && !orders.empty() && orders.size() <= kMostOrders;
    reader.require(list, fmt::format("\"scan_orders\" is {} where a list of 1 to {} names is expected",
                                     shortText(orders), kMostOrders));
    mate.scanOrders.clear();
    for (std::size_t i = 0; list && i < orders.size(); ++i) {
        reader.require(orders[i].is_string(),
                       fmt::format("\"scan_orders\" holds {} where a name is expected", shortText(orders[i])));
        mate.scanOrders.push_back(orders[i].is_string() ? orders[i].get<std::string>() : "");
    }
}

void addMate(TensorTable& table, const std::string& block, const TransformerConfig& config) {
    const MateConfig& mate = *config.mate;
    const std::int64_t width = config.dit.width(), inner = mate.innerWidth(config.dit);
    const std::int64_t scanned = mate.scannedWidth(config.dit), heads = mate.heads(config.dit);
    const std::string prefix = block + "ssm.";
    const auto add = [&](const std::string& name, const Shape& shape) {
        table.push_back({prefix + name, shape, ""});
    };
    add("in_proj.weight", {inner + scanned + mate.directions() * heads, width});
    for (std::int64_t i = 0; i < mate.directions(); ++i) {
        const std::string scan = i == 0 ? "forward_scan." : "backward_scan.";
        add(scan + "conv1d.weight", {scanned, 1, mate.convKernel});
        add(scan + "conv1d.bias", {scanned});
        for (const char* vector : {"dt_bias", "A_log", "D"}) {
            add(scan + vector, {heads});
        }
    }
    add("norm.weight", {inner});
    add("out_proj.weight", {width, inner});
}

void addPositions(TensorTable& table, const std::string& prefix, const TransformerConfig& config) {
    const char* names[] = {"frames", "rows", "columns"};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        table.push_back({prefix + "position_embedding." + names[axis],
                         {config.mate->positionSizes[axis], config.dit.width()},
                         ""});
    }
}

}  // namespace

Result<TransformerConfig> parseTransformerConfig(const Json& json) {
    ConfigReader reader(json);
    const std::string name = reader.choice("_class_name", {kWanClass, kMateClass});
    FW_TRY(reader.status());
    TransformerConfig config;
    if (name == kWanClass) {
        FW_ASSIGN(config.dit, parseWanTransformerConfig(json));
        return config;
    }
    Json shared = json;  // the keys both classes have, with one meaning
    shared["_class_name"] = kWanClass;
    FW_ASSIGN(config.dit, parseWanTransformerConfig(shared));
    MateConfig mate;
    readOrders(reader, json, mate);
    readWindows(reader, mate);
    readStateSpace(reader, config.dit, mate);
    readReview(reader, json, mate);
    readPositions(reader, mate);
    FW_TRY(reader.status());
    config.mate = std::move(mate);
    return config;
}

Result<TransformerConfig> loadTransformerConfig(const std::filesystem::path& modelFolder) {
    const auto path = modelFolder / "transformer" / "config.json";
    FW_ASSIGN(const Json json, readJsonFile(path));
    auto config = parseTransformerConfig(json);
    if (!config) {
        return tl::unexpected(std::move(config).error().within(path.string()));
    }
    return config;
}

TensorTable tensorTable(const TransformerConfig& config) {
    TensorTable table = tensorTable(config.dit);
    if (!config.mate) {
        return table;
    }
    for (std::int64_t layer = 0; layer < config.dit.layers; ++layer) {
        const std::string block = fmt::format("blocks.{}.", layer);
        addMate(table, block, config);
        if (config.mate->positions == MateConfig::Positions::PerBlock) {
            addPositions(table, block, config);
        }
    }
    if (config.mate->positions == MateConfig::Positions::Shared) {
        addPositions(table, "", config);
    }
    return table;
}

}  // namespace fw::weights
