// The parts of a text-to-video model as the pipeline sees them. Each part is loaded from its folder of a diffusers
// layout; families differ behind these interfaces.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/base/result.h"
#include "core/cache/decisions.h"
#include "core/job/generation_request.h"
#include "core/method/attention_method.h"
#include "core/method/run_context.h"

namespace fw::model {

// Splits a prompt into token ids. Thread-safe after loading.
class Tokenizer {
 public:
    virtual ~Tokenizer() = default;
    // Cleaned as the reference does (prompt_cleaning.h), end-of-sequence appended, cut to maxTokens(). No padding.
    // InvalidArgument when the text is not UTF-8.
    [[nodiscard]] virtual Result<std::vector<std::int32_t>> encode(std::string_view text) const = 0;
    // Length the text encoder's output is padded to: model_max_length of tokenizer_config.json (Wan2.1: 512).
    [[nodiscard]] virtual std::int64_t maxTokens() const = 0;
};

class TextEncoder {
 public:
    virtual ~TextEncoder() = default;
    [[nodiscard]] virtual std::int64_t width() const = 0;
    // out [maxTokens, width] f32 on the device: rows of `ids` encoded, all further rows zero.
    // On a Meta device `ids` only gives the length.
    [[nodiscard]] virtual Status encode(method::RunContext& context, std::span<const std::int32_t> ids,
                                        const TensorView& out) = 0;
    [[nodiscard]] virtual std::int64_t weightBytes() const = 0;
};

// An encoded text. Cross-attention sees its padding without a mask: rows of zeros, so keys that are all equal,
// which are computed as one that weighs as much as all of them.
struct TextEmbedding {
    TextEmbedding() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): plain rows are a text of which no row is known to be padding
    TextEmbedding(const ConstTensorView& allRows, std::int64_t tokenCount = -1)
        : rows(allRows), tokens(tokenCount < 0 ? allRows.dim(0) : tokenCount) {}

    ConstTensorView rows;     // [L, width] f32, zeros from row `tokens` on
    std::int64_t tokens = 0;  // at most L

    [[nodiscard]] std::int64_t padding() const { return rows.dim(0) - tokens; }
    // Keys of its cross-attention; where there is padding, its key is the first.
    [[nodiscard]] std::int64_t keys() const { return padding() > 0 ? tokens + 1 : tokens; }
};

class AdapterSet;

// The denoiser: predicts the flow velocity.
class VideoTransformer {
 public:
    struct Geometry {
        std::int64_t latentChannels = 16;
        std::int64_t patchT = 1, patchH = 2, patchW = 2;
        std::int64_t layers = 0, heads = 0, headDim = 0, textWidth = 0;
    };
    virtual ~VideoTransformer() = default;
    [[nodiscard]] virtual const Geometry& geometry() const = 0;
    [[nodiscard]] virtual std::int64_t weightBytes() const = 0;
    // Of the weights that wait in host memory; 0 without TransformerOptions::streamBlocks.
    [[nodiscard]] virtual std::int64_t hostBytes() const { return 0; }

    // Computes the LoRA weights of `adapters` beside the matrices from the next pass on, in the place of those that
    // were there; an empty set: none. Nothing is loaded again, and weightBytes() counts them. `ops` is a queue of
    // its device. OutOfMemory; then some may be missing.
    [[nodiscard]] virtual Status setBeside(const AdapterSet& adapters, backend::Ops& ops) = 0;

    // What TextKeys::values must be for a text with so many keys (TextEmbedding::keys()).
    struct TextKeysLayout {
        DType dtype = DType::F32;
        Shape shape;
    };
    [[nodiscard]] virtual TextKeysLayout textKeys(std::int64_t keys) const = 0;
    // The modules its blocks consist of, for step caches.
    [[nodiscard]] virtual std::vector<cache::SiteKind> siteKinds() const = 0;

    // latents, velocity [C, T, H, W] f32 (H, W multiples of the patch); text textWidth wide; timestep in [0,
    // 1000]. One sample per call. Asks context.cache what need not be computed. Checks context.cancel at
    // least once per layer.
    [[nodiscard]] virtual Status forward(method::RunContext& context, const ConstTensorView& latents,
                                         double timestep, const TextEmbedding& text,
                                         const TensorView& velocity) = 0;
};

// Receives decoded frames in order: u8 [n, H, W, 3] in host memory, borrowed for the call.
// An error stops the decoding and is passed on.
using FrameSink = std::function<Status(const ConstTensorView& frames)>;

struct VaeTiling {
    bool enabled = false;
    // In latent pixels; tiles overlap by tile - stride and are blended linearly.
    std::int64_t tile = 32, stride = 24;
    // Latent frames decoded at once, at most. Fewer need less memory and change nothing.
    std::int64_t pieceFrames = 4;
};

class VideoVae {
 public:
    struct Geometry {
        std::int64_t latentChannels = 16;
        std::int64_t spatialFactor = 8, temporalFactor = 4;
        std::vector<float> latentMean, latentStd;  // model latent = (z - mean) / std
    };
    virtual ~VideoVae() = default;
    [[nodiscard]] virtual const Geometry& geometry() const = 0;
    [[nodiscard]] virtual std::int64_t weightBytes() const = 0;

    // latents [C, T, H, W] f32 on the device, in the transformer's normalised space. 1 + (T-1)·temporalFactor
    // frames reach the sink (none on a Meta device). Checks context.cancel between chunks and layers. Streams:
    // memory does not grow with T. In tiles, device memory is one tile's and does not grow with T either, while the
    // finished clip's bytes (3 per pixel and frame) and the overlaps gather on the host: every tile sees the whole
    // clip once.
    [[nodiscard]] virtual Status decode(method::RunContext& context, const ConstTensorView& latents,
                                        const VaeTiling& tiling, const FrameSink& sink) = 0;
    // Host memory that decode() needs for latents of this shape besides what it streams; 0 unless they are decoded
    // in tiles.
    [[nodiscard]] virtual std::int64_t hostBytes(const Shape& latents, const VaeTiling& tiling) const = 0;
    // The same in floating point, for tests and metrics: out [F, H·s, W·s, 3] f32 in [-1, 1] (clamped), contiguous,
    // in host memory.
    [[nodiscard]] virtual Status decodeToFloat(method::RunContext& context, const ConstTensorView& latents,
                                               const VaeTiling& tiling, const TensorView& out) = 0;
    // frames [F, H, W, 3] f32 in [-1, 1], F = 4k+1 → mean of the posterior, normalised, [C, T, H/8, W/8] f32.
    [[nodiscard]] virtual Status encode(method::RunContext& context, const ConstTensorView& frames,
                                        const TensorView& latents) = 0;
};

// Linear map from latent channels to RGB in [-1, 1] for previews: rgb = matrix · latent + bias.
struct PreviewProjection {
    std::vector<float> matrix;  // [3, latentChannels]
    std::vector<float> bias;    // [3]
};

// What a folder is, without loading its weights: for `fw models` and the studio's picker.
struct ModelInfo {
    std::filesystem::path folder;
    std::string name;         // "mini", "Wan2.1-T2V-1.3B-Diffusers"
    std::string family;       // "wan"; empty when it is not one this program runs
    std::string description;  // one sentence from framewright.json; may be empty
    job::ModelDefaults defaults;
    std::int64_t parameters = 0;  // of transformer, autoencoder and text encoder, by their configurations
    std::int64_t bytes = 0;       // of their weight files
    std::optional<PreviewProjection> preview;
    // Everything that stands in the way of running it, one sentence each; empty: runnable.
    std::vector<std::string> problems;
};

// Reads configs, tensor tables (names, shapes, types) and the vocabulary, no weights. BadModel only when the folder
// is no model at all (it holds no model_index.json); whatever is wrong inside it becomes a problem. Defaults come
// from the optional framewright.json (keys width, height, frames, fps as 16 or "24000/1001", steps, guidance,
// shift, name, description, preview: {matrix: 3 rows of latentChannels, bias: 3}), otherwise from the architecture.
[[nodiscard]] Result<ModelInfo> inspectModel(const std::filesystem::path& folder);
// Model folders directly below each of `roots`, by name; a folder reached twice is listed once. Roots that do not
// exist hold none.
[[nodiscard]] std::vector<ModelInfo> listModels(std::span<const std::filesystem::path> roots);
// SHA-256 in lower-case hex over the configs, the vocabulary, every tensor's name, type and shape, and 256 bytes of
// every tensor: tells retrained weights apart without reading gigabytes, and does not change when weights are
// sharded differently or framewright.json is edited. BadModel when a part is missing.
[[nodiscard]] Result<std::string> modelHash(const std::filesystem::path& folder);

[[nodiscard]] Result<std::unique_ptr<Tokenizer>> loadTokenizer(const std::filesystem::path& folder);

// How a transformer is loaded.
struct TransformerOptions {
    const AdapterSet* merged = nullptr;  // LoRA that becomes part of its matrices (adapter.h)
    // The blocks' matrices wait in host memory and visit the device two blocks at a time, with the same results.
    // Unsupported where the device has no such stream (weight_stream.h).
    bool streamBlocks = false;
};

// On a Meta device nothing is read but configs and tensor tables. A transformer stored as F8E4M3 has the large
// products of its blocks and dense self-attention in fp8, all else in bf16; Unsupported where the device has no
// fp8.
[[nodiscard]] Result<std::unique_ptr<TextEncoder>> loadTextEncoder(const std::filesystem::path& folder,
                                                                   backend::Device& device, backend::Ops& ops,
                                                                   DType compute);
[[nodiscard]] Result<std::unique_ptr<VideoTransformer>> loadTransformer(const std::filesystem::path& folder,
                                                                        backend::Device& device, backend::Ops& ops,
                                                                        DType stored,
                                                                        const TransformerOptions& options = {});
[[nodiscard]] Result<std::unique_ptr<VideoVae>> loadVae(const std::filesystem::path& folder,
                                                        backend::Device& device, backend::Ops& ops, DType compute);

}  // namespace fw::model
