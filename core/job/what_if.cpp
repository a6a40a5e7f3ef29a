#include "core/job/what_if.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/job/generation_request.h"

namespace fw::job {

namespace {

constexpr std::size_t kMostChanges = 16;  // each brings the attention method once more
constexpr std::size_t kMostMasks = 64;    // of all changes together
constexpr std::size_t kMostParameters = 64;
constexpr std::size_t kMostTiles = 4096;                  // along a side
constexpr std::size_t kMostPairs = std::size_t{1} << 25;  // of tiles, in all masks together
constexpr std::int64_t kMostIndex = 10'000;

tl::unexpected<Error> wrongEntry(std::string_view entry, std::string_view expected) {
    return fail(ErrorCode::InvalidArgument, "what_if: {} must be {}", entry, expected);
}

Result<std::int64_t> wholeEntry(const Json& json, std::string_view entry, std::int64_t least, std::int64_t most) {
    const bool whole = json.is_number_integer() &&
                       (!json.is_number_unsigned() || json.get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
    if (!whole || json.get<std::int64_t>() < least || json.get<std::int64_t>() > most) {
        return wrongEntry(entry, fmt::format("a whole number from {} to {}", least, most));
    }
    return json.get<std::int64_t>();
}

Status checkKeys(const Json& json, std::string_view entry, std::initializer_list<std::string_view> known) {
    if (!json.is_object()) {
        return wrongEntry(entry, "a JSON object");
    }
    for (const auto& [key, value] : json.items()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            return fail(ErrorCode::InvalidArgument, "what_if: {} has no entry '{}'; {} are known", entry, key,
                        fmt::join(known, ", "));
        }
    }
    return {};
}

// "0-3,7" below `tiles`.
Result<std::vector<std::int32_t>> rowFromText(const std::string& text, std::size_t row, std::size_t tiles) {
    const auto refuse = [&] {
        return fail(
            ErrorCode::InvalidArgument,
            "what_if: row {} of a mask is '{:.60}'; key tiles from 0 to {} are needed, ascending, such as 0-3,7",
            row, text, tiles - 1);
    };
    std::vector<std::int32_t> keys;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
        std::int32_t first = 0;
        auto read = std::from_chars(at, end, first);
        if (read.ec != std::errc{}) {
            return refuse();
        }
        std::int32_t last = first;
        if (read.ptr != end && *read.ptr == '-') {
            read = std::from_chars(read.ptr + 1, end, last);
            if (read.ec != std::errc{}) {
                return refuse();
            }
        }
        const bool ascends = first >= 0 && last >= first && (keys.empty() || first > keys.back());
        if (!ascends || static_cast<std::size_t>(last) >= tiles) {
            return refuse();
        }
        for (std::int32_t key = first; key <= last; ++key) {
            keys.push_back(key);
        }
        if (read.ptr == end) {
            return keys;
        }
        if (*read.ptr != ',') {
            return refuse();
        }
        at = read.ptr + 1;
    }
}

std::string textOfRow(const std::vector<std::int32_t>& keys) {
    std::string text;
    for (std::size_t i = 0; i < keys.size();) {
        std::size_t last = i;
        while (last + 1 < keys.size() && keys[last + 1] == keys[last] + 1) {
            ++last;
        }
        text += fmt::format("{}{}", text.empty() ? "" : ",", keys[i]);
        text += last > i ? fmt::format("-{}", keys[last]) : std::string();
        i = last + 1;
    }
    return text;
}

Result<PaintedMask> maskFromJson(const Json& json) {
    FW_TRY(checkKeys(json, "a mask", {"layer", "head", "size", "box", "rows"}));
    PaintedMask mask;
    FW_ASSIGN(const std::int64_t layer, wholeEntry(json.value("layer", Json()), "a mask's layer", 0, kMostIndex));
    FW_ASSIGN(const std::int64_t head, wholeEntry(json.value("head", Json()), "a mask's head", 0, kMostIndex));
    mask.layer = static_cast<int>(layer);
    mask.head = static_cast<int>(head);
    if (json.contains("box")) {
        const Json& box = json.at("box");
        if (!box.is_array() || box.size() != 3 || json.contains("size")) {
            return wrongEntry("a mask's box", "a list of frames, rows and columns, and takes the place of size");
        }
        for (std::size_t axis = 0; axis < 3; ++axis) {
            FW_ASSIGN(mask.box[axis], wholeEntry(box[axis], "a mask's box", 1, kMostIndex));
        }
        mask.size = 0;
    } else if (json.contains("size")) {
        FW_ASSIGN(mask.size, wholeEntry(json.at("size"), "a mask's size", 1, 1'000'000));
    }
    const Json rows = json.value("rows", Json());
    if (!rows.is_array() || rows.empty() || rows.size() > kMostTiles) {
        return wrongEntry("a mask's rows", fmt::format("a list of 1 to {} texts", kMostTiles));
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (!rows[row].is_string()) {
            return wrongEntry("a mask's rows", "a list of texts");
        }
        FW_ASSIGN(auto keys, rowFromText(rows[row].get<std::string>(), row, rows.size()));
        mask.rows.push_back(std::move(keys));
    }
    return mask;
}

// What all changes of a request hold together.
struct Totals {
    std::size_t masks = 0, pairs = 0;
};

Result<std::vector<PaintedMask>> masksFromJson(const Json& json, Totals& totals) {
    if (!json.is_array() || json.size() > kMostMasks - totals.masks) {
        return wrongEntry("masks", fmt::format("a list of at most {} masks, all changes together", kMostMasks));
    }
    totals.masks += json.size();
    std::vector<PaintedMask> masks;
    std::set<std::pair<int, int>> seen;
    for (const Json& entry : json) {
        FW_ASSIGN(PaintedMask mask, maskFromJson(entry));
        for (const auto& row : mask.rows) {
            totals.pairs += row.size();
        }
        if (totals.pairs > kMostPairs) {
            return fail(ErrorCode::InvalidArgument, "what_if: the masks hold more than {} pairs of tiles",
                        kMostPairs);
        }
        if (!seen.insert({mask.layer, mask.head}).second) {
            return fail(ErrorCode::InvalidArgument, "what_if: there are two masks of layer {}, head {}", mask.layer,
                        mask.head);
        }
        masks.push_back(std::move(mask));
    }
    return masks;
}

Result<Change> changeFromJson(const Json& json, Totals& totals) {
    Change change;
    if (json.contains("from_step")) {
        FW_ASSIGN(const std::int64_t step, wholeEntry(json.at("from_step"), "from_step", 0, kMaxSteps - 1));
        change.fromStep = static_cast<int>(step);
    }
    change.parameters = json.value("set", Json::object());
    const bool areNumbers = change.parameters.is_object() && change.parameters.size() <= kMostParameters &&
                            std::all_of(change.parameters.begin(), change.parameters.end(),
                                        [](const Json& v) { return v.is_number(); });
    if (!areNumbers) {
        return wrongEntry("set", "a JSON object of parameters of the attention method and numbers");
    }
    FW_ASSIGN(change.masks, masksFromJson(json.value("masks", Json::array()), totals));
    return change;
}

Result<std::vector<Change>> changesFromJson(const Json& json) {
    Totals totals;
    std::vector<Change> changes;
    const auto add = [&](const Json& entry) -> Status {
        FW_ASSIGN(Change change, changeFromJson(entry, totals));
        if (!changes.empty() && change.fromStep <= changes.back().fromStep) {
            return wrongEntry("changes", "a list by rising from_step");
        }
        changes.push_back(std::move(change));
        return {};
    };
    if (!json.contains("changes")) {
        FW_TRY(add(json));
    } else {
        const Json& list = json.at("changes");
        if (!list.is_array() || list.size() > kMostChanges) {
            return wrongEntry("changes",
                              fmt::format("a list of changes that begin at {} steps at most", kMostChanges));
        }
        for (const Json& entry : list) {
            FW_TRY(checkKeys(entry, "a change", {"from_step", "set", "masks"}));
            FW_TRY(add(entry));
        }
    }
    std::erase_if(changes, [](const Change& change) { return change.isEmpty(); });
    return changes;
}

Json changeJson(const Change& change) {
    Json json{{"from_step", change.fromStep}};
    if (!change.parameters.empty()) {
        json["set"] = change.parameters;
    }
    for (const PaintedMask& mask : change.masks) {
        Json& entry =
            json["masks"].emplace_back(Json{{"layer", mask.layer}, {"head", mask.head}, {"rows", Json::array()}});
        if (mask.box[0] > 0) {
            entry["box"] = mask.box;
        } else {
            entry["size"] = mask.size;
        }
        for (const auto& row : mask.rows) {
            entry["rows"].push_back(textOfRow(row));
        }
    }
    return json;
}

// What `taken` names is no longer in `change`.
void remove(Change& change, const Change& taken) {
    for (const auto& [name, value] : taken.parameters.items()) {
        change.parameters.erase(name);
    }
    std::erase_if(change.masks, [&](const PaintedMask& mask) {
        return std::any_of(taken.masks.begin(), taken.masks.end(), [&](const PaintedMask& other) {
            return other.layer == mask.layer && other.head == mask.head;
        });
    });
}

void add(Change& change, const Change& asked) {
    remove(change, asked);
    change.parameters.update(asked.parameters);
    change.masks.insert(change.masks.end(), asked.masks.begin(), asked.masks.end());
}

}  // namespace

Result<WhatIf> whatIfFromJson(const Json& json) {
    if (json.is_object() && json.contains("changes")) {
        FW_TRY(checkKeys(json, "it", {"changes", "compute"}));
    } else {
        FW_TRY(checkKeys(json, "it", {"from_step", "set", "masks", "compute"}));
    }
    WhatIf whatIf;
    FW_ASSIGN(whatIf.changes, changesFromJson(json));
    const Json compute = json.value("compute", Json::array());
    if (!compute.is_array() || compute.size() > std::size_t{kMaxSteps}) {
        return wrongEntry("compute", "a list of steps");
    }
    for (const Json& entry : compute) {
        FW_ASSIGN(const std::int64_t step, wholeEntry(entry, "a step of compute", 0, kMaxSteps - 1));
        whatIf.compute.push_back(static_cast<int>(step));
    }
    return whatIf;
}

Json toJson(const WhatIf& whatIf) {
    Json json = Json::object();
    if (whatIf.changes.size() == 1) {
        json = changeJson(whatIf.changes.front());
    }
    for (std::size_t i = 0; whatIf.changes.size() > 1 && i < whatIf.changes.size(); ++i) {
        json["changes"].push_back(changeJson(whatIf.changes[i]));
    }
    if (!whatIf.compute.empty()) {
        json["compute"] = whatIf.compute;
    }
    return json;
}

Result<WhatIf> whatIfOf(const GenerationRequest& request) {
    return request.whatIf ? whatIfFromJson(*request.whatIf) : WhatIf();
}

void setWhatIf(GenerationRequest& request, const WhatIf& whatIf) {
    request.whatIf = whatIf == WhatIf() ? std::nullopt : std::optional(toJson(whatIf));
}

int firstChange(const WhatIf& whatIf) {
    return firstDifference(whatIf, {});
}

int firstDifference(const WhatIf& one, const WhatIf& other) {
    std::set<int> steps;  // between them nothing begins
    for (const WhatIf* each : {&one, &other}) {
        steps.insert(each->compute.begin(), each->compute.end());
        for (const Change& change : each->changes) {
            steps.insert(change.fromStep);
        }
    }
    const auto computes = [](const WhatIf& whatIf, int step) {
        return std::find(whatIf.compute.begin(), whatIf.compute.end(), step) != whatIf.compute.end();
    };
    const auto differs = [&](int step) {
        return computes(one, step) != computes(other, step) || changeAt(one, step) != changeAt(other, step);
    };
    const auto first = std::find_if(steps.begin(), steps.end(), differs);
    return first == steps.end() ? kMaxSteps : *first;
}

Change changeAt(const WhatIf& whatIf, int step) {
    Change all;
    for (const Change& change : whatIf.changes) {
        if (change.fromStep <= step) {
            add(all, change);
        }
    }
    all.fromStep = step;
    std::sort(all.masks.begin(), all.masks.end(), [](const PaintedMask& a, const PaintedMask& b) {
        return std::pair(a.layer, a.head) < std::pair(b.layer, b.head);
    });
    return all;
}

Json parametersAt(Json parameters, const WhatIf& whatIf, int step) {
    for (const Change& change : whatIf.changes) {
        if (change.fromStep <= step) {
            parameters.update(change.parameters);
        }
    }
    return parameters;
}

bool hasMasks(const WhatIf& whatIf) {
    return std::any_of(whatIf.changes.begin(), whatIf.changes.end(),
                       [](const Change& change) { return !change.masks.empty(); });
}

WhatIf combined(WhatIf earlier, const WhatIf& asked) {
    for (const Change& change : asked.changes) {
        for (Change& old : earlier.changes) {
            if (old.fromStep >= change.fromStep) {
                remove(old, change);
            }
        }
        const auto place = std::find_if(earlier.changes.begin(), earlier.changes.end(),
                                        [&](const Change& old) { return old.fromStep >= change.fromStep; });
        if (place != earlier.changes.end() && place->fromStep == change.fromStep) {
            add(*place, change);
        } else {
            earlier.changes.insert(place, change);
        }
    }
    std::erase_if(earlier.changes, [](const Change& change) { return change.isEmpty(); });
    std::set<int> compute(earlier.compute.begin(), earlier.compute.end());
    compute.insert(asked.compute.begin(), asked.compute.end());
    earlier.compute.assign(compute.begin(), compute.end());
    return earlier;
}

WhatIf withoutParameters(WhatIf whatIf) {
    for (Change& change : whatIf.changes) {
        change.parameters = Json::object();
    }
    std::erase_if(whatIf.changes, [](const Change& change) { return change.isEmpty(); });
    return whatIf;
}

}  // namespace fw::job
