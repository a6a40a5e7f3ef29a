#include "core/job/clip_metadata.h"

namespace fw::job {

// Brackets open at once, outside of strings. Exact for JSON; for other text any answer will do, the parser refuses
// it.
bool nestsTooDeep(std::string_view text) {
    int depth = 0;
    bool inString = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inString) {
            i += c == '\\' ? 1 : 0;
            inString = c != '"';
        } else if (c == '"') {
            inString = true;
        } else if (c == '[' || c == '{') {
            if (++depth > kMaxMetadataDepth) {
                return true;
            }
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

Result<Json> parseUntrustedJson(std::string_view text) {
    if (text.size() > kMaxMetadataBytes) {
        return fail(ErrorCode::InvalidArgument, "its {} KiB are more than the {} KiB that are read",
                    text.size() >> 10U, kMaxMetadataBytes >> 10U);
    }
    if (nestsTooDeep(text)) {
        return fail(ErrorCode::InvalidArgument, "it is nested deeper than {} levels", kMaxMetadataDepth);
    }
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        return fail(ErrorCode::InvalidArgument, "it is not valid JSON");
    }
    return json;
}

Result<GenerationRequest> requestFromMetadata(std::string_view metadata) {
    if (metadata.empty()) {
        return fail(ErrorCode::InvalidArgument, "the clip carries no settings");
    }
    const auto json = parseUntrustedJson(metadata);
    if (!json || !json->is_object() || !json->contains("request")) {
        return fail(ErrorCode::InvalidArgument, "the clip carries no settings of this program");
    }
    auto request = requestFromJson((*json)["request"]);
    if (!request) {
        return tl::unexpected(std::move(request).error().within("the settings in the clip cannot be used"));
    }
    return request;
}

}  // namespace fw::job
