#include "core/trace/probe_data.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "core/tensor/half.h"

namespace fw::trace {

namespace {

constexpr std::array<std::string_view, kProbeKinds.size()> kNames{
    "attention_map", "attention_row", "head_stats",      "mask",         "kept_mass",
    "gate",          "linear_share",  "change",          "word_heat",    "cache_error",
    "scan_memory",   "review_weight", "attention_query", "attention_key"};

// What a file may claim before its numbers are multiplied.
constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;
constexpr std::int64_t kMostLayers = 10'000;
constexpr std::int64_t kMostEntries = 100'000;  // of a list

std::int64_t pieces(std::int64_t whole, std::int64_t part) {
    return (whole + part - 1) / part;
}

std::int64_t product(const std::array<std::int64_t, 3>& extents) {
    return extents[0] * extents[1] * extents[2];
}

tl::unexpected<Error> wrong(std::string_view key) {
    return fail(ErrorCode::BadModel, "the trace's description has no valid 'probes.{}'", key);
}

// A whole number within [least, most].
Result<std::int64_t> wholeNumber(const Json& json, std::string_view key, std::int64_t least, std::int64_t most) {
    if (!json.is_number_integer() || (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX)) {
        return wrong(key);
    }
    const auto value = json.get<std::int64_t>();
    if (value < least || value > most) {
        return wrong(key);
    }
    return value;
}

const Json& member(const Json& json, const char* key) {
    static const Json none;
    const auto found = json.find(key);
    return found == json.end() ? none : *found;
}

Result<std::array<std::int64_t, 3>> extents(const Json& json, const char* key, std::int64_t least) {
    const Json& list = member(json, key);
    if (!list.is_array() || list.size() != 3) {
        return wrong(key);
    }
    std::array<std::int64_t, 3> result{};
    for (std::size_t i = 0; i < 3; ++i) {
        FW_ASSIGN(result[i], wholeNumber(list[i], key, least, 1'000'000));
    }
    if ((result[0] > 0 && result[1] > kMostTokens / result[0]) ||
        (result[0] * result[1] > 0 && result[2] > kMostTokens / (result[0] * result[1]))) {
        return wrong(key);
    }
    return result;
}

Result<std::vector<std::int32_t>> numbers(const Json& json, const char* key, std::int64_t below) {
    const Json& list = member(json, key);
    if (!list.is_array() || list.size() > static_cast<std::size_t>(kMostEntries)) {
        return wrong(key);
    }
    std::vector<std::int32_t> result;
    for (const Json& entry : list) {
        FW_ASSIGN(const std::int64_t value, wholeNumber(entry, key, 0, below - 1));
        result.push_back(static_cast<std::int32_t>(value));
    }
    return result;
}

Result<std::vector<PromptWord>> readWords(const Json& json) {
    const Json& list = member(json, "words");
    if (!list.is_array() || list.size() > static_cast<std::size_t>(kMostEntries)) {
        return wrong("words");
    }
    std::vector<PromptWord> words;
    for (const Json& entry : list) {
        if (!entry.is_object() || !member(entry, "text").is_string()) {
            return wrong("words");
        }
        PromptWord word{member(entry, "text").get<std::string>()};
        FW_ASSIGN(const std::int64_t first, wholeNumber(member(entry, "first"), "words", 0, kMostEntries));
        FW_ASSIGN(const std::int64_t count, wholeNumber(member(entry, "count"), "words", 0, kMostEntries));
        word.first = static_cast<std::int32_t>(first);
        word.count = static_cast<std::int32_t>(count);
        words.push_back(std::move(word));
    }
    return words;
}

Result<MaskTiles> readTiles(const Json& json) {
    const Json& object = member(json, "mask");
    if (!object.is_object()) {
        return wrong("mask");
    }
    MaskTiles tiles;
    FW_ASSIGN(tiles.size, wholeNumber(member(object, "size"), "mask.size", 0, 1'000'000));
    FW_ASSIGN(tiles.box, extents(object, "box", 0));
    const bool boxes = product(tiles.box) > 0;
    if (!boxes && (tiles.size < 1 || tiles.box != std::array<std::int64_t, 3>{})) {
        return wrong("mask");
    }
    return tiles;
}

Result<ScanInfo> readScan(const Json& json) {
    const Json& object = member(json, "scan");
    if (!object.is_object()) {
        return wrong("scan");
    }
    ScanInfo scan;
    FW_ASSIGN(scan.heads, wholeNumber(member(object, "heads"), "scan.heads", 0, kMostLayers));
    FW_ASSIGN(scan.directions, wholeNumber(member(object, "directions"), "scan.directions", 0, 2));
    const auto review = extents(object, "review", 0);
    if (!review) {
        return wrong("scan.review");
    }
    scan.review = *review;
    return scan;
}

}  // namespace

std::string_view probeName(ProbeKind kind) {
    return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view probeItemName(ProbeKind kind) {
    switch (kind) {
        case ProbeKind::AttentionRow:
            return "query";
        case ProbeKind::Mask:
        case ProbeKind::KeptMass:
        case ProbeKind::ScanMemory:
            return "order";
        case ProbeKind::Change:
        case ProbeKind::CacheError:
            return "module";
        default:
            return {};
    }
}

DType probeType(ProbeKind kind) {
    switch (kind) {
        case ProbeKind::Mask:
            return DType::U8;
        case ProbeKind::HeadStats:
        case ProbeKind::LinearShare:
        case ProbeKind::Change:
        case ProbeKind::CacheError:
            return DType::F32;
        default:
            return DType::F16;
    }
}

std::array<std::int64_t, 3> ProbeInfo::blocks() const {
    return {pieces(grid[0], pool[0]), pieces(grid[1], pool[1]), pieces(grid[2], pool[2])};
}

std::int64_t ProbeInfo::blockCount() const {
    return product(blocks());
}

std::int64_t ProbeInfo::blockOf(std::int64_t token) const {
    const auto count = blocks();
    const std::int64_t t = token / (grid[1] * grid[2]);
    const std::int64_t h = token / grid[2] % grid[1];
    const std::int64_t w = token % grid[2];
    return (t / pool[0] * count[1] + h / pool[1]) * count[2] + w / pool[2];
}

std::int64_t ProbeInfo::maskTileCount() const {
    if (mask.box[0] > 0) {
        return pieces(grid[0], mask.box[0]) * pieces(grid[1], mask.box[1]) * pieces(grid[2], mask.box[2]);
    }
    return pieces(tokens(), mask.size);
}

Json toJson(const ProbeInfo& info) {
    Json words = Json::array();
    for (const PromptWord& word : info.words) {
        words.push_back({{"text", word.text}, {"first", word.first}, {"count", word.count}});
    }
    return {
        {"grid", info.grid},
        {"pool", info.pool},
        {"blocks", info.blocks()},
        {"heads", info.heads},
        {"layers", info.layers},
        {"words", std::move(words)},
        {"steps", info.steps},
        {"probed_layers", info.probedLayers},
        {"queries", info.queries},
        {"samples", info.samples},
        {"mask", {{"size", info.mask.size}, {"box", info.mask.box}}},
        {"head_dim", info.headDim},
        {"scan", {{"heads", info.scan.heads}, {"directions", info.scan.directions}, {"review", info.scan.review}}}};
}

Result<ProbeInfo> probeInfoFromJson(const Json& json) {
    if (!json.is_object()) {
        return fail(ErrorCode::BadModel, "the trace's description has 'probes' that is not an object");
    }
    ProbeInfo info;
    FW_ASSIGN(info.grid, extents(json, "grid", 1));
    FW_ASSIGN(info.pool, extents(json, "pool", 1));
    FW_ASSIGN(info.heads, wholeNumber(member(json, "heads"), "heads", 1, kMostLayers));
    FW_ASSIGN(info.layers, wholeNumber(member(json, "layers"), "layers", 1, kMostLayers));
    FW_ASSIGN(info.words, readWords(json));
    FW_ASSIGN(info.steps, numbers(json, "steps", kMostEntries));
    FW_ASSIGN(info.probedLayers, numbers(json, "probed_layers", info.layers));
    FW_ASSIGN(info.queries, numbers(json, "queries", info.tokens()));
    FW_ASSIGN(info.samples, wholeNumber(member(json, "samples"), "samples", 0, kMostTokens));
    FW_ASSIGN(info.mask, readTiles(json));
    if (json.contains("head_dim")) {
        FW_ASSIGN(info.headDim, wholeNumber(member(json, "head_dim"), "head_dim", 0, kMostLayers));
    }
    if (json.contains("scan")) {
        FW_ASSIGN(info.scan, readScan(json));
    }
    return info;
}

Shape probeRecordShape(ProbeKind kind, const ProbeInfo& info) {
    switch (kind) {
        case ProbeKind::AttentionMap:
            return {info.blockCount(), info.blockCount()};
        case ProbeKind::AttentionRow:
        case ProbeKind::Gate:
            return {info.tokens()};
        case ProbeKind::HeadStats:
            return {kHeadStatistics};
        case ProbeKind::Mask:
            return {pieces(info.maskTileCount() * info.maskTileCount(), 8)};
        case ProbeKind::KeptMass:
            return {info.maskTileCount()};
        case ProbeKind::LinearShare:
            return {3};
        case ProbeKind::Change:
        case ProbeKind::CacheError:
            return {2};
        case ProbeKind::ScanMemory:
            return {info.scan.directions, info.scan.heads, info.blockCount()};
        case ProbeKind::ReviewWeight:
            return {info.scan.directions, info.scan.heads, info.scan.reviewTokens()};
        case ProbeKind::AttentionQuery:
        case ProbeKind::AttentionKey:
            return {info.tokens(), info.headDim};
        case ProbeKind::WordHeat:
            return {static_cast<std::int64_t>(info.words.size()), info.tokens()};
    }
    FW_CHECK(false, "probe kind {}", static_cast<int>(kind));
    return {};
}

std::int64_t ProbeTable::find(const ProbeSite& site) const {
    const auto found = std::find(m_sites.begin(), m_sites.end(), site);
    return found == m_sites.end() ? -1 : found - m_sites.begin();
}

std::int64_t ProbeTable::find(const ProbeSite& site, std::int32_t item) const {
    for (std::size_t i = 0; i < m_sites.size(); ++i) {
        if (m_items[i] == item && m_sites[i] == site) {
            return static_cast<std::int64_t>(i);
        }
    }
    return -1;
}

ConstTensorView ProbeTable::data() const {
    Shape shape{size()};
    for (const std::int64_t extent : m_record) {
        shape.push(extent);
    }
    return {m_mapped != nullptr ? m_mapped : m_bytes.data(), m_dtype, shape};
}

ConstTensorView ProbeTable::record(std::int64_t i) const {
    FW_CHECK(i >= 0 && i < size(), "record {} of {}", i, size());
    const auto* base = static_cast<const std::byte*>(m_mapped != nullptr ? m_mapped : m_bytes.data());
    return {base + i * m_record.product() * dtypeSize(m_dtype), m_dtype, m_record};
}

std::vector<float> ProbeTable::values(std::int64_t i) const {
    const ConstTensorView view = record(i);
    std::vector<float> result(static_cast<std::size_t>(view.count()));
    if (m_dtype == DType::F32) {
        std::copy_n(view.as<float>(), result.size(), result.begin());
    } else {
        FW_CHECK(m_dtype == DType::F16, "values of {}", dtypeName(m_dtype));
        const auto* bits = static_cast<const std::uint16_t*>(view.data());
        halvesToFloats({bits, result.size()}, result);
    }
    return result;
}

void ProbeTable::append(const ProbeSite& site, std::int32_t item, std::span<const float> values) {
    FW_CHECK(static_cast<std::int64_t>(values.size()) == m_record.product(), "{} values for {}", values.size(),
             m_record.text());
    FW_CHECK(m_dtype == DType::F32 || m_dtype == DType::F16, "numbers into {}", dtypeName(m_dtype));
    const TensorView record = appendSpace(site, item);
    if (m_dtype == DType::F32) {
        std::copy(values.begin(), values.end(), record.mutableAs<float>());
    } else {
        floatsToHalves(values, {static_cast<std::uint16_t*>(record.mutableData()), values.size()});
    }
}

TensorView ProbeTable::appendSpace(const ProbeSite& site, std::int32_t item) {
    FW_CHECK(m_mapped == nullptr, "appending to a table of a file");
    const std::size_t begin = m_bytes.size();
    m_bytes.resize(begin + static_cast<std::size_t>(m_record.product() * dtypeSize(m_dtype)));
    m_sites.push_back(site);
    m_items.push_back(item);
    return {m_bytes.data() + begin, m_dtype, m_record};
}

void ProbeTable::reserve(std::int64_t records) {
    m_bytes.reserve(static_cast<std::size_t>(records * m_record.product() * dtypeSize(m_dtype)));
}

void ProbeTable::appendBytes(const ProbeSite& site, std::int32_t item, std::span<const std::uint8_t> bytes) {
    FW_CHECK(m_mapped == nullptr && m_dtype == DType::U8, "bytes into a table of {}", dtypeName(m_dtype));
    FW_CHECK(static_cast<std::int64_t>(bytes.size()) == m_record.product(), "{} bytes for {}", bytes.size(),
             m_record.text());
    const auto raw = std::as_bytes(bytes);
    m_bytes.insert(m_bytes.end(), raw.begin(), raw.end());
    m_sites.push_back(site);
    m_items.push_back(item);
}

ProbeTable ProbeTable::borrow(std::vector<ProbeSite> sites, std::vector<std::int32_t> items,
                              const ConstTensorView& data, std::shared_ptr<const void> owner) {
    FW_CHECK(
        sites.size() == items.size() && data.rank() >= 1 && data.dim(0) == static_cast<std::int64_t>(sites.size()),
        "{} sites of {}", sites.size(), data.text());
    ProbeTable table;
    table.m_dtype = data.dtype();
    for (std::size_t i = 1; i < data.rank(); ++i) {
        table.m_record.push(data.shape()[i]);
    }
    table.m_sites = std::move(sites);
    table.m_items = std::move(items);
    table.m_mapped = data.data();
    table.m_owner = std::move(owner);
    return table;
}

bool maskBit(const ConstTensorView& record, std::int64_t keyTiles, std::int64_t query, std::int64_t key) {
    const std::int64_t bit = query * keyTiles + key;
    const auto byte = static_cast<const std::uint8_t*>(record.data())[bit / 8];
    return (byte >> static_cast<unsigned>(bit % 8) & 1U) != 0;
}

std::vector<float> attentionRow(const ConstTensorView& queries, const ConstTensorView& keys, std::int64_t query) {
    FW_CHECK(queries.dtype() == DType::F16 && keys.dtype() == DType::F16 && queries.rank() == 2 &&
                 queries.shape() == keys.shape() && query >= 0 && query < queries.dim(0),
             "query {} of {} over {}", query, queries.text(), keys.text());
    const std::int64_t tokens = keys.dim(0);
    const auto width = static_cast<std::size_t>(keys.dim(1));
    const auto* bits = static_cast<const std::uint16_t*>(queries.data()) + query * keys.dim(1);
    std::vector<float> wanted(width), key(width), row(static_cast<std::size_t>(tokens));
    halvesToFloats({bits, width}, wanted);
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(std::max<std::size_t>(width, 1))));
    float largest = -std::numeric_limits<float>::infinity();
    for (std::int64_t token = 0; token < tokens; ++token) {
        const auto* values = static_cast<const std::uint16_t*>(keys.data()) + token * keys.dim(1);
        halvesToFloats({values, width}, key);
        std::array<float, 8> sums{};  // apart, so that they are added side by side
        std::size_t i = 0;
        for (; i + sums.size() <= width; i += sums.size()) {
            for (std::size_t lane = 0; lane < sums.size(); ++lane) {
                sums[lane] += wanted[i + lane] * key[i + lane];
            }
        }
        for (; i < width; ++i) {
            sums[0] += wanted[i] * key[i];
        }
        float& score = row[static_cast<std::size_t>(token)];
        score = scale * std::accumulate(sums.begin(), sums.end(), 0.0F);
        largest = std::isnan(score) ? score : std::max(largest, score);
    }
    double sum = 0.0;
    for (float& value : row) {
        value = std::exp(value - largest);
        sum += static_cast<double>(value);
    }
    std::transform(row.begin(), row.end(), row.begin(),
                   [&](float value) { return static_cast<float>(static_cast<double>(value) / sum); });
    return row;
}

const ProbeTable* ProbeData::find(ProbeKind kind) const {
    const auto found = tables.find(kind);
    return found == tables.end() ? nullptr : &found->second;
}

}  // namespace fw::trace
