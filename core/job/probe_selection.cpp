#include "core/job/probe_selection.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <numeric>

#include "core/job/generation_request.h"

namespace fw::job {

namespace {

constexpr int kFewSteps = 4;  // of a run whose steps nobody named
constexpr std::size_t kMostEntries = 4096;
constexpr std::int64_t kMostLayers = 10'000;

std::vector<Probe> everyProbe() {
    std::vector<Probe> all(kProbeNames.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = static_cast<Probe>(i);
    }
    all.pop_back();  // Qk: hundreds of times the size of the others
    return all;
}

// All that needs no choice of queries, less what costs a pass over the tensors at every step.
std::vector<Probe> defaultProbes() {
    return {Probe::Map,  Probe::Stats, Probe::Mask,   Probe::Kept,
            Probe::Gate, Probe::Words, Probe::Finite, Probe::Scan};
}

Result<Probe> probeFromName(const std::string& name) {
    const auto found = std::find(kProbeNames.begin(), kProbeNames.end(), name);
    if (found == kProbeNames.end()) {
        return fail(ErrorCode::InvalidArgument, "there is no probe '{}'; choose from {}, or default or all", name,
                    fmt::join(kProbeNames, ", "));
    }
    return static_cast<Probe>(found - kProbeNames.begin());
}

Result<std::vector<Probe>> kindsFromJson(const Json& json) {
    if (json == "default") {
        return defaultProbes();
    }
    if (json == "all") {
        return everyProbe();
    }
    if (!json.is_array() || json.empty() || json.size() > kMostEntries) {
        return fail(ErrorCode::InvalidArgument, "probes need their kinds, a list of {}, or default or all",
                    fmt::join(kProbeNames, ", "));
    }
    std::vector<Probe> kinds;
    for (const Json& entry : json) {
        if (!entry.is_string()) {
            return fail(ErrorCode::InvalidArgument, "a probe is named by a word, one of {}",
                        fmt::join(kProbeNames, ", "));
        }
        FW_ASSIGN(const Probe kind, probeFromName(entry.get<std::string>()));
        kinds.push_back(kind);
    }
    std::sort(kinds.begin(), kinds.end());
    kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
    return kinds;
}

Result<std::vector<int>> numbersFromJson(const Json& json, const char* what, std::int64_t least,
                                         std::int64_t most) {
    const auto wrong = [&] {
        return fail(ErrorCode::InvalidArgument, "the {} of probes must be a list of whole numbers from {} to {}",
                    what, least, most);
    };
    if (!json.is_array() || json.empty() || json.size() > kMostEntries) {
        return wrong();
    }
    std::vector<int> numbers;
    for (const Json& entry : json) {
        const bool whole = entry.is_number_integer() &&
                           (!entry.is_number_unsigned() ||
                            entry.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int32_t>::max()});
        if (!whole || entry.get<std::int64_t>() < least || entry.get<std::int64_t>() > most) {
            return wrong();
        }
        numbers.push_back(entry.get<int>());
    }
    return numbers;
}

Result<std::vector<std::int32_t>> existing(const std::vector<int>& wanted, int count, const char* what) {
    std::vector<std::int32_t> result;
    for (const int index : wanted) {
        const int place = index < 0 ? count + index : index;
        if (place < 0 || place >= count) {
            return fail(ErrorCode::InvalidArgument, "probes want {} {}, but there are {}: 0 to {}, or -1 to -{}",
                        what, index, count, count - 1, count);
        }
        result.push_back(place);
    }
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

std::vector<std::int32_t> allOf(int count) {
    std::vector<std::int32_t> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

// "0,10,-1"
Result<Json> listFromText(const std::string& text, const char* option) {
    Json list = Json::array();
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        int number = 0;
        const auto [stop, code] = std::from_chars(text.data() + begin, text.data() + end, number);
        if (code != std::errc{} || stop != text.data() + end) {
            return fail(ErrorCode::InvalidArgument, "{} takes whole numbers with commas between them, got '{}'",
                        option, text);
        }
        list.push_back(number);
        begin = end + 1;
    }
    return list;
}

}  // namespace

bool ProbeSelection::has(Probe kind) const {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

Result<ProbeSelection> probeSelectionFromJson(const Json& json) {
    if (!json.is_object()) {
        return fail(ErrorCode::InvalidArgument, "probes must be a JSON object, got {}", json.type_name());
    }
    for (const auto& [key, value] : json.items()) {
        const std::initializer_list<std::string_view> known{"kinds", "steps", "layers", "queries", "samples"};
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            return fail(ErrorCode::InvalidArgument, "probes have no entry '{}'; {} are known", key,
                        fmt::join(known, ", "));
        }
    }
    ProbeSelection selection;
    FW_ASSIGN(selection.kinds, kindsFromJson(json.value("kinds", Json())));
    selection.everyStep = json.value("steps", Json()) == "all";
    if (json.contains("steps") && !selection.everyStep) {
        FW_ASSIGN(selection.steps, numbersFromJson(json.at("steps"), "steps", -kMaxSteps, kMaxSteps - 1));
    }
    if (json.contains("layers")) {
        FW_ASSIGN(selection.layers, numbersFromJson(json.at("layers"), "layers", -kMostLayers, kMostLayers - 1));
    }
    if (json.contains("queries")) {
        FW_ASSIGN(selection.queries,
                  numbersFromJson(json.at("queries"), "queries", 0, std::numeric_limits<std::int32_t>::max()));
    }
    if (json.contains("samples")) {
        FW_ASSIGN(const auto samples, numbersFromJson(Json::array({json.at("samples")}), "samples", 0, 1'000'000));
        selection.samples = samples.front();
    }
    if (json.at("kinds") != "all" && selection.has(Probe::Row) != !selection.queries.empty()) {
        return fail(ErrorCode::InvalidArgument,
                    "the probe row and its queries go together: name the tokens to look from (--probe-queries)");
    }
    return selection;
}

Result<Json> probeJsonFromText(const std::string& kinds, const std::string& steps, const std::string& layers,
                               const std::string& queries) {
    Json json;
    if (kinds == "default" || kinds == "all") {
        json["kinds"] = kinds;
    } else {
        json["kinds"] = Json::array();
        for (std::size_t begin = 0; begin < kinds.size();) {
            const std::size_t end = std::min(kinds.find(',', begin), kinds.size());
            const std::string name = kinds.substr(begin, end - begin);
            const bool isGroup = name == "default" || name == "all";
            for (const Probe kind : name == "all" ? everyProbe()
                                    : isGroup     ? defaultProbes()
                                                  : std::vector<Probe>()) {
                json["kinds"].push_back(kProbeNames[static_cast<std::size_t>(kind)]);
            }
            if (!isGroup) {
                json["kinds"].push_back(name);
            }
            begin = end + 1;
        }
    }
    if (!queries.empty()) {
        FW_ASSIGN(json["queries"], listFromText(queries, "--probe-queries"));
        if (kinds == "default") {
            json["kinds"] = Json::array();
            for (const Probe kind : defaultProbes()) {
                json["kinds"].push_back(kProbeNames[static_cast<std::size_t>(kind)]);
            }
        }
        if (json["kinds"].is_array()) {
            json["kinds"].push_back(kProbeNames[static_cast<std::size_t>(Probe::Row)]);
        }
    }
    if (steps == "all") {
        json["steps"] = steps;
    } else if (!steps.empty()) {
        FW_ASSIGN(json["steps"], listFromText(steps, "--probe-steps"));
    }
    if (!layers.empty() && layers != "all") {
        FW_ASSIGN(json["layers"], listFromText(layers, "--probe-layers"));
    }
    FW_TRY(probeSelectionFromJson(json));
    return json;
}

Result<std::vector<std::int32_t>> selectedSteps(const ProbeSelection& selection, int count) {
    if (selection.everyStep) {
        return allOf(count);
    }
    if (selection.steps) {
        return existing(*selection.steps, count, "step");
    }
    std::vector<std::int32_t> few;
    const int wanted = std::min(kFewSteps, count);
    for (int i = 0; i < wanted; ++i) {
        few.push_back(wanted == 1 ? 0 : i * (count - 1) / (wanted - 1));
    }
    return few;
}

Result<std::vector<std::int32_t>> selectedLayers(const ProbeSelection& selection, int count) {
    return selection.layers ? existing(*selection.layers, count, "layer") : allOf(count);
}

}  // namespace fw::job
