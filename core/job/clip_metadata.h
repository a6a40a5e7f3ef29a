// The settings a clip carries: found in files of unknown origin, so nothing about the text is taken for granted.
#pragma once

#include <string_view>

#include "core/job/generation_request.h"

namespace fw::job {

// Bounds of what is parsed at all. Our own metadata is a few kilobytes and three levels deep.
inline constexpr std::size_t kMaxMetadataBytes = std::size_t{4} << 20U;
inline constexpr int kMaxMetadataDepth = 32;

// `metadata`: media::ClipInfo::metadata, any bytes. InvalidArgument when there are no settings in it (empty, no
// JSON, not ours) or when they are damaged or of another version; the message goes on from "the clip …" and never
// repeats more than a few words of the text.
[[nodiscard]] Result<GenerationRequest> requestFromMetadata(std::string_view metadata);

// Whether brackets nest deeper than kMaxMetadataDepth. To be asked before parsing JSON that somebody else wrote:
// copying and printing a parsed value is recursive, and a few megabytes of brackets end the program.
[[nodiscard]] bool nestsTooDeep(std::string_view text);

// JSON of unknown origin, at most kMaxMetadataBytes and kMaxMetadataDepth. InvalidArgument.
[[nodiscard]] Result<Json> parseUntrustedJson(std::string_view text);

}  // namespace fw::job
