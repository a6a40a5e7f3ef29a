// The parts of one model on one device.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/cache/constants.h"
#include "core/job/plan.h"
#include "core/model/video_model.h"
#include "core/pipeline/memory_choice.h"
#include "core/pipeline/sampler.h"

namespace fw::pipeline {

// What the parts say of themselves, known also while they are not on the device.
struct ModelShapes {
    model::VideoTransformer::Geometry transformer;
    model::VideoTransformer::TextKeysLayout textKeys;  // of a text of the tokenizer's full length
    std::vector<cache::SiteKind> siteKinds;
    model::VideoVae::Geometry vae;
    std::int64_t textWidth = 0;
};

// Members are destroyed from the last to the first: models before the queue, the queue before the device.
struct ModelParts {
    std::filesystem::path folder;
    std::unique_ptr<backend::Device> device;
    std::unique_ptr<backend::Ops> ops;
    DType dtype = DType::F32;  // F8E4M3: the transformer's blocks in fp8, everything else in bf16
    std::shared_ptr<const model::Tokenizer> tokenizer;
    ModelShapes shapes;
    // Null while they are not on the device.
    std::unique_ptr<model::TextEncoder> textEncoder;
    std::unique_ptr<model::VideoTransformer> transformer;
    std::unique_ptr<model::VideoVae> vae;
    std::unique_ptr<method::MethodWeights> methodWeights;  // of the run's attention method; may be null
    std::vector<job::Adapter> adapters;                    // of the run
    job::LoraUse lora = job::LoraUse::Merged;              // what those with LoRA weights do
    std::string adapterHash;                               // of all of these
    std::string mergedHash;           // of those merged into the transformer when it is loaded; empty: none
    bool streamBlocks = false;        // the transformer is loaded so that its blocks visit the device
    SamplerOptions sampler;           // what the model's scheduler says; a request adds kind, steps and shift
    cache::Constants cacheConstants;  // what step caches know of the model

    // On the device now.
    [[nodiscard]] PartBytes partBytes() const {
        return {textEncoder == nullptr ? 0 : textEncoder->weightBytes(),
                transformer == nullptr ? 0 : transformer->weightBytes(), vae == nullptr ? 0 : vae->weightBytes()};
    }
    // They stay for the whole run, whichever parts come and go.
    [[nodiscard]] std::int64_t methodBytes() const { return methodWeights == nullptr ? 0 : methodWeights->bytes; }
    [[nodiscard]] std::int64_t weightBytes() const { return partBytes().of({true, true, true}) + methodBytes(); }
};

// "auto" (what the device prefers), "f32", "bf16" or "fp8". Unsupported when the device cannot compute with it.
[[nodiscard]] Result<DType> chooseDType(const std::string& dtype, const backend::DeviceInfo& info);

// Loads every part of the model in `folder` onto `device`. BadModel, OutOfMemory or Cancelled (asked between
// parts).
[[nodiscard]] Result<ModelParts> loadParts(const std::filesystem::path& folder,
                                           std::unique_ptr<backend::Device> device, DType dtype, int threads,
                                           const CancelToken& cancel);

// The model of `meta` on a device, none of its parts loaded.
[[nodiscard]] Result<ModelParts> openParts(const ModelParts& meta, std::unique_ptr<backend::Device> device,
                                           int threads);
// Frees the parts that are not among `kept`.
void dropParts(ModelParts& parts, const job::ModelPartSet& kept);
// Loads what of `wanted` is not there. BadModel, OutOfMemory or Cancelled (asked between parts).
[[nodiscard]] Status bringParts(ModelParts& parts, const job::ModelPartSet& wanted, const CancelToken& cancel);

// The request with the model's own adapter for its method, <model>/adapters/<method>.safetensors, when the method
// wants trained weights, that file is there, and the request names no adapter.
[[nodiscard]] job::GenerationRequest withOwnAdapter(job::GenerationRequest request,
                                                    const std::filesystem::path& folder);

// Brings the parts to the adapters of a request: drops the transformer when others are to be merged into it than
// were, sets what is computed beside it, and loads the weights of the method. BadModel as AdapterSet::open(), and
// then the parts stay as they were, without the method's weights; OutOfMemory, and then the transformer may be
// gone.
[[nodiscard]] Status useAdapters(ModelParts& parts, const std::filesystem::path& folder,
                                 const job::GenerationRequest& request);

}  // namespace fw::pipeline
