// GenerationRequest to and from JSON.
#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "core/job/generation_request.h"

namespace fw::job {

namespace {

constexpr int kSchema = 1;

// As JSON, cut to a few words: the text may come from a file of unknown origin.
std::string shown(const Json& value) {
    constexpr std::size_t kMaxShown = 80;
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > kMaxShown) {
        std::size_t end = kMaxShown;
        while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
            --end;  // not inside a character
        }
        text.resize(end);
        text += "…";
    }
    return text;
}

tl::unexpected<Error> wrong(const std::string& key, const Json& value, std::string_view expected) {
    return fail(ErrorCode::InvalidArgument, "request field '{}' is {}, but must be {}", key, shown(value),
                expected);
}

Status read(const std::string& key, const Json& value, std::string& out) {
    if (!value.is_string()) {
        return wrong(key, value, "text");
    }
    out = value.get<std::string>();
    return {};
}

Status read(const std::string& key, const Json& value, std::int64_t& out) {
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())) {
        return wrong(key, value, "a whole number");
    }
    out = value.get<std::int64_t>();
    return {};
}

Status read(const std::string& key, const Json& value, std::uint64_t& out) {
    if (!value.is_number_unsigned() && !(value.is_number_integer() && value.get<std::int64_t>() >= 0)) {
        return wrong(key, value, "a whole number from 0 to 18446744073709551615");
    }
    out = value.get<std::uint64_t>();
    return {};
}

Status read(const std::string& key, const Json& value, int& out) {
    std::int64_t wide = 0;
    FW_TRY(read(key, value, wide));
    if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()) {
        return wrong(key, value, "a smaller number");
    }
    out = static_cast<int>(wide);
    return {};
}

Status read(const std::string& key, const Json& value, double& out) {
    if (!value.is_number()) {
        return wrong(key, value, "a number");
    }
    out = value.get<double>();
    return {};
}

Status read(const std::string& key, const Json& value, FrameRate& out) {
    std::string text;
    FW_TRY(read(key, value, text));
    FW_ASSIGN(out, frameRateFromText(text));
    return {};
}

Status read(const std::string& key, const Json& value, SamplerKind& out) {
    std::string text;
    FW_TRY(read(key, value, text));
    FW_ASSIGN(out, samplerFromName(text));
    return {};
}

Status read(const std::string& key, const Json& value, Json& out) {
    if (!value.is_object()) {
        return wrong(key, value, "an object");
    }
    out = value;
    return {};
}

Status read(const std::string& key, const Json& value, LoraUse& out) {
    std::string name;
    FW_TRY(read(key, value, name));
    FW_ASSIGN(out, loraUseFromName(name));
    return {};
}

Status read(const std::string& key, const Json& value, std::vector<Adapter>& out) {
    if (!value.is_array()) {
        return wrong(key, value, "a list");
    }
    out.clear();
    for (const Json& entry : value) {
        if (!entry.is_object() || entry.size() != 2 || !entry.contains("file") || !entry.contains("strength")) {
            return wrong(key, entry, "an object with file and strength");
        }
        Adapter adapter;
        FW_TRY(read(key + ".file", entry.at("file"), adapter.file));
        FW_TRY(read(key + ".strength", entry.at("strength"), adapter.strength));
        out.push_back(std::move(adapter));
    }
    return {};
}

template <class T>
Status read(const std::string& key, const Json& value, std::optional<T>& out) {
    T present{};
    FW_TRY(read(key, value, present));
    out = present;
    return {};
}

// Calls visit(key, field) for each field: the one list both directions share.
template <class Request, class Visitor>
Status visitFields(Request& request, const Visitor& visit) {
    FW_TRY(visit("prompt", request.prompt));
    FW_TRY(visit("negative_prompt", request.negativePrompt));
    FW_TRY(visit("model", request.model));
    FW_TRY(visit("width", request.width));
    FW_TRY(visit("height", request.height));
    FW_TRY(visit("frames", request.frames));
    FW_TRY(visit("frame_rate", request.frameRate));
    FW_TRY(visit("steps", request.steps));
    FW_TRY(visit("guidance", request.guidance));
    FW_TRY(visit("shift", request.shift));
    FW_TRY(visit("seed", request.seed));
    FW_TRY(visit("sampler", request.sampler));
    FW_TRY(visit("device", request.device));
    FW_TRY(visit("dtype", request.dtype));
    FW_TRY(visit("threads", request.threads));
    FW_TRY(visit("method", request.method));
    FW_TRY(visit("method_parameters", request.methodParameters));
    FW_TRY(visit("adapters", request.adapters));
    FW_TRY(visit("lora", request.lora));
    FW_TRY(visit("cache", request.cache));
    FW_TRY(visit("cache_parameters", request.cacheParameters));
    FW_TRY(visit("probes", request.probes));
    FW_TRY(visit("what_if", request.whatIf));
    FW_TRY(visit("memory_budget", request.memoryBudget));
    return {};
}

template <class T>
OrderedJson written(const T& value) {
    return value;
}
OrderedJson written(const FrameRate& rate) {
    return frameRateText(rate);
}
OrderedJson written(const SamplerKind& kind) {
    return samplerName(kind);
}

OrderedJson written(const std::vector<Adapter>& adapters) {
    OrderedJson list = OrderedJson::array();
    for (const Adapter& adapter : adapters) {
        list.push_back({{"file", adapter.file}, {"strength", adapter.strength}});
    }
    return list;
}

struct Writer {
    OrderedJson& json;

    // Left out where it is the usual one: what was written before there was a choice stays as it was.
    Status operator()(const char* key, const LoraUse& use) const {
        if (use != LoraUse::Merged) {
            json[key] = loraUseName(use);
        }
        return {};
    }

    template <class T>
    Status operator()(const char* key, const T& field) const {
        json[key] = written(field);
        return {};
    }
    template <class T>
    Status operator()(const char* key, const std::optional<T>& field) const {
        if (field) {
            json[key] = written(*field);
        }
        return {};
    }
};

struct Reader {
    Json& rest;  // fields are taken out as they are read

    template <class T>
    Status operator()(const char* key, T& field) const {
        const auto found = rest.find(key);
        if (found == rest.end()) {
            return {};
        }
        FW_TRY(read(key, *found, field));
        rest.erase(found);
        return {};
    }
};

}  // namespace

OrderedJson toJson(const GenerationRequest& request) {
    OrderedJson json;
    json["schema"] = kSchema;
    const Status written = visitFields(request, Writer{json});
    FW_CHECK(written.has_value());
    return json;
}

Result<GenerationRequest> requestFromJson(const Json& json) {
    if (!json.is_object()) {
        return fail(ErrorCode::InvalidArgument, "a request must be a JSON object, got {}", json.type_name());
    }
    Json rest = json;
    int schema = kSchema;
    FW_TRY(Reader{rest}("schema", schema));
    if (schema != kSchema) {
        return fail(ErrorCode::InvalidArgument, "request schema {} is not known; this program reads schema {}",
                    schema, kSchema);
    }
    GenerationRequest request;
    FW_TRY(visitFields(request, Reader{rest}));
    if (!rest.empty()) {
        return fail(ErrorCode::InvalidArgument, "request field {} is not known", shown(rest.begin().key()));
    }
    return request;
}

}  // namespace fw::job
