#include "core/model/adapter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "core/model/sha256.h"
#include "core/model/weight_loader.h"
#include "core/weights/tensor_table.h"
#include "core/weights/transformer_config.h"

namespace fw::model {

namespace {

using method::WeightNeed;
using weights::SafetensorsFile;

constexpr std::string_view kFingerprintTensor = "blocks.0.attn1.to_q.weight";
constexpr const char* kAttention = "attn1";

bool takePrefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

bool takeSuffix(std::string_view& text, std::string_view suffix) {
    if (!text.ends_with(suffix)) {
        return false;
    }
    text.remove_suffix(suffix.size());
    return true;
}

// Names of the original code by what they became in diffusers: whole names, and parts inside blocks.
constexpr std::pair<std::string_view, std::string_view> kOriginalNames[] = {
    {"time_embedding.0", "condition_embedder.time_embedder.linear_1"},
    {"time_embedding.2", "condition_embedder.time_embedder.linear_2"},
    {"text_embedding.0", "condition_embedder.text_embedder.linear_1"},
    {"text_embedding.2", "condition_embedder.text_embedder.linear_2"},
    {"time_projection.1", "condition_embedder.time_proj"},
    {"head.head", "proj_out"}};
constexpr std::pair<std::string_view, std::string_view> kOriginalParts[] = {
    {"self_attn.q", "attn1.to_q"},  {"self_attn.k", "attn1.to_k"},
    {"self_attn.v", "attn1.to_v"},  {"self_attn.o", "attn1.to_out.0"},
    {"cross_attn.q", "attn2.to_q"}, {"cross_attn.k", "attn2.to_k"},
    {"cross_attn.v", "attn2.to_v"}, {"cross_attn.o", "attn2.to_out.0"},
    {"ffn.0", "ffn.net.0.proj"},    {"ffn.2", "ffn.net.2"}};

std::string diffusersName(std::string_view name) {
    for (const auto& [original, ours] : kOriginalNames) {
        if (name == original) {
            return std::string(ours);
        }
    }
    for (const auto& [original, ours] : kOriginalParts) {
        if (name.starts_with("blocks.") && name.ends_with(fmt::format(".{}", original))) {
            return std::string(name.substr(0, name.size() - original.size())) + std::string(ours);
        }
    }
    return std::string(name);
}

// Trained changes of other families, by a part of a tensor's name ("hada_*": any part that begins so), as LyCORIS,
// peft, kohya's scripts and tools that extract adapters write them.
constexpr std::pair<std::string_view, std::string_view> kOtherFamilies[] = {
    {"dora_scale", "a DoRA"},
    {"lora_magnitude_vector", "a DoRA"},
    {"hada_*", "a LoHa (Hadamard products)"},
    {"lokr_*", "a LoKr (Kronecker products)"},
    {"oft_*", "an OFT (rotated weights)"},
    {"boft_*", "a BOFT (rotated weights)"},
    {"vera_*", "a VeRA (shared random matrices)"},
    {"ia3_*", "an IA³ (scaled activations)"},
    {"lora_mid", "a LoCon (LoRA with a third matrix)"},
    {"lora_embedding_*", "a LoRA of embeddings"},
    {"diff", "a full difference (weights changed whole, beside or instead of LoRA)"},
    {"diff_b", "a full difference (biases changed whole, beside or instead of LoRA)"},
    {"set_weight", "a full difference (weights replaced whole)"}};

// Which of them a tensor belongs to; empty: none.
std::string_view otherFamily(std::string_view name) {
    while (!name.empty()) {
        const std::string_view part = name.substr(0, name.find('.'));
        for (const auto& [pattern, family] : kOtherFamilies) {
            const bool begins = pattern.ends_with('*');
            if (begins ? part.starts_with(pattern.substr(0, pattern.size() - 1)) : part == pattern) {
                return family;
            }
        }
        name.remove_prefix(std::min(part.size() + 1, name.size()));
    }
    return {};
}

// "blocks.3.attn1.salad_proj.weight" → 3 and "salad_proj.weight".
struct MethodName {
    std::int64_t layer = 0;
    std::string_view rest;
};
std::optional<MethodName> methodName(std::string_view name) {
    if (!takePrefix(name, "blocks.")) {
        return std::nullopt;
    }
    MethodName result;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), result.layer);
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    if (code != std::errc{} || !takePrefix(name, fmt::format(".{}.", kAttention))) {
        return std::nullopt;
    }
    result.rest = name;
    return result;
}

std::string tensorName(std::int64_t layer, std::string_view rest) {
    return fmt::format("blocks.{}.{}.{}", layer, kAttention, rest);
}

// The tensors of one need in one layer with their shapes.
std::vector<std::pair<std::string, Shape>> tensorsOf(const WeightNeed& need,
                                                     const weights::WanTransformerConfig& config) {
    const std::int64_t width = config.width();
    switch (need.kind) {
        case WeightNeed::Kind::Projection:
            return {{need.name + ".weight", {width, width}}, {need.name + ".bias", {width}}};
        case WeightNeed::Kind::Gate:
            return {{need.name + ".weight", {1, width}}, {need.name + ".bias", {1}}};
        case WeightNeed::Kind::HeadTable:
            return {{need.name, {config.heads}}};
    }
    return {};
}

// Every method's tensor by the end of its name.
struct KnownTensor {
    const WeightNeed* need = nullptr;
    Shape shape;
};
std::optional<KnownTensor> knownTensor(std::string_view rest, const weights::WanTransformerConfig& config) {
    for (const method::MethodEntry& entry : method::attentionMethods()) {
        for (const WeightNeed& need : entry.needs) {
            for (const auto& [name, shape] : tensorsOf(need, config)) {
                if (rest == name) {
                    return KnownTensor{&need, shape};
                }
            }
        }
    }
    return std::nullopt;
}

Status checkTable(const SafetensorsFile& file, const std::string& name, const ConstTensorView& view) {
    const auto* values = static_cast<const std::uint8_t*>(view.data());
    if (view.dtype() != DType::U8 ||
        !std::all_of(values, values + view.count(), [](std::uint8_t value) { return value <= 1; })) {
        return fail(ErrorCode::BadModel, "{}: {} is {}; a table of heads is u8 and holds 0 or 1",
                    file.path().string(), name, view.text());
    }
    return {};
}

bool hasNeed(const SafetensorsFile& file, const WeightNeed& need, std::int64_t layer) {
    const bool table = need.kind == WeightNeed::Kind::HeadTable;
    return file.contains(tensorName(layer, table ? need.name : need.name + ".weight"));
}

// Layers the file says it leaves out on purpose.
Result<std::set<std::int64_t>> droppedLayers(const SafetensorsFile& file) {
    const auto found = file.metadata().find("dropped_layers");
    if (found == file.metadata().end()) {
        return std::set<std::int64_t>{};
    }
    const Json list = Json::parse(found->second, nullptr, false);
    if (!list.is_array() ||
        !std::all_of(list.begin(), list.end(), [](const Json& value) { return value.is_number_integer(); })) {
        return fail(ErrorCode::BadModel, "{}: dropped_layers is '{}', a list of layers expected",
                    file.path().string(), found->second);
    }
    return list.get<std::set<std::int64_t>>();
}

// Before anything else is said of a file: those of other families also hold what looks like LoRA that is not
// complete.
Status checkFamily(const SafetensorsFile& file) {
    for (const auto& [name, view] : file.tensors()) {
        if (const std::string_view family = otherFamily(name); !family.empty()) {
            return fail(ErrorCode::BadModel,
                        "{} is {}: {} says so, and such changes cannot be applied here. What fits is LoRA: pairs "
                        "lora_A and lora_B, or lora_down and lora_up. Look for the same adapter as LoRA alone, or "
                        "merge it into a copy of the model with the program it was made with",
                        file.path().string(), family, name);
        }
    }
    return {};
}

Status checkBase(const SafetensorsFile& file, const std::filesystem::path& folder) {
    const auto made = file.metadata().find("base");
    if (made == file.metadata().end()) {
        return {};
    }
    FW_ASSIGN(const std::string present, baseFingerprint(folder));
    if (made->second != present) {
        return fail(ErrorCode::BadModel,
                    "{} was trained for another model than {}; use it with the model it was made "
                    "for",
                    file.path().string(), folder.string());
    }
    return {};
}

}  // namespace

std::optional<LoraKey> loraKey(const std::string& name) {
    std::string_view rest = name;
    takePrefix(rest, "base_model.model.");
    if (!takePrefix(rest, "transformer.")) {
        takePrefix(rest, "diffusion_model.");
    }
    LoraKey key;
    if (takeSuffix(rest, ".lora_A.weight") || takeSuffix(rest, ".lora_A.default.weight") ||
        takeSuffix(rest, ".lora_down.weight")) {
        key.part = LoraKey::Part::Down;
    } else if (takeSuffix(rest, ".lora_B.weight") || takeSuffix(rest, ".lora_B.default.weight") ||
               takeSuffix(rest, ".lora_up.weight")) {
        key.part = LoraKey::Part::Up;
    } else if (takeSuffix(rest, ".alpha")) {
        key.part = LoraKey::Part::Alpha;
    } else {
        return std::nullopt;
    }
    key.matrix = diffusersName(rest);
    return key;
}

Result<AdapterSet> AdapterSet::open(std::span<const job::Adapter> adapters, const std::filesystem::path& folder) {
    AdapterSet set;
    if (adapters.empty()) {
        return set;
    }
    FW_ASSIGN(const auto config, weights::loadTransformerConfig(folder));
    set.m_config = config.dit;
    Sha256 hash;
    for (const job::Adapter& adapter : adapters) {
        FW_TRY(set.add(adapter, folder));
        for (const auto& [name, view] : set.m_files.back().file->tensors()) {
            hash.addText(name);
            hash.addText(view.text());
            hash.add({static_cast<const std::byte*>(view.data()), static_cast<std::size_t>(view.bytes())});
        }
        hash.addText(fmt::format("{}", adapter.strength));
    }
    set.m_hash = hash.finish();
    return set;
}

Status AdapterSet::add(const job::Adapter& adapter, const std::filesystem::path& folder) {
    FW_ASSIGN(auto file, SafetensorsFile::open(adapter.file));
    FW_TRY(checkFamily(*file));
    for (const auto& [name, view] : file->tensors()) {
        const std::optional<MethodName> own = methodName(name);
        const bool known = loraKey(name).has_value() || (own && knownTensor(own->rest, m_config));
        if (!known) {
            return fail(
                ErrorCode::BadModel,
                "{}: the tensor {} is neither a LoRA weight of a known style nor one of an attention method",
                adapter.file, name);
        }
        if (auto finite = weights::checkFinite(view, name); !finite) {
            return tl::unexpected(std::move(finite).error().within(adapter.file));
        }
    }
    if (file->tensors().empty()) {
        return fail(ErrorCode::BadModel, "{} holds no tensor", adapter.file);
    }
    FW_TRY(checkBase(*file, folder));
    FW_TRY(checkMethodTensors(*file));
    m_files.push_back({std::move(file), adapter.strength});
    return addLora(m_files.back());
}

Status AdapterSet::addLora(const File& entry) {
    struct Pair {
        ConstTensorView down, up, alpha;
    };
    const SafetensorsFile& file = *entry.file;
    std::map<std::string, Pair> pairs;
    for (const auto& [name, view] : file.tensors()) {
        if (const std::optional<LoraKey> key = loraKey(name)) {
            Pair& pair = pairs[key->matrix];
            (key->part == LoraKey::Part::Down ? pair.down
             : key->part == LoraKey::Part::Up ? pair.up
                                              : pair.alpha) = view;
        }
    }
    std::map<std::string, Shape> matrices;
    for (const weights::TensorSpec& spec : weights::tensorTable(m_config)) {
        matrices.emplace(spec.name, spec.shape);
    }
    for (const auto& [matrix, pair] : pairs) {
        const auto base = matrices.find(matrix + ".weight");
        if (base == matrices.end() || base->second.rank() != 2) {
            return fail(ErrorCode::BadModel,
                        "{} changes {}, which the model does not have: it was made for another one",
                        file.path().string(), matrix);
        }
        if (pair.down.isNone() || pair.up.isNone()) {
            return fail(ErrorCode::BadModel, "{}: the pair of matrices for {} is not complete",
                        file.path().string(), matrix);
        }
        const std::int64_t out = base->second[0], in = base->second[1];
        const std::int64_t rank = pair.down.rank() == 2 ? pair.down.dim(0) : 0;
        if (rank < 1 || !(pair.down.shape() == Shape{rank, in}) || !(pair.up.shape() == Shape{out, rank})) {
            return fail(ErrorCode::BadModel,
                        "{}: the matrices for {} are {} and {}; [rank, {}] and [{}, rank] fit this model",
                        file.path().string(), matrix, pair.down.text(), pair.up.text(), in, out);
        }
        double alpha = static_cast<double>(rank);
        if (!pair.alpha.isNone()) {
            if (pair.alpha.count() != 1) {
                return fail(ErrorCode::BadModel, "{}: alpha of {} is {}, one number expected", file.path().string(),
                            matrix, pair.alpha.text());
            }
            alpha = static_cast<double>(toFloats(pair.alpha).front());
        }
        m_lora[matrix].push_back({pair.down, pair.up, entry.strength * alpha / static_cast<double>(rank)});
    }
    return {};
}

// Sizes, and that what belongs together is there together.
Status AdapterSet::checkMethodTensors(const SafetensorsFile& file) const {
    for (const auto& [name, view] : file.tensors()) {
        const std::optional<MethodName> own = methodName(name);
        const std::optional<KnownTensor> known = own ? knownTensor(own->rest, m_config) : std::nullopt;
        if (!known) {
            continue;
        }
        if (own->layer < 0 || own->layer >= m_config.layers || !(view.shape() == known->shape)) {
            return fail(
                ErrorCode::BadModel,
                "{}: {} is {}, but this model has {} layers and the tensor is {} there: the adapter was made "
                "for another model",
                file.path().string(), name, view.shape().text(), m_config.layers, known->shape.text());
        }
        if (known->need->kind == WeightNeed::Kind::HeadTable) {
            FW_TRY(checkTable(file, name, view));
        }
        for (const auto& [partner, shape] : tensorsOf(*known->need, m_config)) {
            if (!file.contains(tensorName(own->layer, partner))) {
                return fail(ErrorCode::BadModel, "{}: {} has no {} beside it", file.path().string(), name,
                            tensorName(own->layer, partner));
            }
        }
    }
    return {};
}

std::span<const LowRank> AdapterSet::changesOf(const std::string& matrix) const {
    const auto found = m_lora.find(matrix);
    return found == m_lora.end() ? std::span<const LowRank>() : std::span<const LowRank>(found->second);
}

void AdapterSet::merge(const std::string& matrix, std::vector<float>& weight) const {
    for (const LowRank& change : changesOf(matrix)) {
        const std::vector<float> down = toFloats(change.down);
        const std::vector<float> up = toFloats(change.up);
        const auto rank = static_cast<std::size_t>(change.down.dim(0));
        const auto in = static_cast<std::size_t>(change.down.dim(1));
        for (std::size_t row = 0; row < up.size() / rank; ++row) {
            float* target = weight.data() + row * in;
            for (std::size_t r = 0; r < rank; ++r) {
                const auto factor = static_cast<float>(change.scale * static_cast<double>(up[row * rank + r]));
                const float* source = down.data() + r * in;
                std::transform(source, source + in, target, target,
                               [&](float a, float b) { return b + factor * a; });
            }
        }
    }
}

namespace {

// The tensors one layer has of one need.
Status loadNeed(const SafetensorsFile& file, const WeightNeed& need, std::int64_t layer, const WeightTarget& where,
                method::MethodWeights& weights) {
    auto& target = weights.layers[static_cast<std::size_t>(layer)];
    if (need.kind == WeightNeed::Kind::HeadTable) {
        FW_ASSIGN(const ConstTensorView table, file.tensor(tensorName(layer, need.name)));
        const auto* values = static_cast<const std::uint8_t*>(table.data());
        target.tables[need.name].assign(values, values + table.count());
        return {};
    }
    FW_ASSIGN(const ConstTensorView weight, file.tensor(tensorName(layer, need.name + ".weight")));
    FW_ASSIGN(const ConstTensorView bias, file.tensor(tensorName(layer, need.name + ".bias")));
    FW_ASSIGN(auto packed, where.ops.packLinear({{&weight, 1}, {&bias, 1}}, where.compute));
    weights.bytes += footprintOf(where.device, *packed);
    weights.parameters += weight.count() + bias.count();
    target.linears[need.name] = std::move(packed);
    return {};
}

// Layers without a needed tensor must be those the file names, and partners must be there together.
Status checkLayers(const SafetensorsFile& file, const method::MethodEntry& entry, std::int64_t layers) {
    FW_ASSIGN(const std::set<std::int64_t> dropped, droppedLayers(file));
    for (const WeightNeed& need : entry.needs) {
        if (need.kind == WeightNeed::Kind::HeadTable) {
            continue;
        }
        for (std::int64_t layer = 0; layer < layers; ++layer) {
            if (hasNeed(file, need, layer) == dropped.contains(layer)) {
                return fail(ErrorCode::BadModel, "{}: layer {} {}", file.path().string(), layer,
                            dropped.contains(layer)
                                ? fmt::format("has {} although dropped_layers names it", need.name)
                                : fmt::format("has no {}; the file is not complete", need.name));
            }
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<method::MethodWeights>> AdapterSet::methodWeights(const method::MethodEntry& entry,
                                                                         const WeightTarget& where) const {
    for (auto candidate = m_files.rbegin(); candidate != m_files.rend(); ++candidate) {
        const SafetensorsFile& file = *candidate->file;
        const bool any = std::any_of(entry.needs.begin(), entry.needs.end(), [&](const WeightNeed& need) {
            for (std::int64_t layer = 0; layer < m_config.layers; ++layer) {
                // A table alone makes a file one of a method that wants nothing else.
                if (hasNeed(file, need, layer) &&
                    (need.kind != WeightNeed::Kind::HeadTable || entry.needs.size() == 1)) {
                    return true;
                }
            }
            return false;
        });
        if (!any) {
            continue;
        }
        FW_TRY(checkLayers(file, entry, m_config.layers));
        auto weights = std::make_unique<method::MethodWeights>();
        weights->metadata = file.metadata();
        weights->layers.resize(static_cast<std::size_t>(m_config.layers));
        for (std::int64_t layer = 0; layer < m_config.layers; ++layer) {
            for (const WeightNeed& need : entry.needs) {
                if (hasNeed(file, need, layer)) {
                    FW_TRY(loadNeed(file, need, layer, where, *weights));
                }
            }
        }
        return weights;
    }
    return std::unique_ptr<method::MethodWeights>();
}

Result<std::string> baseFingerprint(const std::filesystem::path& folder) {
    FW_ASSIGN(const auto path, weights::findWeightFile(folder, "transformer"));
    FW_ASSIGN(const auto file, SafetensorsFile::open(path));
    FW_ASSIGN(const ConstTensorView view, file->tensor(std::string(kFingerprintTensor)));
    const std::vector<float> values = toFloats(view);
    std::vector<BFloat16> rounded(values.begin(), values.end());
    Sha256 hash;
    hash.add(std::as_bytes(std::span(rounded)));
    return hash.finish();
}

std::int64_t methodParameters(const method::MethodEntry& entry, const weights::WanTransformerConfig& config) {
    std::int64_t count = 0;
    for (const WeightNeed& need : entry.needs) {
        for (const auto& [name, shape] : tensorsOf(need, config)) {
            count += need.kind == WeightNeed::Kind::HeadTable ? 0 : shape.product();
        }
    }
    return count * config.layers;
}

}  // namespace fw::model
