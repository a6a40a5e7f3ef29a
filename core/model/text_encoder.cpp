#include "core/model/text_encoder.h"

#include <cmath>
#include <string>

#include "core/model/weight_loader.h"

namespace fw::model {

using backend::ArenaScope;
using backend::OwnedTensor;
using backend::PackedLinear;

namespace {

struct Layer {
    OwnedTensor attentionNorm, feedForwardNorm;                  // [d]
    std::unique_ptr<PackedLinear> qkv, attentionOut;             // d → 3·inner, inner → d
    std::unique_ptr<PackedLinear> gateAndValue, feedForwardOut;  // d → [wi_0; wi_1], dFf → d
    std::vector<float> relativeBias;                             // [buckets, heads], on the host
};

Result<Layer> loadLayer(WeightLoader& loader, const weights::Umt5Config& config, std::int64_t index,
                        DType compute) {
    const std::string attention = fmt::format("encoder.block.{}.layer.0.", index);
    const std::string feedForward = fmt::format("encoder.block.{}.layer.1.", index);
    const std::string self = attention + "SelfAttention.";
    const std::string dense = feedForward + "DenseReluDense.";
    Layer layer;
    FW_ASSIGN(layer.attentionNorm, loader.floats(attention + "layer_norm.weight", {config.dModel}));
    FW_ASSIGN(layer.qkv, loader.linear({self + "q", self + "k", self + "v"}, false, compute));
    FW_ASSIGN(layer.attentionOut, loader.linear({self + "o"}, false, compute));
    FW_ASSIGN(layer.relativeBias, loader.hostFloats(self + "relative_attention_bias.weight"));
    FW_ASSIGN(layer.feedForwardNorm, loader.floats(feedForward + "layer_norm.weight", {config.dModel}));
    FW_ASSIGN(layer.gateAndValue, loader.linear({dense + "wi_0", dense + "wi_1"}, false, compute));
    FW_ASSIGN(layer.feedForwardOut, loader.linear({dense + "wo"}, false, compute));
    return layer;
}

}  // namespace

struct Umt5Encoder::Parts {
    weights::Umt5Config config;
    DType compute = DType::F32;
    std::unique_ptr<weights::SafetensorsFile> file;
    std::string tableName;
    ConstTensorView table;  // [vocab, d] in the mapped file
    std::vector<Layer> layers;
    OwnedTensor finalNorm;
    std::int64_t bytes = 0;
};

std::int64_t relativePositionBucket(std::int64_t relative, std::int64_t buckets, std::int64_t maxDistance) {
    const std::int64_t half = buckets / 2;
    const std::int64_t exact = half / 2;
    const std::int64_t base = relative > 0 ? half : 0;
    const std::int64_t distance = std::abs(relative);
    if (distance < exact) {
        return base + distance;
    }
    // Single precision as in the reference: a bucket's edge must not move by rounding differently.
    const float ratio = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                        static_cast<float>(std::log(static_cast<double>(maxDistance) / static_cast<double>(exact)));
    const auto further = static_cast<std::int64_t>(ratio * static_cast<float>(half - exact));
    return base + std::min(exact + further, half - 1);
}

Umt5Encoder::Umt5Encoder(std::unique_ptr<Parts> parts) : m_parts(std::move(parts)) {}
Umt5Encoder::~Umt5Encoder() = default;

std::int64_t Umt5Encoder::width() const {
    return m_parts->config.dModel;
}
std::int64_t Umt5Encoder::weightBytes() const {
    return m_parts->bytes;
}

Result<std::unique_ptr<Umt5Encoder>> Umt5Encoder::load(const std::filesystem::path& folder, backend::Device& device,
                                                       backend::Ops& ops, DType compute) {
    FW_ASSIGN(const auto config, weights::loadUmt5Config(folder));
    if (config.dKv % 16 != 0 || config.dKv > 512) {
        return fail(ErrorCode::Unsupported,
                    "the text encoder's d_kv is {}; multiples of 16 up to 512 can be computed", config.dKv);
    }
    FW_ASSIGN(auto loader, WeightLoader::open(folder, "text_encoder", weights::tensorTable(config), device, ops));
    auto parts = std::make_unique<Parts>();
    parts->config = config;
    parts->compute = compute;
    parts->tableName = loader.file().contains("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight";
    FW_ASSIGN(parts->table, loader.mapped(parts->tableName));
    for (std::int64_t i = 0; i < config.layers; ++i) {
        FW_ASSIGN(auto layer, loadLayer(loader, config, i, compute));
        parts->layers.push_back(std::move(layer));
    }
    FW_ASSIGN(parts->finalNorm, loader.floats("encoder.final_layer_norm.weight", {config.dModel}));
    parts->bytes = loader.bytes();
    parts->file = loader.takeFile();
    return std::unique_ptr<Umt5Encoder>(new Umt5Encoder(std::move(parts)));
}

Result<std::vector<float>> Umt5Encoder::gatherEmbeddings(std::span<const std::int32_t> ids) const {
    const std::int64_t vocabulary = m_parts->config.vocabSize;
    std::vector<float> rows;
    rows.reserve(ids.size() * static_cast<std::size_t>(width()));
    for (const std::int32_t id : ids) {
        if (id < 0 || id >= vocabulary) {
            return fail(
                ErrorCode::BadModel,
                "{}: the tokenizer gave token {}, the text encoder knows tokens 0 to {}; the two do not belong "
                "together",
                m_parts->file->path().string(), id, vocabulary - 1);
        }
        const auto row = m_parts->table.slice(0, id, id + 1);
        FW_TRY(weights::checkFinite(
            row, fmt::format("{}: {}, row {}", m_parts->file->path().string(), m_parts->tableName, id)));
        const std::vector<float> values = toFloats(row);
        rows.insert(rows.end(), values.begin(), values.end());
    }
    return rows;
}

std::vector<float> Umt5Encoder::relativeBiases(std::int64_t length) const {
    const auto& config = m_parts->config;
    std::vector<float> result;
    result.reserve(static_cast<std::size_t>(config.layers * config.heads * (2 * length - 1)));
    for (const Layer& layer : m_parts->layers) {
        for (std::int64_t head = 0; head < config.heads; ++head) {
            for (std::int64_t relative = 1 - length; relative < length; ++relative) {
                const std::int64_t bucket = relativePositionBucket(relative, config.buckets, config.maxDistance);
                result.push_back(layer.relativeBias[static_cast<std::size_t>(bucket * config.heads + head)]);
            }
        }
    }
    return result;
}

void Umt5Encoder::attend(method::RunContext& context, std::size_t layer, const TensorView& x,
                         const ConstTensorView& bias) const {
    const Layer& weights = m_parts->layers[layer];
    const auto& config = m_parts->config;
    const DType act = m_parts->compute;
    const std::int64_t n = x.dim(1);
    const ArenaScope scope(context.arena);
    const TensorView normed = context.arena.take(act, {1, n, config.dModel});
    const TensorView qkv = context.arena.take(act, {1, n, 3 * config.innerDim()});
    const TensorView out = context.arena.take(act, {1, n, config.heads, config.dKv});
    context.ops.rmsNorm(x, weights.attentionNorm.view, static_cast<float>(config.eps), normed);
    context.ops.linear(normed, *weights.qkv, qkv);
    const TensorView split = qkv.split(2, 3 * config.heads, config.dKv);
    const auto third = [&](std::int64_t i) { return split.slice(2, i * config.heads, (i + 1) * config.heads); };
    context.ops.attention(third(0), third(1), third(2), out, {.scale = 1.0F, .bias = bias, .keyCount = -1});
    context.ops.linear(out.reshape({1, n, config.innerDim()}), *weights.attentionOut, normed);
    context.ops.gatedAdd(x, normed, {});
}

void Umt5Encoder::feedForward(method::RunContext& context, std::size_t layer, const TensorView& x) const {
    const Layer& weights = m_parts->layers[layer];
    const auto& config = m_parts->config;
    const DType act = m_parts->compute;
    const std::int64_t n = x.dim(1);
    const ArenaScope scope(context.arena);
    const TensorView normed = context.arena.take(act, {1, n, config.dModel});
    const TensorView both = context.arena.take(act, {1, n, 2 * config.dFf});
    const TensorView gated = context.arena.take(act, {1, n, config.dFf});
    context.ops.rmsNorm(x, weights.feedForwardNorm.view, static_cast<float>(config.eps), normed);
    context.ops.linear(normed, *weights.gateAndValue, both);
    context.ops.gatedGelu(both, gated);
    context.ops.linear(gated, *weights.feedForwardOut, normed);
    context.ops.gatedAdd(x, normed, {});
}

Status Umt5Encoder::encode(method::RunContext& context, std::span<const std::int32_t> ids, const TensorView& out) {
    const auto& config = m_parts->config;
    const auto n = static_cast<std::int64_t>(ids.size());
    FW_CHECK(n >= 1 && out.rank() == 2 && n <= out.dim(0) && out.dim(1) == config.dModel, "{} ids into {}", n,
             out.text());
    const method::ModuleScope timed(context, trace::Module::TextEncoder);
    const ArenaScope scope(context.arena);
    const TensorView x = context.arena.take(DType::F32, {1, n, config.dModel});
    const TensorView biases = context.arena.take(DType::F32, {config.layers, config.heads, 2 * n - 1});

    // Host memory that uploads read from: alive until the device has been waited for.
    std::vector<float> embeddings;
    std::vector<float> biasValues;
    const std::vector<float> zeros(static_cast<std::size_t>((out.dim(0) - n) * config.dModel));
    const bool meta = context.ops.deviceKind() == DeviceKind::Meta;
    if (!meta) {
        FW_ASSIGN(embeddings, gatherEmbeddings(ids));
        biasValues = relativeBiases(n);
        context.ops.upload(ConstTensorView(embeddings.data(), DType::F32, x.shape()), x);
        context.ops.upload(ConstTensorView(biasValues.data(), DType::F32, biases.shape()), biases);
        const TensorView padding = out.slice(0, n, out.dim(0));
        context.ops.upload(ConstTensorView(zeros.data(), DType::F32, padding.shape()), padding);
    }
    Status status;
    for (std::size_t i = 0; i < m_parts->layers.size(); ++i) {
        status = context.cancel.check();
        if (!status) {
            break;
        }
        // bias[h, query, key] depends on key - query alone: a view whose query stride is -1, zero at column n - 1.
        const auto layer = static_cast<std::int64_t>(i);
        const TensorView origin = biases.slice(0, layer, layer + 1).slice(2, n - 1, 2 * n - 1);
        const ConstTensorView bias(origin.data(), DType::F32, {config.heads, n, n}, {2 * n - 1, -1, 1},
                                   origin.device());
        attend(context, i, x, bias);
        feedForward(context, i, x);
    }
    context.ops.rmsNorm(x.reshape({n, config.dModel}), m_parts->finalNorm.view, static_cast<float>(config.eps),
                        out.slice(0, 0, n));
    FW_TRY(context.ops.synchronize());
    return status;
}

Result<std::unique_ptr<TextEncoder>> loadTextEncoder(const std::filesystem::path& folder, backend::Device& device,
                                                     backend::Ops& ops, DType compute) {
    return Umt5Encoder::load(folder, device, ops, compute);
}

}  // namespace fw::model
