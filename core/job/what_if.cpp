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

constexpr std::size_t kMostMasks = 64;
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

}  // namespace

Result<WhatIf> whatIfFromJson(const Json& json) {
    FW_TRY(checkKeys(json, "it", {"from_step", "set", "masks", "compute"}));
    WhatIf whatIf;
    if (json.contains("from_step")) {
        FW_ASSIGN(const std::int64_t step, wholeEntry(json.at("from_step"), "from_step", 0, kMaxSteps - 1));
        whatIf.fromStep = static_cast<int>(step);
    }
    whatIf.parameters = json.value("set", Json::object());
    const bool areNumbers = whatIf.parameters.is_object() && whatIf.parameters.size() <= kMostParameters &&
                            std::all_of(whatIf.parameters.begin(), whatIf.parameters.end(),
                                        [](const Json& v) { return v.is_number(); });
    if (!areNumbers) {
        return wrongEntry("set", "a JSON object of parameters of the attention method and numbers");
    }
    const Json compute = json.value("compute", Json::array());
    const Json masks = json.value("masks", Json::array());
    if (!compute.is_array() || compute.size() > std::size_t{kMaxSteps}) {
        return wrongEntry("compute", "a list of steps");
    }
    for (const Json& entry : compute) {
        FW_ASSIGN(const std::int64_t step, wholeEntry(entry, "a step of compute", 0, kMaxSteps - 1));
        whatIf.compute.push_back(static_cast<int>(step));
    }
    if (!masks.is_array() || masks.size() > kMostMasks) {
        return wrongEntry("masks", fmt::format("a list of at most {} masks", kMostMasks));
    }
    std::set<std::pair<int, int>> seen;
    std::size_t pairs = 0;
    for (const Json& entry : masks) {
        FW_ASSIGN(PaintedMask mask, maskFromJson(entry));
        for (const auto& row : mask.rows) {
            pairs += row.size();
        }
        if (pairs > kMostPairs) {
            return fail(ErrorCode::InvalidArgument, "what_if: the masks hold more than {} pairs of tiles",
                        kMostPairs);
        }
        if (!seen.insert({mask.layer, mask.head}).second) {
            return fail(ErrorCode::InvalidArgument, "what_if: there are two masks of layer {}, head {}", mask.layer,
                        mask.head);
        }
        whatIf.masks.push_back(std::move(mask));
    }
    return whatIf;
}

Json toJson(const WhatIf& whatIf) {
    Json masks = Json::array();
    for (const PaintedMask& mask : whatIf.masks) {
        Json json{{"layer", mask.layer}, {"head", mask.head}, {"rows", Json::array()}};
        if (mask.box[0] > 0) {
            json["box"] = mask.box;
        } else {
            json["size"] = mask.size;
        }
        for (const auto& row : mask.rows) {
            json["rows"].push_back(textOfRow(row));
        }
        masks.push_back(std::move(json));
    }
    Json json{{"from_step", whatIf.fromStep}};
    if (!whatIf.parameters.empty()) {
        json["set"] = whatIf.parameters;
    }
    if (!masks.empty()) {
        json["masks"] = std::move(masks);
    }
    if (!whatIf.compute.empty()) {
        json["compute"] = whatIf.compute;
    }
    return json;
}

int firstChange(const WhatIf& whatIf) {
    const auto computed = std::min_element(whatIf.compute.begin(), whatIf.compute.end());
    if (computed == whatIf.compute.end()) {
        return whatIf.fromStep;
    }
    return whatIf.masks.empty() && whatIf.parameters.empty() ? *computed : std::min(whatIf.fromStep, *computed);
}

}  // namespace fw::job
