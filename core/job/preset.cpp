#include "core/job/preset.h"

#include "core/job/clip_metadata.h"
#include "core/job/utf8.h"

namespace fw::job {
namespace {

constexpr const char* kMark = "framewright_preset";
constexpr int kVersion = 1;

}  // namespace

GenerationRequest presetPart(GenerationRequest request) {
    const GenerationRequest none;
    request.seed = none.seed;
    request.model = none.model;
    request.device = none.device;
    request.dtype = none.dtype;
    request.threads = none.threads;
    request.memoryBudget = none.memoryBudget;
    return request;
}

std::string presetText(const NamedRequest& preset) {
    OrderedJson json;
    json[kMark] = kVersion;
    json["name"] = preset.name;
    json["request"] = toJson(presetPart(preset.request));
    return json.dump(2) + "\n";
}

Result<NamedRequest> presetFromText(std::string_view text) {
    auto json = parseUntrustedJson(text);
    if (!json) {
        return tl::unexpected(std::move(json).error().within("this is no preset"));
    }
    if (!json->is_object() || !json->contains(kMark)) {
        return fail(ErrorCode::InvalidArgument, "this is no preset of Framewright: the field '{}' is missing",
                    kMark);
    }
    if ((*json)[kMark] != kVersion) {
        return fail(ErrorCode::InvalidArgument, "this preset was made by a newer Framewright and cannot be read");
    }
    for (const auto& [key, value] : json->items()) {
        if (key != kMark && key != "name" && key != "request") {
            return fail(ErrorCode::InvalidArgument, "the preset has a field this version does not know: {}",
                        Json(key.substr(0, kMaxPresetName)).dump(-1, ' ', true, Json::error_handler_t::replace));
        }
    }
    const Json name = json->value("name", Json());
    const auto length = name.is_string() ? utf8Length(name.get_ref<const std::string&>()) : std::nullopt;
    if (!length || *length < 1 || *length > static_cast<std::int64_t>(kMaxPresetName)) {
        return fail(ErrorCode::InvalidArgument, "the preset needs a name of 1 to {} characters", kMaxPresetName);
    }
    auto request = requestFromJson(json->value("request", Json()));
    if (!request) {
        return tl::unexpected(std::move(request).error().within("the preset cannot be used"));
    }
    return NamedRequest{name.get<std::string>(), presetPart(std::move(*request))};
}

}  // namespace fw::job
