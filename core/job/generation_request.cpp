#include "core/job/generation_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <random>

#include "core/job/probe_selection.h"
#include "core/job/utf8.h"
#include "core/job/what_if.h"

namespace fw::job {

namespace {

constexpr double kMaxStrength = 8.0;
constexpr double kMaxGuidance = 100.0;
constexpr double kMaxShift = 100.0;
constexpr double kMinRate = 1.0;
constexpr double kMaxRate = 240.0;
constexpr int kMaxThreads = 1024;

Status checkText(std::string_view name, const std::string& text) {
    const auto length = utf8Length(text);
    if (!length) {
        return fail(ErrorCode::InvalidArgument, "the {} is not valid UTF-8 text", name);
    }
    if (*length > kMaxPromptCharacters) {
        return fail(ErrorCode::InvalidArgument, "the {} has {} characters; at most {} are allowed", name, *length,
                    kMaxPromptCharacters);
    }
    return {};
}

bool isBlank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

Status checkSide(std::string_view name, std::int64_t value, std::int64_t multiple) {
    if (value <= 0 || value > kMaxSide) {
        return fail(ErrorCode::InvalidArgument, "{} is {}; it must be from {} to {}", name, value, multiple,
                    kMaxSide);
    }
    if (value % multiple != 0) {
        const std::int64_t below = value / multiple * multiple;
        if (below == 0) {
            return fail(ErrorCode::InvalidArgument, "{} {} is not a multiple of {}; use {}", name, value, multiple,
                        multiple);
        }
        return fail(ErrorCode::InvalidArgument, "{} {} is not a multiple of {}; use {} or {}", name, value,
                    multiple, below, below + multiple);
    }
    return {};
}

Status checkFrames(std::int64_t frames, std::int64_t multiple) {
    if (frames <= 0 || frames > kMaxFrames) {
        return fail(ErrorCode::InvalidArgument, "frames is {}; it must be from 1 to {}", frames, kMaxFrames);
    }
    if ((frames - 1) % multiple != 0) {
        const std::int64_t below = (frames - 1) / multiple * multiple + 1;
        return fail(ErrorCode::InvalidArgument, "frames {} is not {}k + 1; use {} or {}", frames, multiple, below,
                    below + multiple);
    }
    return {};
}

Status checkReal(std::string_view name, double value, double low, double high) {
    if (!std::isfinite(value) || value < low || value > high) {
        return fail(ErrorCode::InvalidArgument, "{} is {}; it must be a number from {} to {}", name, value, low,
                    high);
    }
    return {};
}

Status checkInteger(std::string_view name, int value, int low, int high) {
    if (value < low || value > high) {
        return fail(ErrorCode::InvalidArgument, "{} is {}; it must be from {} to {}", name, value, low, high);
    }
    return {};
}

Status checkRate(const FrameRate& rate) {
    const auto ratio = static_cast<double>(rate.numerator) / static_cast<double>(rate.denominator);
    if (rate.denominator <= 0 || rate.numerator <= 0 || rate.denominator > 1'000'000 || ratio < kMinRate ||
        ratio > kMaxRate) {
        return fail(ErrorCode::InvalidArgument, "frame rate is {}; it must be from {} to {} frames per second",
                    frameRateText(rate), kMinRate, kMaxRate);
    }
    return {};
}

void fillDefaults(GenerationRequest& request, const ModelDefaults& defaults) {
    request.width = request.width.value_or(defaults.width);
    request.height = request.height.value_or(defaults.height);
    request.frames = request.frames.value_or(defaults.frames);
    request.frameRate = request.frameRate.value_or(defaults.frameRate);
    request.steps = request.steps.value_or(defaults.steps);
    request.guidance = request.guidance.value_or(defaults.guidance);
    request.shift = request.shift.value_or(defaults.shift);
    if (!request.seed) {
        request.seed = std::random_device{}();  // 32 bits: short enough to be typed again
    }
}

bool parseInteger(std::string_view text, std::int64_t& value) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string frameRateText(const FrameRate& rate) {
    return fmt::format("{}/{}", rate.numerator, rate.denominator);
}

Result<FrameRate> frameRateFromText(std::string_view text) {
    const auto bad = [&] {
        return fail(ErrorCode::InvalidArgument, "frame rate '{}' is not a number; write 12, 23.976 or 30000/1001",
                    text);
    };
    FrameRate rate{0, 1};
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
        if (!parseInteger(text.substr(0, slash), rate.numerator) ||
            !parseInteger(text.substr(slash + 1), rate.denominator)) {
            return bad();
        }
    } else if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
        const std::string_view decimals = text.substr(point + 1);
        std::int64_t whole = 0;
        std::int64_t part = 0;
        const bool digits = decimals.find_first_not_of("0123456789") == std::string_view::npos;
        if (!parseInteger(text.substr(0, point), whole) || decimals.size() > 3 || !digits ||
            !parseInteger(decimals, part) || whole < 0 || whole > 1'000'000) {
            return bad();
        }
        for (std::size_t i = 0; i < decimals.size(); ++i) {
            rate.denominator *= 10;
        }
        rate.numerator = whole * rate.denominator + part;
    } else if (!parseInteger(text, rate.numerator)) {
        return bad();
    }
    FW_TRY(checkRate(rate));
    const std::int64_t common = std::gcd(rate.numerator, rate.denominator);
    return FrameRate{rate.numerator / common, rate.denominator / common};
}

std::string_view samplerName(SamplerKind kind) {
    switch (kind) {
        case SamplerKind::UniPc:
            return "unipc";
        case SamplerKind::Euler:
            return "euler";
    }
    return "?";
}

Result<SamplerKind> samplerFromName(std::string_view name) {
    for (const SamplerKind kind : {SamplerKind::UniPc, SamplerKind::Euler}) {
        if (samplerName(kind) == name) {
            return kind;
        }
    }
    return fail(ErrorCode::InvalidArgument, "sampler '{}' is not known; use unipc or euler", name);
}

std::string_view loraUseName(LoraUse use) {
    switch (use) {
        case LoraUse::Merged:
            return "merged";
        case LoraUse::Apart:
            return "apart";
    }
    return "?";
}

Result<LoraUse> loraUseFromName(std::string_view name) {
    for (const LoraUse use : {LoraUse::Merged, LoraUse::Apart}) {
        if (loraUseName(use) == name) {
            return use;
        }
    }
    return fail(ErrorCode::InvalidArgument, "lora '{}' is not known; use merged or apart", name);
}

Result<GenerationRequest> resolve(GenerationRequest request, const ModelDefaults& defaults) {
    FW_TRY(checkText("prompt", request.prompt));
    if (isBlank(request.prompt)) {
        return fail(ErrorCode::InvalidArgument, "the prompt is empty; describe the clip in a few words");
    }
    FW_TRY(checkText("negative prompt", request.negativePrompt));
    FW_TRY(checkText("model folder's name", request.model));
    fillDefaults(request, defaults);
    FW_TRY(checkSide("width", *request.width, defaults.sizeMultiple));
    FW_TRY(checkSide("height", *request.height, defaults.sizeMultiple));
    FW_TRY(checkFrames(*request.frames, defaults.frameMultiple));
    FW_TRY(checkRate(*request.frameRate));
    FW_TRY(checkInteger("steps", *request.steps, 1, kMaxSteps));
    FW_TRY(checkReal("guidance", *request.guidance, 1.0, kMaxGuidance));
    FW_TRY(checkReal("shift", *request.shift, 0.01, kMaxShift));
    FW_TRY(checkInteger("threads", request.threads, 0, kMaxThreads));
    for (const Adapter& adapter : request.adapters) {
        FW_TRY(checkText("adapter file's name", adapter.file));
        FW_TRY(checkReal(fmt::format("the strength of {}", adapter.file), adapter.strength, -kMaxStrength,
                         kMaxStrength));
    }
    if (request.dtype != "auto" && request.dtype != "f32" && request.dtype != "bf16" && request.dtype != "fp8") {
        return fail(ErrorCode::InvalidArgument, "dtype '{}' is not known; use auto, f32, bf16 or fp8",
                    request.dtype);
    }
    if (request.memoryBudget && *request.memoryBudget < 1) {
        return fail(ErrorCode::InvalidArgument, "the memory budget is {} bytes; it must be at least 1",
                    *request.memoryBudget);
    }
    if (request.probes) {
        FW_ASSIGN(const ProbeSelection selection, probeSelectionFromJson(*request.probes));
        FW_TRY(selectedSteps(selection, *request.steps));
    }
    if (request.whatIf) {
        FW_ASSIGN(const WhatIf whatIf, whatIfFromJson(*request.whatIf));
        const int last =
            std::max(whatIf.changes.empty() ? 0 : whatIf.changes.back().fromStep,
                     whatIf.compute.empty() ? 0 : *std::max_element(whatIf.compute.begin(), whatIf.compute.end()));
        FW_TRY(checkInteger("what_if step", last, 0, *request.steps - 1));
    }
    return request;
}

}  // namespace fw::job
