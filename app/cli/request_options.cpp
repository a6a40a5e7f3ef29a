#include "app/cli/request_options.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <utility>

#include "core/job/clip_metadata.h"
#include "core/job/memory_size.h"
#include "core/job/probe_selection.h"
#include "core/job/what_if.h"

namespace fw::cli {

namespace {

// CLI11 would let "-1" wrap around.
Result<std::uint64_t> seedFromText(const std::string& text) {
    std::uint64_t seed = 0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, seed);
    if (code != std::errc{} || stop != end) {
        return fail(ErrorCode::InvalidArgument, "seed '{}' is not a whole number from 0 to {}", text,
                    std::numeric_limits<std::uint64_t>::max());
    }
    return seed;
}

}  // namespace

Result<job::Adapter> adapterFromText(const std::string& text) {
    const std::size_t at = text.rfind('@');
    if (at == std::string::npos || at + 1 == text.size()) {
        return job::Adapter{text, 1.0};
    }
    double strength = 0.0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data() + at + 1, end, strength);
    if (code != std::errc{} || stop != end) {
        return job::Adapter{text, 1.0};
    }
    return job::Adapter{text.substr(0, at), strength};
}

Status addSetting(Json& parameters, std::string_view option, const std::string& setting) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
        return fail(ErrorCode::InvalidArgument, "{} takes NAME=VALUE, got '{}'", option, setting);
    }
    const std::string text = setting.substr(equals + 1);
    auto value = job::parseUntrustedJson(text);
    parameters[setting.substr(0, equals)] = value ? std::move(*value) : Json(text);
    return {};
}

void RequestOptions::addTo(CLI::App& command, const std::string& defaultPrompt) {
    m_request.prompt = defaultPrompt;
    auto* prompt = command.add_option("prompt", m_request.prompt, "What the clip shows");
    if (defaultPrompt.empty()) {
        prompt->required();
    }
    command
        .add_option("--model", m_request.model, "Model folder in the diffusers layout (default: the embedded one)")
        ->type_name("DIR");
    command.add_option("--negative", m_request.negativePrompt, "What to keep away from")->type_name("TEXT");
    command.add_option("--width", m_request.width,
                       "Pixels, a multiple of the model's patch (default: the model's)");
    command.add_option("--height", m_request.height, "Pixels");
    command.add_option("--frames", m_request.frames, "4k + 1");
    command.add_option("--fps", m_rate, "Frames per second: 12, 23.976 or 30000/1001")->type_name("RATE");
    command.add_option("--steps", m_request.steps, "Denoising steps");
    command.add_option("--guidance", m_request.guidance,
                       "Classifier-free guidance; 1 switches it off and halves the work");
    command.add_option("--shift", m_request.shift, "Flow shift of the sigma schedule");
    command.add_option("--seed", m_seed, "Same seed, same noise, on every machine (default: drawn)")
        ->type_name("UINT");
    command.add_option("--sampler", m_sampler, "unipc or euler")->type_name("NAME")->capture_default_str();
    command.add_option("--device", m_request.device, "auto, cpu, …: see fw doctor")->capture_default_str();
    command.add_option("--threads", m_request.threads, "CPU threads; 0: all")->capture_default_str();
    command
        .add_option("--dtype", m_request.dtype,
                    "auto, f32, bf16 or fp8 (GPUs of compute capability 9.0: faster, less exact)")
        ->capture_default_str();
    command
        .add_option("--memory-budget", m_memoryBudget,
                    "Device memory the run may use, such as 8G; less takes longer (default: what is free)")
        ->type_name("SIZE");
    command.add_option("--method", m_request.method, "Attention method: see fw methods")
        ->type_name("ID")
        ->capture_default_str();
    command
        .add_option("--adapter", m_adapters,
                    "LoRA file, or the weights an attention method was trained with; repeatable, with a strength "
                    "as FILE@0.8")
        ->type_name("FILE");
    command
        .add_option(
            "--lora", m_lora,
            "merged: into the model while it is loaded, no cost per step; apart: computed beside it, so that "
            "strengths change without loading it again and small changes are not rounded away")
        ->type_name("USE")
        ->capture_default_str();
    command.add_option("--set", m_settings, "Parameter of the attention method, repeatable")
        ->type_name("NAME=VALUE");
    command.add_option("--cache", m_request.cache, "Step cache: see fw caches")
        ->type_name("ID")
        ->capture_default_str();
    command.add_option("--set-cache", m_cacheSettings, "Parameter of the step cache, repeatable")
        ->type_name("NAME=VALUE");
}

Result<job::GenerationRequest> RequestOptions::request() const {
    job::GenerationRequest request = m_request;
    FW_ASSIGN(request.sampler, job::samplerFromName(m_sampler));
    FW_ASSIGN(request.lora, job::loraUseFromName(m_lora));
    if (!m_rate.empty()) {
        FW_ASSIGN(request.frameRate, job::frameRateFromText(m_rate));
    }
    if (!m_seed.empty()) {
        FW_ASSIGN(request.seed, seedFromText(m_seed));
    }
    if (!m_memoryBudget.empty()) {
        FW_ASSIGN(request.memoryBudget, job::memorySizeFromText(m_memoryBudget));
    }
    for (const std::string& text : m_adapters) {
        FW_ASSIGN(auto adapter, adapterFromText(text));
        request.adapters.push_back(std::move(adapter));
    }
    for (const std::string& setting : m_settings) {
        FW_TRY(addSetting(request.methodParameters, "--set", setting));
    }
    for (const std::string& setting : m_cacheSettings) {
        FW_TRY(addSetting(request.cacheParameters, "--set-cache", setting));
    }
    return request;
}

void ProbeOptions::addTo(CLI::App& command) {
    command
        .add_option("--probe", m_kinds,
                    "Look inside: default, all, or of map, row, stats, mask, kept, gate, change, words, finite, "
                    "scan, error, "
                    "qk, with commas between; never changes the clip")
        ->type_name("KINDS");
    command
        .add_option("--probe-steps", m_steps,
                    "Steps to look at, such as 0,10,-1, or all (default: four spread over the run)")
        ->type_name("STEPS");
    command.add_option("--probe-layers", m_layers, "Layers to look at, such as 0,-1 (default: all)")
        ->type_name("LAYERS");
    command
        .add_option("--probe-queries", m_queries,
                    "Tokens whose attention to all others is kept exactly, such as 120,400")
        ->type_name("TOKENS");
    command
        .add_option("--probe-samples", m_samples,
                    "Queries that stand for each block of maps and statistics (default: 2); 0: all, exactly")
        ->type_name("N")
        ->check(CLI::Range(0, 1'000'000));
}

Status ProbeOptions::apply(job::GenerationRequest& request) const {
    if (given()) {
        FW_ASSIGN(request.probes, job::probeJsonFromText(m_kinds, m_steps, m_layers, m_queries));
        if (m_samples) {
            (*request.probes)["samples"] = *m_samples;
        }
    } else if (!m_steps.empty() || !m_layers.empty() || !m_queries.empty() || m_samples) {
        return fail(ErrorCode::InvalidArgument,
                    "--probe-steps, -layers, -queries and -samples say more about --probe, which is missing");
    }
    return {};
}

void WhatIfOption::addTo(CLI::App& command) {
    command
        .add_option("--what-if", m_file,
                    "Changes made by hand: masks of single heads, settings from a step on, steps at which the step "
                    "cache stands aside")
        ->type_name("FILE.json");
}

Status WhatIfOption::apply(job::GenerationRequest& request) const {
    if (m_file.empty()) {
        return {};
    }
    std::ifstream stream(m_file, std::ios::binary);
    if (!stream) {
        return fail(ErrorCode::Io, "{} cannot be opened: {}", m_file, std::strerror(errno));
    }
    const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    const Json json = job::nestsTooDeep(text) ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
    if (stream.bad() || json.is_discarded()) {
        return fail(ErrorCode::InvalidArgument, "{} is no JSON; --what-if wants a file the inspector saved",
                    m_file);
    }
    auto asked = job::whatIfFromJson(json);
    if (!asked) {
        return tl::unexpected(std::move(asked).error().within(m_file));
    }
    FW_ASSIGN(job::WhatIf earlier, job::whatIfOf(request));
    job::setWhatIf(request, job::combined(std::move(earlier), *asked));
    return {};
}

}  // namespace fw::cli
