#include "core/pipeline/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "core/job/what_if.h"
#include "core/weights/model_config.h"
#include "core/weights/safetensors.h"

namespace fw::pipeline {

namespace {

constexpr const char* kFormat = "framewright checkpoint 1";
const std::string kCachePrefix = "cache.";

// The parts of a state that hold something after `step` steps, by name. UniPC has a history, Euler none.
std::vector<std::pair<std::string, TensorView>> partsOf(const SamplerState& state, int step) {
    std::vector<std::pair<std::string, TensorView>> parts{{"sample", state.sample}};
    if (step >= 1) {
        parts.emplace_back("estimate", state.estimate);
    }
    if (!state.corrected.isNone() && step >= 1) {
        parts.emplace_back("corrected", state.corrected);
        if (step >= 2) {
            parts.emplace_back("earlier_0", state.earlier[0]);
        }
        if (step >= 3) {
            parts.emplace_back("earlier_1", state.earlier[1]);
        }
    }
    return parts;
}

// A file that is missing, cut short or damaged is a wrong argument like one of another run: no second try makes it
// good, but the clip can be made from the beginning. What the device says stays what it is.
Error unusable(Error error) {
    if (error.code == ErrorCode::Io || error.code == ErrorCode::BadModel) {
        error.code = ErrorCode::InvalidArgument;
        error.message = fmt::format("no run can go on from this checkpoint: {}", error.message);
    }
    return error;
}

Result<std::unique_ptr<weights::SafetensorsFile>> openCheckpoint(const std::filesystem::path& path) {
    auto file = weights::SafetensorsFile::open(path);
    if (!file) {
        return tl::unexpected(unusable(std::move(file).error()));
    }
    const auto format = (*file)->metadata().find("format");
    if (format == (*file)->metadata().end() || format->second != kFormat) {
        return fail(ErrorCode::InvalidArgument, "{} is no checkpoint of this program", path.string());
    }
    return file;
}

std::string metadataText(const weights::SafetensorsFile& file, const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
}

Result<int> metadataNumber(const weights::SafetensorsFile& file, const char* key, int maximum) {
    const std::string text = metadataText(file, key);
    int value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > maximum) {
        return fail(ErrorCode::InvalidArgument, "the checkpoint {} has '{}' as its {}", file.path().string(), text,
                    key);
    }
    return value;
}

// Whoever wrote it: bounded, as in every file of unknown origin.
Result<Json> metadataJson(const weights::SafetensorsFile& file, const char* key) {
    auto json = weights::parseJsonText(metadataText(file, key));
    if (!json) {
        return fail(ErrorCode::InvalidArgument, "the checkpoint {} has a damaged {}: {}", file.path().string(), key,
                    json.error().message);
    }
    return json;
}

Result<job::GenerationRequest> requestOf(const weights::SafetensorsFile& file) {
    FW_ASSIGN(const Json json, metadataJson(file, "request"));
    return job::requestFromJson(json);
}

Status requireEqual(const weights::SafetensorsFile& file, const char* key, const std::string& expected) {
    if (metadataText(file, key) != expected) {
        return fail(ErrorCode::InvalidArgument,
                    "the checkpoint {} belongs to another run (its {} differs); start the clip from the beginning",
                    file.path().string(), key);
    }
    return {};
}

}  // namespace

std::int64_t cacheStateBytes(cache::StepCache* cache, int step) {
    std::int64_t bytes = 0;
    if (cache != nullptr && !cache->cleanBefore(step)) {
        for (const auto& [name, view] : cache->state().tensors) {
            bytes += view.bytes();
        }
    }
    return bytes;
}

Status writeCheckpoint(const std::filesystem::path& path, const CheckpointKey& key, const SamplerState& state,
                       cache::StepCache* cache, backend::Ops& ops) {
    auto parts = partsOf(state, state.step);
    Json numbers;  // null: the cache has nothing to add
    if (cache != nullptr && !cache->cleanBefore(state.step)) {
        cache::SavedState kept = cache->state();
        for (const auto& [name, view] : kept.tensors) {
            parts.emplace_back(kCachePrefix + name, view);
        }
        numbers = std::move(kept.numbers);
    }
    std::vector<std::vector<std::byte>> host;
    std::vector<std::pair<std::string, ConstTensorView>> tensors;
    for (const auto& [name, view] : parts) {
        host.emplace_back(static_cast<std::size_t>(view.bytes()));
        const TensorView copy(host.back().data(), view.dtype(), view.shape());
        ops.download(view, copy);
        tensors.emplace_back(name, copy);
    }
    FW_TRY(ops.synchronize());
    return weights::writeSafetensors(path, tensors,
                                     {{"format", kFormat},
                                      {"request", job::toJson(key.request).dump()},
                                      {"model", key.modelHash},
                                      {"dtype", key.dtype},
                                      {"step", std::to_string(state.step)},
                                      {"last_order", std::to_string(state.lastOrder)},
                                      {"cache", numbers.dump()}});
}

Result<job::GenerationRequest> checkpointRequest(const std::filesystem::path& path) {
    FW_ASSIGN(const auto file, openCheckpoint(path));
    return requestOf(*file);
}

Result<int> checkpointStep(const std::filesystem::path& path) {
    FW_ASSIGN(const auto file, openCheckpoint(path));
    return metadataNumber(*file, "step", job::kMaxSteps);
}

namespace {

// The tensor `name` of the file into `view`, on the device.
Status loadPart(const weights::SafetensorsFile& file, const std::string& name, const TensorView& view,
                backend::Ops& ops) {
    FW_ASSIGN(const ConstTensorView saved, file.tensor(name, view.shape()));
    if (saved.dtype() != view.dtype()) {
        return fail(ErrorCode::BadModel, "{} has {} as '{}'", file.path().string(), saved.text(), name);
    }
    if (Status finite = weights::checkFinite(saved, name); !finite) {
        return tl::unexpected(std::move(finite).error().within(file.path().string()));
    }
    ops.upload(saved, view);
    return {};
}

// The part of a checkpoint that is the sampler's, and the step cache's where one is given, on the device.
Status loadState(const weights::SafetensorsFile& file, int steps, SamplerState& state, cache::StepCache* cache,
                 backend::Ops& ops) {
    FW_ASSIGN(const int step, metadataNumber(file, "step", steps));
    FW_ASSIGN(const int lastOrder, metadataNumber(file, "last_order", 2));
    if (lastOrder > step || (step > 0 && lastOrder < 1)) {
        return fail(ErrorCode::InvalidArgument, "the checkpoint {} has order {} after {} steps",
                    file.path().string(), lastOrder, step);
    }
    auto parts = partsOf(state, step);
    FW_ASSIGN(const Json numbers, metadataJson(file, "cache"));
    if (cache != nullptr && !cache->cleanBefore(step)) {
        FW_TRY(cache->restore(numbers));
        for (auto& [name, view] : cache->state().tensors) {
            parts.emplace_back(kCachePrefix + name, view);
        }
    }
    for (const auto& [name, view] : parts) {
        if (Status loaded = loadPart(file, name, view, ops); !loaded) {
            return tl::unexpected(unusable(std::move(loaded).error()));
        }
    }
    FW_TRY(ops.synchronize());
    state.step = step;
    state.lastOrder = lastOrder;
    return {};
}

Status requireSameRun(const weights::SafetensorsFile& file, const CheckpointKey& key) {
    FW_TRY(requireEqual(file, "request", job::toJson(key.request).dump()));
    FW_TRY(requireEqual(file, "model", key.modelHash));
    return requireEqual(file, "dtype", key.dtype);
}

// Of a checkpoint without the step cache's part.
Status requireClean(const weights::SafetensorsFile& file, const CheckpointKey& key, const cache::StepCache* cache) {
    FW_ASSIGN(const int step, metadataNumber(file, "step", *key.request.steps));
    if (cache != nullptr && !cache->cleanBefore(step)) {
        return fail(
            ErrorCode::InvalidArgument,
            "at step {} the step cache {} wants what earlier steps left; branch from another step or without "
            "a step cache",
            step, key.request.cache);
    }
    return {};
}

// A branch begins behind the checkpoint's step: what the two requests change by hand must be the same before.
// Settings of another attention method say nothing of this one's.
Status requireLaterChanges(const weights::SafetensorsFile& file, const CheckpointKey& key,
                           const job::GenerationRequest& begun, const cache::StepCache* cache) {
    FW_ASSIGN(const int step, metadataNumber(file, "step", *key.request.steps));
    FW_ASSIGN(const job::WhatIf asked, job::whatIfOf(key.request));
    FW_ASSIGN(job::WhatIf held, job::whatIfOf(begun));
    if (begun.method != key.request.method) {
        held = job::withoutParameters(std::move(held));
    }
    if (const int first = job::firstDifference(asked, held); first < step) {
        return fail(
            ErrorCode::InvalidArgument,
            "what_if: something changes at step {}, but {} already holds the steps before {}: {}, or let it "
            "change from step {} on",
            first, file.path().string(), step,
            first == 0 ? "make the clip from its beginning" : fmt::format("branch at step {} or before", first),
            step);
    }
    const auto aside =
        std::find_if(asked.compute.begin(), asked.compute.end(), [&](int computed) { return computed >= step; });
    if (cache != nullptr && aside != asked.compute.end()) {
        return fail(
            ErrorCode::InvalidArgument,
            "what_if: at step {} the step cache {} is to stand aside, and what later steps then build on may "
            "lie before step {}, where this branch begins: make the clip from its beginning, or branch "
            "without a step cache",
            *aside, key.request.cache, step);
    }
    return {};
}

}  // namespace

Status readCheckpoint(const std::filesystem::path& path, const CheckpointKey& key, SamplerState& state,
                      cache::StepCache* cache, backend::Ops& ops) {
    FW_ASSIGN(const auto file, openCheckpoint(path));
    FW_TRY(requireSameRun(*file, key));
    return loadState(*file, *key.request.steps, state, cache, ops);
}

Status readUnchanged(const std::filesystem::path& path, const CheckpointKey& key, SamplerState& state,
                     const cache::StepCache* cache, backend::Ops& ops) {
    FW_ASSIGN(const auto file, openCheckpoint(path));
    FW_TRY(requireSameRun(*file, key));
    FW_TRY(requireClean(*file, key, cache));
    return loadState(*file, *key.request.steps, state, nullptr, ops);
}

Status readBranch(const std::filesystem::path& path, const CheckpointKey& key, SamplerState& state,
                  const cache::StepCache* cache, backend::Ops& ops) {
    FW_ASSIGN(const auto file, openCheckpoint(path));
    FW_ASSIGN(job::GenerationRequest begun, requestOf(*file));
    const job::GenerationRequest asBegun = begun;
    begun.method = key.request.method;
    begun.methodParameters = key.request.methodParameters;
    begun.adapters = key.request.adapters;
    begun.lora = key.request.lora;
    begun.cache = key.request.cache;
    begun.cacheParameters = key.request.cacheParameters;
    begun.probes = key.request.probes;
    begun.whatIf = key.request.whatIf;
    // Where it is computed, in the same number type.
    begun.device = key.request.device;
    begun.threads = key.request.threads;
    begun.memoryBudget = key.request.memoryBudget;
    if (!(begun == key.request) || !metadataText(*file, "model").starts_with(key.modelHash)) {
        return fail(
            ErrorCode::InvalidArgument,
            "a branch of {} keeps its model, prompt, seed, size, steps and sampler; only attention method, step "
            "cache and their parameters may differ",
            path.string());
    }
    FW_TRY(requireEqual(*file, "dtype", key.dtype));
    FW_TRY(requireLaterChanges(*file, key, asBegun, cache));
    FW_TRY(requireClean(*file, key, cache));
    return loadState(*file, *key.request.steps, state, nullptr, ops);
}

}  // namespace fw::pipeline
