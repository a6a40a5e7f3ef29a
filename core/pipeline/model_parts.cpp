#include "core/pipeline/model_parts.h"

#include "core/weights/model_config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/job/what_if.h"
#include "core/method/attention_method.h"
#include "core/model/adapter.h"
#include "core/pipeline/check_method.h"

namespace fw::pipeline {

Result<DType> chooseDType(const std::string& dtype, const backend::DeviceInfo& info) {
    if (dtype == "auto") {
        return info.preferredDType;
    }
    const auto wanted = dtypeFromName(dtype);
    const auto& offered = info.computeDTypes;
    if (wanted == DType::F8E4M3 && info.fp8) {
        return *wanted;
    }
    if (!wanted || std::find(offered.begin(), offered.end(), *wanted) == offered.end()) {
        std::vector<std::string_view> names;
        for (const DType known : offered) {
            names.push_back(dtypeName(known));
        }
        if (info.fp8) {
            names.push_back(dtypeName(DType::F8E4M3));
        }
        const bool slow = info.kind == DeviceKind::Cpu && wanted == DType::BF16;
        return fail(ErrorCode::Unsupported, "{} ({}) cannot compute in {}{}; it offers {}", info.id, info.name,
                    dtype, slow ? ", which without AMX would be slower than f32" : "", fmt::join(names, ", "));
    }
    return *wanted;
}

namespace {

Result<SamplerOptions> samplerDefaults(const std::filesystem::path& folder) {
    FW_ASSIGN(const weights::SchedulerConfig scheduler, weights::loadSchedulerConfig(folder));
    SamplerOptions options;
    options.trainTimesteps = static_cast<int>(scheduler.numTrainTimesteps);
    if (scheduler.className == "UniPCMultistepScheduler") {
        options.solverOrder = static_cast<int>(scheduler.solverOrder);
        options.lowerOrderFinal = scheduler.lowerOrderFinal;
    }
    return options;
}

}  // namespace

Result<ModelParts> loadParts(const std::filesystem::path& folder, std::unique_ptr<backend::Device> device,
                             DType dtype, int threads, const CancelToken& cancel) {
    ModelParts parts;
    parts.folder = folder;
    parts.dtype = dtype;
    parts.device = std::move(device);
    FW_ASSIGN(parts.ops, parts.device->createOps({.threads = threads}));
    FW_ASSIGN(parts.tokenizer, model::loadTokenizer(folder));
    FW_TRY(bringParts(parts, {true, true, true}, cancel));
    parts.shapes = {parts.transformer->geometry(), parts.transformer->textKeys(parts.tokenizer->maxTokens()),
                    parts.transformer->siteKinds(), parts.vae->geometry(), parts.textEncoder->width()};
    const auto& geometry = parts.shapes.transformer;
    if (parts.shapes.textWidth != geometry.textWidth) {
        return fail(ErrorCode::BadModel, "{}: the text encoder is {} wide, the transformer expects {}",
                    folder.string(), parts.shapes.textWidth, geometry.textWidth);
    }
    if (parts.shapes.vae.latentChannels != geometry.latentChannels) {
        return fail(ErrorCode::BadModel, "{}: the VAE has {} latent channels, the transformer {}", folder.string(),
                    parts.shapes.vae.latentChannels, geometry.latentChannels);
    }
    FW_ASSIGN(parts.sampler, samplerDefaults(folder));
    parts.cacheConstants = cache::findConstants(folder, geometry.layers, geometry.heads * geometry.headDim);
    return parts;
}

Result<ModelParts> openParts(const ModelParts& meta, std::unique_ptr<backend::Device> device, int threads) {
    ModelParts parts;
    parts.folder = meta.folder;
    parts.dtype = meta.dtype;
    parts.device = std::move(device);
    FW_ASSIGN(parts.ops, parts.device->createOps({.threads = threads}));
    parts.tokenizer = meta.tokenizer;
    parts.shapes = meta.shapes;
    parts.sampler = meta.sampler;
    parts.cacheConstants = meta.cacheConstants;
    return parts;
}

void dropParts(ModelParts& parts, const job::ModelPartSet& kept) {
    if (!kept.textEncoder) {
        parts.textEncoder.reset();
    }
    if (!kept.transformer) {
        parts.transformer.reset();
    }
    if (!kept.autoEncoder) {
        parts.vae.reset();
    }
}

Status bringParts(ModelParts& parts, const job::ModelPartSet& wanted, const CancelToken& cancel) {
    backend::Device& device = *parts.device;
    if (wanted.textEncoder && parts.textEncoder == nullptr) {
        FW_TRY(cancel.check());
        FW_ASSIGN(parts.textEncoder,
                  model::loadTextEncoder(parts.folder, device, *parts.ops, activationType(parts.dtype)));
    }
    if (wanted.transformer && parts.transformer == nullptr) {
        FW_TRY(cancel.check());
        FW_ASSIGN(const auto adapters, model::AdapterSet::open(parts.adapters, parts.folder));
        if (adapters.hash() != parts.adapterHash) {
            return fail(ErrorCode::Io, "an adapter's file changed while it was in use; start the clip again");
        }
        model::TransformerOptions options;
        const bool apart = parts.lora == job::LoraUse::Apart;
        options.merged = adapters.isEmpty() || apart ? nullptr : &adapters;
        options.streamBlocks = parts.streamBlocks;
        FW_ASSIGN(auto transformer, model::loadTransformer(parts.folder, device, *parts.ops, parts.dtype, options));
        if (apart) {
            FW_TRY(transformer->setBeside(adapters, *parts.ops));
        }
        parts.transformer = std::move(transformer);
    }
    if (wanted.autoEncoder && parts.vae == nullptr) {
        FW_TRY(cancel.check());
        FW_ASSIGN(parts.vae, model::loadVae(parts.folder, device, *parts.ops, activationType(parts.dtype)));
    }
    return cancel.check();
}

Status checkMethod(const model::ModelInfo& info, const job::GenerationRequest& request) {
    if (info.family == "lingen" && request.method != "dense") {
        return fail(ErrorCode::InvalidArgument,
                    "the model {} has LinGen's blocks in the place of self-attention: the attention method {} does "
                    "not apply to it; leave the method at dense",
                    info.name, request.method);
    }
    FW_ASSIGN(const job::WhatIf whatIf, job::whatIfOf(request));
    if (job::hasMasks(whatIf) && (info.family == "lingen" || request.method == "linear")) {
        return fail(
            ErrorCode::InvalidArgument,
            "{} has no masks that could be painted; leave them out of what_if, or branch from a run without",
            info.family == "lingen" ? "the model " + info.name : "the attention method " + request.method);
    }
    return {};
}

job::GenerationRequest withOwnAdapter(job::GenerationRequest request, const std::filesystem::path& folder) {
    const auto entry = method::findAttentionMethod(request.method);
    const auto own = folder / "adapters" / (request.method + ".safetensors");
    std::error_code error;
    if (request.adapters.empty() && entry && !(*entry)->needs.empty() && std::filesystem::exists(own, error)) {
        request.adapters.push_back({own.string(), 1.0});
    }
    return request;
}

Status useAdapters(ModelParts& parts, const std::filesystem::path& folder, const job::GenerationRequest& request) {
    FW_ASSIGN(const method::MethodEntry* entry, method::findAttentionMethod(request.method));
    FW_ASSIGN(const auto set, model::AdapterSet::open(request.adapters, folder));
    parts.methodWeights.reset();  // two sets of them are in no forecast
    FW_ASSIGN(parts.methodWeights,
              set.methodWeights(*entry, {*parts.device, *parts.ops, activationType(parts.dtype)}));
    // Of equal files the request's: they are read again when the transformer is.
    parts.adapters = request.adapters;
    if (set.hash() == parts.adapterHash && request.lora == parts.lora) {
        return {};
    }
    const bool apart = request.lora == job::LoraUse::Apart;
    const std::string merged = apart || !set.hasLora() ? "" : set.hash();
    if (merged != std::exchange(parts.mergedHash, merged)) {
        parts.transformer.reset();  // two of them need not fit
    }
    parts.lora = request.lora;
    parts.adapterHash = set.hash();
    if (parts.transformer != nullptr) {
        const model::AdapterSet none;
        Status done = parts.transformer->setBeside(apart ? set : none, *parts.ops);
        if (!done) {
            parts.transformer.reset();
        }
        return done;
    }
    return {};
}

}  // namespace fw::pipeline
