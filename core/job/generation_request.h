// What a user asked for: a plain value that is stored, sent to the worker, embedded in the clip, and run again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::job {

// Frames per second as a rational; 12/1.
struct FrameRate {
    std::int64_t numerator = 12;
    std::int64_t denominator = 1;
    bool operator==(const FrameRate&) const = default;
};

// "12/1", as in JSON and in messages.
[[nodiscard]] std::string frameRateText(const FrameRate& rate);
// "12", "30000/1001" or "23.976" (at most three decimals). InvalidArgument for anything else.
[[nodiscard]] Result<FrameRate> frameRateFromText(std::string_view text);

enum class SamplerKind : std::uint8_t { UniPc, Euler };

// "unipc", "euler": the names on the command line and in JSON.
[[nodiscard]] std::string_view samplerName(SamplerKind kind);
[[nodiscard]] Result<SamplerKind> samplerFromName(std::string_view name);

// A file of trained changes to a model: LoRA weights, or the weights of an attention method.
struct Adapter {
    std::string file;       // safetensors
    double strength = 1.0;  // of its LoRA part
    bool operator==(const Adapter&) const = default;
};

// What LoRA weights do. Merged: they become part of the model's matrices while these are loaded, which costs a run
// nothing, but other adapters or strengths load the transformer again, and changes smaller than the precision are
// lost. Apart: the matrices stay as they are and each change is computed beside its matrix, in every pass.
enum class LoraUse : std::uint8_t { Merged, Apart };

// "merged", "apart".
[[nodiscard]] std::string_view loraUseName(LoraUse use);
[[nodiscard]] Result<LoraUse> loraUseFromName(std::string_view name);

// Fields without a value take the model's default (ModelDefaults) when the request is resolved.
struct GenerationRequest {
    std::string prompt;
    std::string negativePrompt;
    std::string model;                          // folder in the diffusers layout; empty: the embedded model
    std::optional<std::int64_t> width, height;  // pixels
    std::optional<std::int64_t> frames;         // 4k + 1
    std::optional<FrameRate> frameRate;
    std::optional<int> steps;
    std::optional<double> guidance;     // 1: no guidance, one forward pass per step
    std::optional<double> shift;        // flow shift of the sigma schedule
    std::optional<std::uint64_t> seed;  // none: drawn when the request is resolved, then recorded
    SamplerKind sampler = SamplerKind::UniPc;
    std::string device = "auto";   // auto, cpu, cuda:0 …
    std::string dtype = "auto";    // auto, f32, bf16, fp8 (GPUs; the transformer's blocks)
    int threads = 0;               // 0: all
    std::string method = "dense";  // attention method id
    Json methodParameters = Json::object();
    std::vector<Adapter> adapters;
    LoraUse lora = LoraUse::Merged;  // of the adapters' LoRA parts
    std::string cache = "none";      // step cache id
    Json cacheParameters = Json::object();
    std::optional<Json> probes;  // what to look at (probe_selection.h); never changes the clip
    std::optional<Json> whatIf;  // changes made by hand from some step on (what_if.h)
    // Bytes of the device's memory the run may use; none: what is free. Less memory costs time, and small amounts
    // make the decoder work in tiles that a larger amount would not need.
    std::optional<std::int64_t> memoryBudget;

    bool operator==(const GenerationRequest&) const = default;
};

// What a model folder prefers; from its framewright.json or from its architecture.
struct ModelDefaults {
    std::int64_t width = 832, height = 480, frames = 81;
    FrameRate frameRate{16, 1};
    int steps = 50;
    double guidance = 5.0;
    double shift = 3.0;
    std::int64_t sizeMultiple = 16;  // width and height must be multiples
    std::int64_t frameMultiple = 4;  // frames = frameMultiple · k + 1
    // Longer clips the model was trained on, too; rising, all above `frames`.
    std::vector<std::int64_t> longerFrames = {};
};

// Limits of a request. The memory a size needs is the planner's business; these only keep arithmetic sane.
inline constexpr std::int64_t kMaxPromptCharacters = 5000;  // ten times what 512 tokens hold
inline constexpr std::int64_t kMaxSide = 8192;
inline constexpr std::int64_t kMaxFrames = 4097;
inline constexpr int kMaxSteps = 1000;

// Fill every missing field and check all of them. InvalidArgument names the field, its value and what would fit.
[[nodiscard]] Result<GenerationRequest> resolve(GenerationRequest request, const ModelDefaults& defaults);

// JSON with stable keys (snake_case), `"schema": 1`. Unknown keys are refused by fromJson, missing ones keep
// defaults.
[[nodiscard]] OrderedJson toJson(const GenerationRequest& request);
[[nodiscard]] Result<GenerationRequest> requestFromJson(const Json& json);

}  // namespace fw::job
