#include "core/model/model_defaults.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <system_error>

#include "core/weights/config_reader.h"
#include "core/weights/text.h"

namespace fw::model {
namespace {

using weights::ConfigReader;

constexpr weights::IntegerRange kRate{1, 1'000'000};

// 16, or "24000/1001".
std::optional<job::FrameRate> frameRateFrom(const Json& value) {
    job::FrameRate rate;
    if (value.is_number_integer()) {
        rate = {value.get<std::int64_t>(), 1};
    } else if (value.is_string()) {
        const auto text = value.get<std::string>();
        const char* end = text.data() + text.size();
        const auto first = std::from_chars(text.data(), end, rate.numerator);
        if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '/') {
            return std::nullopt;
        }
        const auto second = std::from_chars(first.ptr + 1, end, rate.denominator);
        if (second.ec != std::errc{} || second.ptr != end) {
            return std::nullopt;
        }
    } else {
        return std::nullopt;
    }
    const auto inRange = [](std::int64_t v) { return v >= kRate.low && v <= kRate.high; };
    return inRange(rate.numerator) && inRange(rate.denominator) ? std::optional(rate) : std::nullopt;
}

// {"matrix": [[…], […], […]], "bias": […]}
Result<PreviewProjection> previewFrom(const Json& json, std::int64_t latentChannels) {
    ConfigReader reader(json);
    FW_TRY(reader.status());
    PreviewProjection preview;
    const Json rows = json.value("matrix", Json());
    if (!rows.is_array() || rows.size() != 3) {
        return fail(ErrorCode::BadModel, "\"matrix\" must be 3 lists of {} numbers", latentChannels);
    }
    for (const Json& row : rows) {
        const Json wrapped{{"matrix", row}};
        ConfigReader rowReader(wrapped);
        for (const double value : rowReader.numbers("matrix", latentChannels, {-1e6, 1e6})) {
            preview.matrix.push_back(static_cast<float>(value));
        }
        FW_TRY(rowReader.status());
    }
    for (const double value : reader.numbers("bias", 3, {-1e6, 1e6})) {
        preview.bias.push_back(static_cast<float>(value));
    }
    FW_TRY(reader.status());
    return preview;
}

void readDefaults(const Json& json, ConfigReader& reader, job::ModelDefaults& defaults) {
    const std::int64_t multiple = defaults.sizeMultiple;
    defaults.width = reader.integer("width", {multiple, 16'384}, defaults.width);
    defaults.height = reader.integer("height", {multiple, 16'384}, defaults.height);
    defaults.frames = reader.integer("frames", {1, 100'000}, defaults.frames);
    defaults.steps = static_cast<int>(reader.integer("steps", {1, 1000}, defaults.steps));
    defaults.guidance = reader.number("guidance", {1.0, 100.0}, defaults.guidance);
    defaults.shift = reader.number("shift", {0.01, 100.0}, defaults.shift);
    for (const auto& [key, value] : {std::pair("width", defaults.width), std::pair("height", defaults.height)}) {
        reader.require(value % multiple == 0,
                       fmt::format("\"{}\" is {}, which is not a multiple of {}", key, value, multiple));
    }
    reader.require((defaults.frames - 1) % defaults.frameMultiple == 0,
                   fmt::format("\"frames\" is {}, which is not {}k + 1", defaults.frames, defaults.frameMultiple));
    if (reader.has("longer_frames")) {
        defaults.longerFrames = reader.integers("longer_frames", {1, 16}, {1, 100'000});
        std::int64_t shorter = defaults.frames;
        for (const std::int64_t frames : defaults.longerFrames) {
            reader.require(frames > shorter && (frames - 1) % defaults.frameMultiple == 0,
                           fmt::format("\"longer_frames\" holds {}, which is not {}k + 1 and more than {}", frames,
                                       defaults.frameMultiple, shorter));
            shorter = frames;
        }
    }
    if (reader.has("fps")) {
        const auto rate = frameRateFrom(json["fps"]);
        reader.require(rate.has_value(),
                       fmt::format("\"fps\" is {}; it is a whole number or a fraction like \"24000/1001\"",
                                   weights::shortText(json["fps"])));
        defaults.frameRate = rate.value_or(defaults.frameRate);
    }
}

// Text that may be printed in a list.
bool isOneLine(const std::string& text, std::size_t maxBytes) {
    const auto isControl = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    return text.size() <= maxBytes && std::none_of(text.begin(), text.end(), isControl);
}

Status readPreferences(const Json& json, std::int64_t latentChannels, ModelInfo& info) {
    ConfigReader reader(json);
    FW_TRY(reader.status());
    info.name = reader.text("name", info.name);
    info.description = reader.text("description", "");
    reader.require(!info.name.empty(), "\"name\" is empty");
    reader.require(isOneLine(info.name, 100), "\"name\" holds control characters or more than 100 bytes");
    reader.require(isOneLine(info.description, 1000),
                   "\"description\" holds control characters or more than 1000 bytes");
    readDefaults(json, reader, info.defaults);
    FW_TRY(reader.status());
    if (reader.has("preview")) {
        auto preview = previewFrom(json["preview"], latentChannels);
        if (!preview) {
            return tl::unexpected(std::move(preview).error().within("\"preview\""));
        }
        info.preview = std::move(*preview);
    }
    return {};
}

}  // namespace

job::ModelDefaults architectureDefaults(const weights::WanTransformerConfig& transformer,
                                        const weights::WanVaeConfig& vae,
                                        const weights::SchedulerConfig& scheduler) {
    job::ModelDefaults defaults;
    defaults.sizeMultiple = vae.scaleFactorSpatial * std::lcm(transformer.patchH, transformer.patchW);
    defaults.frameMultiple = vae.scaleFactorTemporal;
    const auto fit = [](std::int64_t value, std::int64_t multiple) {
        return std::max(value / multiple, std::int64_t{1}) * multiple;
    };
    defaults.width = fit(832, defaults.sizeMultiple);
    defaults.height = fit(480, defaults.sizeMultiple);
    defaults.frames = fit(80, defaults.frameMultiple) + 1;
    defaults.frameRate = {16, 1};
    defaults.steps = 50;
    defaults.guidance = 5.0;
    defaults.shift = scheduler.flowShift;
    return defaults;
}

Status applyModelPreferences(const std::filesystem::path& folder, std::int64_t latentChannels, ModelInfo& info) {
    const auto path = folder / "framewright.json";
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
        return {};
    }
    FW_ASSIGN(const Json json, weights::readJsonFile(path));
    ModelInfo changed = info;
    if (auto status = readPreferences(json, latentChannels, changed); !status) {
        return tl::unexpected(std::move(status).error().within(path.string()));
    }
    info = std::move(changed);
    return {};
}

}  // namespace fw::model
