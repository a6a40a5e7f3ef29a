#include "core/model/wan_transformer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string>

#include "core/cache/step_cache.h"
#include "core/method/probe_sink.h"
#include "core/model/mate_dit.h"
#include "core/model/self_attention.h"
#include "core/model/weight_loader.h"

namespace fw::model {

using backend::ArenaScope;
using backend::OwnedTensor;
using method::ModuleScope;
using trace::Module;

namespace {

// What enters and leaves the blocks is computed in single precision: next to nothing of the work, but an error made
// there goes straight into the velocity, and guidance multiplies it.
constexpr DType kEdge = DType::F32;

// Rows of a block's modulation, in the order of its table.
enum Modulation : std::int64_t { kShift, kScale, kGate, kFeedShift, kFeedScale, kFeedGate, kModulations };

struct CrossAttention {
    std::unique_ptr<Linear> q, kv;  // kv: [k; v] of the text
    std::unique_ptr<Linear> out;
    OwnedTensor normQ, normK;  // [d]
};

struct Block {
    CrossAttention cross;
    OwnedTensor crossNormWeight, crossNormBias;  // [d]; none without cross_attn_norm
    std::unique_ptr<Linear> feedIn, feedOut;
};

// The text's keys and values are computed once a run: they keep the type of activations.
Result<CrossAttention> loadAttention(WeightLoader& loader, const std::string& prefix, std::int64_t width,
                                     DType stored) {
    CrossAttention attention;
    FW_ASSIGN(attention.q, loader.layer({prefix + "to_q"}, stored));
    FW_ASSIGN(attention.kv, loader.layer({prefix + "to_k", prefix + "to_v"}, activationType(stored)));
    FW_ASSIGN(attention.out, loader.layer({prefix + "to_out.0"}, stored));
    FW_ASSIGN(attention.normQ, loader.floats(prefix + "norm_q.weight", {width}));
    FW_ASSIGN(attention.normK, loader.floats(prefix + "norm_k.weight", {width}));
    return attention;
}

Result<Block> loadBlock(WeightLoader& loader, const weights::WanTransformerConfig& config, std::int64_t index,
                        DType stored) {
    const std::string prefix = fmt::format("blocks.{}.", index);
    Block block;
    FW_ASSIGN(block.cross, loadAttention(loader, prefix + "attn2.", config.width(), stored));
    if (config.crossAttnNorm) {
        FW_ASSIGN(block.crossNormWeight, loader.floats(prefix + "norm2.weight", {config.width()}));
        FW_ASSIGN(block.crossNormBias, loader.floats(prefix + "norm2.bias", {config.width()}));
    }
    FW_ASSIGN(block.feedIn, loader.layer({prefix + "ffn.net.0.proj"}, stored));
    FW_ASSIGN(block.feedOut, loader.layer({prefix + "ffn.net.2"}, stored));
    return block;
}

}  // namespace

std::vector<float> timestepSinusoid(double timestep, std::int64_t width) {
    const std::int64_t half = width / 2;
    std::vector<float> result(static_cast<std::size_t>(width));
    const auto step = static_cast<float>(-std::log(10000.0));
    for (std::int64_t i = 0; i < half; ++i) {
        const float frequency = std::exp(step * static_cast<float>(i) / static_cast<float>(half));
        const float angle = static_cast<float>(timestep) * frequency;
        result[static_cast<std::size_t>(i)] = std::cos(angle);
        result[static_cast<std::size_t>(half + i)] = std::sin(angle);
    }
    return result;
}

namespace {

// A block whose matrices are on the device as long as this lives.
class BlockVisit {
 public:
    BlockVisit(backend::WeightStream* stream, std::int64_t layer)
        : m_stream(stream), m_layer(static_cast<int>(layer)) {
        m_status = stream == nullptr ? Status() : stream->begin(m_layer);
    }
    ~BlockVisit() {
        if (m_stream != nullptr && m_status) {
            m_stream->end(m_layer);
        }
    }
    BlockVisit(const BlockVisit&) = delete;
    BlockVisit& operator=(const BlockVisit&) = delete;
    [[nodiscard]] const Status& status() const { return m_status; }

 private:
    backend::WeightStream* m_stream;
    int m_layer;
    Status m_status;
};

}  // namespace

struct WanTransformer::Parts {
    weights::WanTransformerConfig config;
    Geometry geometry;
    DType compute = DType::F32;
    backend::Device* device = nullptr;
    std::unique_ptr<Linear> patchEmbedding;                // C·pT·pH·pW → d
    std::unique_ptr<Linear> time1, time2, timeProjection;  // freq → d → d → 6d
    std::unique_ptr<Linear> text1, text2;                  // textDim → d → d
    std::unique_ptr<Linear> head;                          // d → pT·pH·pW·C
    std::unique_ptr<TokenMixer> mixer;
    std::vector<Block> blocks;
    OwnedTensor modulation;      // [layers, 6, d]
    OwnedTensor headModulation;  // [2, d]: shift, scale
    std::int64_t bytes = 0;
    std::vector<Linear*> linears;                   // every one above and the mixer's
    std::unique_ptr<backend::WeightStream> stream;  // of the blocks' matrices; null: they are on the device

    std::vector<float> sinusoid;  // read by the last upload
};

// What one forward() hands from stage to stage; tensors live in the arena.
struct WanTransformer::Call {
    method::RunContext& context;
    method::TokenGrid grid;
    TensorView x;               // [1, N, d] f32: the residual stream
    TensorView normed, buffer;  // [1, N, d] act: a module's input; the result of its attention
    TensorView text;            // [1, L, d] act: what its keys are made of
    std::int64_t padding;       // rows that the first of them stands for; 0: it is a token's
    TensorView modulation;      // [layers, 6, d] f32
    TensorView headModulation;  // [2, d] f32
    TensorView timeEmbedding;   // [1, d] f32
    TensorView timeProjection;  // [1, 6d] f32

    [[nodiscard]] ConstTensorView row(std::int64_t layer, Modulation which) const {
        const std::int64_t d = x.dim(2);
        return modulation.slice(0, layer, layer + 1).slice(1, which, which + 1).reshape({1, d});
    }
};

WanTransformer::WanTransformer(std::unique_ptr<Parts> parts) : m_parts(std::move(parts)) {}
WanTransformer::~WanTransformer() = default;

const VideoTransformer::Geometry& WanTransformer::geometry() const {
    return m_parts->geometry;
}
std::int64_t WanTransformer::weightBytes() const {
    return std::accumulate(m_parts->linears.begin(), m_parts->linears.end(), m_parts->bytes,
                           [](std::int64_t sum, const Linear* linear) { return sum + linear->besideBytes(); });
}
std::int64_t WanTransformer::hostBytes() const {
    return m_parts->stream ? m_parts->stream->hostBytes() : 0;
}

Status WanTransformer::setBeside(const AdapterSet& adapters, backend::Ops& ops) {
    for (Linear* linear : m_parts->linears) {
        FW_TRY(linear->setBeside(adapters, *m_parts->device, ops));
    }
    return {};
}

Result<std::unique_ptr<WanTransformer>> WanTransformer::load(const std::filesystem::path& folder,
                                                             backend::Device& device, backend::Ops& ops,
                                                             DType stored, const TransformerOptions& options) {
    const DType compute = activationType(stored);
    FW_ASSIGN(const auto whole, weights::loadTransformerConfig(folder));
    const weights::WanTransformerConfig& config = whole.dit;
    if (config.headDim % 16 != 0 || config.headDim > 512) {
        return fail(ErrorCode::Unsupported,
                    "the transformer's attention_head_dim is {}; multiples of 16 up to 512 can be computed",
                    config.headDim);
    }
    FW_ASSIGN(auto loader, WeightLoader::open(folder, "transformer", weights::tensorTable(whole), device, ops));
    loader.setMerged(options.merged);
    auto parts = std::make_unique<Parts>();
    if (options.streamBlocks) {
        auto* streams = dynamic_cast<backend::StreamsWeights*>(&device);
        if (streams == nullptr) {
            return fail(ErrorCode::Unsupported, "{} cannot keep weights in host memory", device.info().id);
        }
        FW_ASSIGN(parts->stream, streams->createWeightStream(ops));
    }
    parts->config = config;
    parts->compute = compute;
    parts->geometry = {config.inChannels, config.patchT, config.patchH,  config.patchW,
                       config.layers,     config.heads,  config.headDim, config.textDim};
    const std::string condition = "condition_embedder.";
    FW_ASSIGN(parts->patchEmbedding, loader.layer({"patch_embedding"}, kEdge));
    FW_ASSIGN(parts->time1, loader.layer({condition + "time_embedder.linear_1"}, kEdge));
    FW_ASSIGN(parts->time2, loader.layer({condition + "time_embedder.linear_2"}, kEdge));
    FW_ASSIGN(parts->timeProjection, loader.layer({condition + "time_proj"}, kEdge));
    FW_ASSIGN(parts->text1, loader.layer({condition + "text_embedder.linear_1"}, kEdge));
    FW_ASSIGN(parts->text2, loader.layer({condition + "text_embedder.linear_2"}, kEdge));
    if (whole.mate) {
        FW_ASSIGN(parts->mixer, MateMixer::create(loader, whole, compute));
    } else {
        parts->mixer = SelfAttentionMixer::create(loader, config, stored);
    }
    std::vector<std::string> tables;
    for (std::int64_t i = 0; i < config.layers; ++i) {
        loader.setStream(parts->stream.get(), i);
        FW_TRY(parts->mixer->loadLayer(loader, i));
        FW_ASSIGN(auto block, loadBlock(loader, config, i, stored));
        parts->blocks.push_back(std::move(block));
        tables.push_back(fmt::format("blocks.{}.scale_shift_table", i));
    }
    loader.setStream(nullptr, 0);
    if (parts->stream) {
        FW_TRY(parts->stream->settle());
    }
    FW_ASSIGN(parts->modulation, loader.stacked(tables, {kModulations, config.width()}));
    parts->modulation.view = parts->modulation.view.reshape({config.layers, kModulations, config.width()});
    FW_ASSIGN(parts->headModulation, loader.floats("scale_shift_table", {2, config.width()}));
    FW_ASSIGN(parts->head, loader.layer({"proj_out"}, kEdge));
    parts->linears = loader.layers();
    parts->device = &device;
    parts->bytes = loader.bytes() + (parts->stream ? parts->stream->deviceBytes() : 0);
    return std::unique_ptr<WanTransformer>(new WanTransformer(std::move(parts)));
}

// Patches as rows [C, pT, pH, pW] of a matrix: the patch convolution is a product.
void WanTransformer::embedLatents(Call& call, const ConstTensorView& latents) const {
    const auto& config = m_parts->config;
    const method::TokenGrid& grid = call.grid;
    const ArenaScope scope(call.context.arena);
    const std::int64_t values = config.inChannels * config.patchT * config.patchH * config.patchW;
    const TensorView patches = call.context.arena.take(kEdge, {1, grid.tokens(), values});
    const TensorView target = patches.reshape(
        {grid.frames, grid.height, grid.width, config.inChannels, config.patchT, config.patchH, config.patchW});
    const ConstTensorView source = latents.split(3, grid.width, config.patchW)
                                       .split(2, grid.height, config.patchH)
                                       .split(1, grid.frames, config.patchT)
                                       .permute({1, 3, 5, 0, 2, 4, 6});
    call.context.ops.copy(source, target);
    m_parts->patchEmbedding->apply(call.context, patches, call.x);
}

void WanTransformer::embedTime(Call& call, double timestep) {
    backend::Ops& ops = call.context.ops;
    const std::int64_t d = m_parts->config.width();
    const ArenaScope scope(call.context.arena);
    const auto take = [&](std::int64_t width) { return call.context.arena.take(DType::F32, {1, width}); };
    const TensorView sinusoid = take(m_parts->config.freqDim);
    const TensorView hidden = take(d);
    const TensorView activated = take(d);
    const TensorView embedding = call.timeEmbedding;
    const TensorView projection = call.timeProjection;
    m_parts->sinusoid = timestepSinusoid(timestep, m_parts->config.freqDim);
    ops.upload(ConstTensorView(m_parts->sinusoid.data(), DType::F32, sinusoid.shape()), sinusoid);
    m_parts->time1->apply(call.context, sinusoid, hidden, backend::Activation::Silu);
    m_parts->time2->apply(call.context, hidden, embedding);
    ops.silu(embedding, activated);
    m_parts->timeProjection->apply(call.context, activated, projection);
    ops.add(m_parts->modulation.view, projection.reshape({1, kModulations, d}), call.modulation);
    ops.add(m_parts->headModulation.view, embedding, call.headModulation);
}

// Where there is padding, one row of it is embedded, behind the tokens as it lies, and becomes the first.
void WanTransformer::embedText(Call& call, const TextEmbedding& text) const {
    backend::Ops& ops = call.context.ops;
    const ArenaScope scope(call.context.arena);
    const std::int64_t rows = text.keys();
    const Shape shape{rows, m_parts->config.width()};
    const TensorView hidden = call.context.arena.take(kEdge, shape);
    const TensorView embedded = call.context.arena.take(kEdge, shape);
    m_parts->text1->apply(call.context, text.rows.slice(0, 0, rows), hidden, backend::Activation::GeluTanh);
    m_parts->text2->apply(call.context, hidden, embedded);
    const TensorView keys = call.text.reshape(shape);
    const std::int64_t first = rows - text.tokens;
    ops.copy(embedded.slice(0, 0, text.tokens), keys.slice(0, first, rows));
    if (first > 0) {
        ops.copy(embedded.slice(0, text.tokens, rows), keys.slice(0, 0, first));
    }
}

// Keys and values of the text for one layer, [1, L, 2d].
void WanTransformer::computeTextKeys(Call& call, std::int64_t layer, const TensorView& keys) const {
    const auto& config = m_parts->config;
    const CrossAttention& attention = m_parts->blocks[static_cast<std::size_t>(layer)].cross;
    const TensorView k = keys.slice(2, 0, config.width());
    attention.kv->apply(call.context, call.text, keys);
    call.context.ops.rmsNormRope(k, attention.normK.view, static_cast<float>(config.eps), std::nullopt,
                                 config.headDim, k);
}

// The text for all blocks: every layer's keys and values where they are kept, otherwise what each computes them
// from.
Status WanTransformer::prepareTextKeys(Call& call, const TextEmbedding& text) const {
    method::TextKeys* kept = call.context.textKeys;
    if (kept == nullptr) {
        embedText(call, text);
        return {};
    }
    if (kept->ready) {
        return {};
    }
    FW_CHECK(kept->values.shape() == textKeys(text.keys()).shape, "text keys {}", kept->values.text());
    const std::int64_t before = call.context.ops.cost().flops;
    embedText(call, text);
    for (std::int64_t layer = 0; layer < m_parts->config.layers; ++layer) {
        const BlockVisit visit(m_parts->stream.get(), layer);
        FW_TRY(visit.status());
        computeTextKeys(call, layer, kept->values.slice(0, layer, layer + 1));
    }
    kept->ready = true;
    kept->flops = call.context.ops.cost().flops - before;
    return {};
}

Status WanTransformer::selfAttention(Call& call, std::int64_t layer, const TensorView& delta) const {
    const MixerCall request{.context = call.context,
                            .grid = call.grid,
                            .layer = layer,
                            .x = call.x,
                            .scale = call.row(layer, kScale),
                            .shift = call.row(layer, kShift),
                            .normed = call.normed,
                            .buffer = call.buffer};
    return m_parts->mixer->mix(request, delta);
}

Status WanTransformer::crossAttention(Call& call, std::int64_t layer, const TensorView& delta,
                                      const backend::GatedDelta& added) const {
    const auto& config = m_parts->config;
    const Block& block = m_parts->blocks[static_cast<std::size_t>(layer)];
    const auto eps = static_cast<float>(config.eps);
    const std::int64_t d = config.width();
    backend::Ops& ops = call.context.ops;
    const ArenaScope scope(call.context.arena);
    const TensorView q = call.context.arena.take(m_parts->compute, call.normed.shape());
    const auto heads = [&](const TensorView& view) { return view.split(2, config.heads, config.headDim); };

    if (config.crossAttnNorm) {
        ops.layerNorm(call.x, block.crossNormWeight.view, block.crossNormBias.view, eps, call.normed, added);
    } else {
        FW_CHECK(added.delta.isNone(), "layer {} reads its stream as it is", layer);
        ops.copy(call.x, call.normed);
    }
    block.cross.q->apply(call.context, call.normed, q);
    ops.rmsNormRope(q, block.cross.normQ.view, eps, std::nullopt, config.headDim, q);
    TensorView keys;
    if (const method::TextKeys* kept = call.context.textKeys) {
        keys = kept->values.slice(0, layer, layer + 1);
    } else {
        keys = call.context.arena.take(m_parts->compute, {1, call.text.dim(1), 2 * d});
        computeTextKeys(call, layer, keys);
    }
    const float scale = 1.0F / std::sqrt(static_cast<float>(config.headDim));
    const float padding = static_cast<float>(std::max<std::int64_t>(call.padding, 1));
    ops.attention(heads(q), heads(keys.slice(2, 0, d)), heads(keys.slice(2, d, 2 * d)), heads(call.buffer),
                  {.scale = scale, .bias = {}, .firstKeyWeight = padding});
    if (call.context.probes != nullptr) {
        const method::TextAttention seen{.q = heads(q),
                                         .k = heads(keys.slice(2, 0, d)),
                                         .options = {.scale = scale, .firstKeyWeight = padding},
                                         .firstToken = call.padding > 0 ? 1 : 0};
        FW_TRY(call.context.probes->crossAttention(call.context, static_cast<int>(layer), seen));
    }
    block.cross.out->apply(call.context, call.buffer, delta);
    return {};
}

void WanTransformer::feedForward(Call& call, std::int64_t layer, const TensorView& delta) const {
    const Block& block = m_parts->blocks[static_cast<std::size_t>(layer)];
    backend::Ops& ops = call.context.ops;
    const ArenaScope scope(call.context.arena);
    const TensorView hidden =
        call.context.arena.take(m_parts->compute, {1, call.grid.tokens(), m_parts->config.ffnDim});
    ops.layerNormModulate(call.x, call.row(layer, kFeedScale), call.row(layer, kFeedShift),
                          static_cast<float>(m_parts->config.eps), call.normed);
    block.feedIn->apply(call.context, call.normed, hidden, backend::Activation::GeluTanh);
    block.feedOut->apply(call.context, hidden, delta);
}

// Each token's row is [pT, pH, pW, C]; unfolded into [C, T, H, W].
void WanTransformer::project(Call& call, const TensorView& velocity) const {
    const auto& config = m_parts->config;
    const method::TokenGrid& grid = call.grid;
    backend::Ops& ops = call.context.ops;
    const ModuleScope timed(call.context, Module::Output);
    const ArenaScope scope(call.context.arena);
    const std::int64_t values = config.outChannels * config.patchT * config.patchH * config.patchW;
    const TensorView rows = call.context.arena.take(DType::F32, {1, grid.tokens(), values});
    const TensorView normed = call.context.arena.take(kEdge, call.x.shape());
    ops.layerNormModulate(call.x, call.headModulation.slice(0, 1, 2), call.headModulation.slice(0, 0, 1),
                          static_cast<float>(config.eps), normed);
    m_parts->head->apply(call.context, normed, rows);
    const ConstTensorView source = rows.reshape({grid.frames, grid.height, grid.width, config.patchT, config.patchH,
                                                 config.patchW, config.outChannels})
                                       .permute({6, 0, 3, 1, 4, 2, 5});
    const TensorView target = velocity.split(3, grid.width, config.patchW)
                                  .split(2, grid.height, config.patchH)
                                  .split(1, grid.frames, config.patchT);
    ops.copy(source, target);
}

namespace {

// Whether what a cache puts in the place of all blocks is to be compared with what they give.
bool comparesStandIns(const method::RunContext& context) {
    return context.cache != nullptr && context.probes != nullptr && context.probes->wantsStandIns(context, -1);
}

}  // namespace

Status WanTransformer::forward(method::RunContext& context, const ConstTensorView& latents, double timestep,
                               const TextEmbedding& text, const TensorView& velocity) {
    const auto& config = m_parts->config;
    FW_CHECK(latents.rank() == 4 && latents.dim(0) == config.inChannels && latents.dim(1) % config.patchT == 0 &&
                 latents.dim(2) % config.patchH == 0 && latents.dim(3) % config.patchW == 0,
             "latents {}", latents.text());
    FW_CHECK(text.rows.rank() == 2 && text.rows.dim(1) == config.textDim && text.padding() >= 0,
             "{} tokens of text {}", text.tokens, text.rows.text());
    FW_CHECK(velocity.shape() == latents.shape(), "velocity {} of latents {}", velocity.text(), latents.text());
    const method::TokenGrid grid{latents.dim(1) / config.patchT, latents.dim(2) / config.patchH,
                                 latents.dim(3) / config.patchW};
    if (context.cache != nullptr) {
        FW_ASSIGN(const bool replaced, context.cache->replacePass(context, latents, velocity));
        if (replaced) {
            if (comparesStandIns(context)) {
                FW_TRY(comparePass(context, latents, timestep, text, velocity));
            }
            return context.ops.synchronize();
        }
    }
    FW_TRY(m_parts->mixer->prepare(context.ops, grid));

    const ArenaScope scope(context.arena);
    const Shape stream{1, grid.tokens(), config.width()};
    // Rules that depend on data answer a forecast with "compute". What a comparison with their answers would hold
    // beside the blocks counts all the same: the residual stream, or the pass.
    if (context.ops.deviceKind() == DeviceKind::Meta && comparesStandIns(context)) {
        static_cast<void>(context.arena.take(DType::F32, {std::max(stream.product(), velocity.count())}));
    }
    Call call{context,
              grid,
              context.arena.take(DType::F32, stream),
              context.arena.take(m_parts->compute, stream),
              context.arena.take(m_parts->compute, stream),
              context.arena.take(m_parts->compute, {1, text.keys(), config.width()}),
              text.padding(),
              context.arena.take(DType::F32, {config.layers, kModulations, config.width()}),
              context.arena.take(DType::F32, {2, config.width()}),
              context.arena.take(DType::F32, {1, config.width()}),
              context.arena.take(DType::F32, {1, kModulations * config.width()})};
    Status status;
    {
        const ModuleScope timed(context, Module::Embeddings);
        embedLatents(call, latents);
        embedTime(call, timestep);
        status = prepareTextKeys(call, text);
    }
    if (status) {
        status = runBlocks(call);
    }
    if (status) {
        project(call, velocity);
    }
    if (status && context.cache != nullptr) {
        status = context.cache->passDone(context, latents, velocity);
    }
    Status finished = context.ops.synchronize();  // also: the sinusoid's host memory may be reused from here on
    return status ? finished : status;
}

// The pass computed although the step cache filled `velocity`.
Status WanTransformer::comparePass(method::RunContext& context, const ConstTensorView& latents, double timestep,
                                   const TextEmbedding& text, const TensorView& velocity) {
    const method::ProbeScope scope(context, -1);
    const ArenaScope memory(context.arena);
    const TensorView computed = context.arena.take(DType::F32, velocity.shape());
    {
        const method::Aside aside(context);
        FW_TRY(forward(context, latents, timestep, text, computed));
    }
    return context.probes->standInSeen(context, Module::Blocks, -1, velocity, computed);
}

WanTransformer::TextKeysLayout WanTransformer::textKeys(std::int64_t keys) const {
    return {m_parts->compute, {m_parts->config.layers, keys, 2 * m_parts->config.width()}};
}

std::vector<cache::SiteKind> WanTransformer::siteKinds() const {
    return {cache::SiteKind::SelfAttention, cache::SiteKind::CrossAttention, cache::SiteKind::FeedForward};
}

namespace {

struct BlockModule {
    cache::SiteKind kind;
    Module module;
    std::optional<Modulation> gate;  // none: added as it is
};
constexpr BlockModule kBlockModules[] = {{cache::SiteKind::SelfAttention, Module::SelfAttention, kGate},
                                         {cache::SiteKind::CrossAttention, Module::CrossAttention, std::nullopt},
                                         {cache::SiteKind::FeedForward, Module::FeedForward, kFeedGate}};

}  // namespace

Status WanTransformer::computeModule(Call& call, cache::SiteKind kind, std::int64_t layer, const TensorView& delta,
                                     const backend::GatedDelta& added) const {
    switch (kind) {
        case cache::SiteKind::CrossAttention:
            return crossAttention(call, layer, delta, added);
        case cache::SiteKind::FeedForward:
            feedForward(call, layer, delta);
            return {};
        default:
            return selfAttention(call, layer, delta);
    }
}

// What a probe of the cache's errors costs: the module, computed although something stands in for it.
Status WanTransformer::compareStandIn(Call& call, cache::SiteKind kind, std::int64_t layer,
                                      const ConstTensorView& standIn) const {
    method::RunContext& context = call.context;
    const method::ProbeScope scope(context, static_cast<int>(layer));
    const ArenaScope memory(context.arena);
    const TensorView delta = context.arena.take(m_parts->compute, call.x.shape());
    {
        const method::Aside aside(context);
        FW_TRY(computeModule(call, kind, layer, delta));
    }
    const auto* const part = std::find_if(std::begin(kBlockModules), std::end(kBlockModules),
                                          [&](const BlockModule& module) { return module.kind == kind; });
    return context.probes->standInSeen(context, part->module, static_cast<int>(layer), standIn, delta);
}

// The same for all blocks from `first` on: `before` is what they started from, call.x what the cache left there.
Status WanTransformer::compareBlocks(Call& call, std::int64_t first, const TensorView& before) const {
    method::RunContext& context = call.context;
    const method::ProbeScope scope(context, -1);
    {
        const method::Aside aside(context);
        Call computed = call;
        computed.x = before;
        for (std::int64_t layer = first; layer < m_parts->config.layers; ++layer) {
            FW_TRY(context.cancel.check());
            const BlockVisit visit(m_parts->stream.get(), layer);
            FW_TRY(visit.status());
            FW_TRY(runBlock(computed, layer));
        }
    }
    return context.probes->standInSeen(context, Module::Blocks, -1, call.x, before);
}

// A copy of the residual stream where a cache's answer is to be compared with the truth; none elsewhere.
TensorView WanTransformer::copyForComparison(const Call& call) const {
    const method::RunContext& context = call.context;
    if (!comparesStandIns(context)) {
        return {};
    }
    const TensorView copy = call.context.arena.take(DType::F32, call.x.shape());
    call.context.ops.copy(call.x, copy);
    return copy;
}

// Each module's output, computed or from the cache, goes into the residual stream through the gate of this step.
// Self-attention's own waits for that of cross-attention where that only reads a norm of the stream, which can be
// taken of the sum: both then go in together, on CUDA with one pass over it.
Status WanTransformer::runBlock(Call& call, std::int64_t layer) const {
    method::RunContext& context = call.context;
    std::optional<ArenaScope> waitingMemory(std::in_place, context.arena);  // until what waits has gone in
    backend::GatedDelta waiting;
    const auto addWaiting = [&] {
        if (!waiting.delta.isNone()) {
            context.ops.gatedAdd(call.x, waiting.delta, waiting.gate);
            waiting = {};
        }
    };
    for (const BlockModule& part : kBlockModules) {
        const cache::Site site{part.kind, static_cast<int>(layer)};
        const ConstTensorView gate = part.gate ? call.row(layer, *part.gate) : ConstTensorView();
        ModuleScope timed(context, part.module, site.layer);
        const bool waits = part.kind == cache::SiteKind::SelfAttention && m_parts->config.crossAttnNorm;
        if (part.kind == cache::SiteKind::FeedForward) {
            waitingMemory.reset();
        }
        std::optional<ArenaScope> scope(std::in_place, context.arena);
        if (context.cache != nullptr) {
            const cache::Replacement kept = context.cache->replaceSite(context, site);
            if (!kept.output.isNone()) {
                addWaiting();
                timed.mark(kept.source);
                if (context.probes != nullptr && context.probes->wantsStandIns(context, site.layer)) {
                    FW_TRY(compareStandIn(call, part.kind, layer, kept.output));
                }
                context.ops.gatedAdd(call.x, kept.output, gate);
                continue;
            }
        }
        if (waits) {
            scope.reset();  // its output outlives it
        }
        const TensorView delta = context.arena.take(m_parts->compute, call.x.shape());
        if (waits) {
            scope.emplace(context.arena);
        }
        FW_TRY(computeModule(call, part.kind, layer, delta, waiting));
        if (context.probes != nullptr) {
            FW_TRY(context.probes->moduleDone(context, part.module, site.layer, delta));
        }
        addWaiting();
        if (waits) {
            waiting = {delta, gate};
        } else {
            context.ops.gatedAdd(call.x, delta, gate);
        }
        if (context.cache != nullptr) {
            FW_TRY(context.cache->siteDone(context, site, delta));
        }
    }
    return {};
}

Status WanTransformer::runBlocks(Call& call) const {
    method::RunContext& context = call.context;
    if (context.cache != nullptr) {
        const ArenaScope scope(context.arena);
        const TensorView before = copyForComparison(call);
        FW_ASSIGN(const bool replaced,
                  context.cache->replaceBlocks(context, {call.x, call.timeEmbedding, call.timeProjection}));
        if (replaced) {
            return before.isNone() ? Status() : compareBlocks(call, 0, before);
        }
    }
    for (std::int64_t layer = 0; layer < m_parts->config.layers; ++layer) {
        FW_TRY(context.cancel.check());
        {
            const BlockVisit visit(m_parts->stream.get(), layer);
            FW_TRY(visit.status());
            FW_TRY(runBlock(call, layer));
        }
        if (context.cache != nullptr) {
            const ArenaScope scope(context.arena);
            const TensorView before = copyForComparison(call);
            FW_ASSIGN(const bool replaced, context.cache->replaceRest(context, static_cast<int>(layer), call.x));
            if (replaced) {
                return before.isNone() ? Status() : compareBlocks(call, layer + 1, before);
            }
        }
    }
    return context.cache == nullptr ? Status() : context.cache->blocksDone(context, call.x);
}

Result<std::unique_ptr<VideoTransformer>> loadTransformer(const std::filesystem::path& folder,
                                                          backend::Device& device, backend::Ops& ops, DType stored,
                                                          const TransformerOptions& options) {
    return WanTransformer::load(folder, device, ops, stored, options);
}

}  // namespace fw::model
