// A named set of settings that people keep and pass on as JSON.
#pragma once

#include <string>
#include <string_view>

#include "core/job/generation_request.h"

namespace fw::job {

inline constexpr std::size_t kMaxPresetName = 80;  // characters

struct NamedRequest {
    std::string name;
    GenerationRequest request;
};

// What of a request belongs into a preset: prompts, size, length, sampling and method, but neither the seed nor
// what only this machine knows (model folder, device, type, threads, memory).
[[nodiscard]] GenerationRequest presetPart(GenerationRequest request);

// {"framewright_preset": 1, "name": …, "request": {…}}, indented.
[[nodiscard]] std::string presetText(const NamedRequest& preset);
// Text of unknown origin. InvalidArgument for anything but exactly that; the message says what is wrong with it.
[[nodiscard]] Result<NamedRequest> presetFromText(std::string_view text);

}  // namespace fw::job
