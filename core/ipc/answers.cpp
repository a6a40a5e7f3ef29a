#include "core/ipc/answers.h"

#include "core/ipc/fields.h"

namespace fw::ipc {

namespace {

Json toJson(const job::ModelDefaults& defaults) {
    return {{"width", defaults.width},
            {"height", defaults.height},
            {"frames", defaults.frames},
            {"fps", job::frameRateText(defaults.frameRate)},
            {"steps", defaults.steps},
            {"guidance", defaults.guidance},
            {"shift", defaults.shift},
            {"size_multiple", defaults.sizeMultiple},
            {"frame_multiple", defaults.frameMultiple},
            {"longer_frames", defaults.longerFrames}};
}

job::ModelDefaults defaultsFromJson(const Json& json, Fields& outer) {
    job::ModelDefaults defaults;
    if (!json.is_object()) {
        outer.wrong("defaults", "an object");
        return defaults;
    }
    Fields fields(json);
    defaults.width = fields.integer("width", 1);
    defaults.height = fields.integer("height", 1);
    defaults.frames = fields.integer("frames", 1);
    if (const auto rate = job::frameRateFromText(fields.text("fps"))) {
        defaults.frameRate = *rate;
    } else {
        fields.wrong("fps", "a frame rate");
    }
    defaults.steps = fields.smallInteger("steps");
    defaults.guidance = fields.real("guidance");
    defaults.shift = fields.real("shift");
    defaults.sizeMultiple = fields.integer("size_multiple", 1);
    defaults.frameMultiple = fields.integer("frame_multiple", 1);
    for (const Json& frames : fields.array("longer_frames")) {
        if (!frames.is_number_integer()) {
            fields.wrong("longer_frames", "a list of whole numbers");
            break;
        }
        defaults.longerFrames.push_back(frames.get<std::int64_t>());
    }
    if (!fields.mistake().empty()) {
        outer.wrong("defaults", "complete");
    }
    return defaults;
}

tl::unexpected<Error> unusable(const char* what, const std::string& why) {
    return fail(ErrorCode::InvalidArgument, "the engine's answer about {} is not understood: {}", what, why);
}

}  // namespace

Json toJson(const ModelCard& card) {
    return {{"folder", card.folder},         {"name", card.name},
            {"embedded", card.embedded},     {"defaults", toJson(card.defaults)},
            {"parameters", card.parameters}, {"bytes", card.bytes},
            {"problems", card.problems}};
}

Json toJson(const PlanCard& card) {
    return {{"tokens", card.tokens}, {"flops", card.flops}, {"peak_bytes", card.peakBytes}};
}

Json toJson(const std::vector<ModelCard>& cards) {
    Json list = Json::array();
    for (const ModelCard& card : cards) {
        list.push_back(toJson(card));
    }
    return list;
}

Result<ModelCard> modelCardFromJson(const Json& json) {
    if (!json.is_object()) {
        return unusable("a model", "it is no object");
    }
    Fields fields(json);
    ModelCard card;
    card.folder = fields.text("folder");
    card.name = fields.text("name");
    card.embedded = fields.boolean("embedded");
    card.defaults = defaultsFromJson(fields.any("defaults"), fields);
    card.parameters = fields.integer("parameters", 0);
    card.bytes = fields.integer("bytes", 0);
    card.problems = fields.texts("problems");
    if (!fields.mistake().empty()) {
        return unusable("a model", fields.mistake());
    }
    return card;
}

Result<std::vector<ModelCard>> modelCardsFromJson(const Json& json) {
    if (!json.is_array()) {
        return unusable("models", "it is no list");
    }
    std::vector<ModelCard> cards;
    for (const Json& one : json) {
        FW_ASSIGN(auto card, modelCardFromJson(one));
        cards.push_back(std::move(card));
    }
    return cards;
}

Result<PlanCard> planCardFromJson(const Json& json) {
    if (!json.is_object()) {
        return unusable("a request's cost", "it is no object");
    }
    Fields fields(json);
    const PlanCard card{fields.integer("tokens", 0), fields.integer("flops", 0), fields.integer("peak_bytes", 0)};
    if (!fields.mistake().empty()) {
        return unusable("a request's cost", fields.mistake());
    }
    return card;
}

}  // namespace fw::ipc
