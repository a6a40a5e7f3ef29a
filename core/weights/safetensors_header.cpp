#include "core/weights/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <unordered_set>
#include <utility>

#include "core/base/json.h"
#include "core/weights/text.h"

namespace fw::weights {
namespace {

// The largest published header (12 shards, 1,095 tensors) has 0.2 MB. The bound keeps a hostile header from filling
// the memory: one entry costs a few times its text.
constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{16} << 20U;

constexpr std::array<std::pair<std::string_view, DType>, 8> kTypes{{{"F64", DType::F64},
                                                                    {"F32", DType::F32},
                                                                    {"F16", DType::F16},
                                                                    {"BF16", DType::BF16},
                                                                    {"I64", DType::I64},
                                                                    {"I32", DType::I32},
                                                                    {"I8", DType::I8},
                                                                    {"U8", DType::U8}}};

std::optional<DType> typeFromName(std::string_view name) {
    const auto found =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.first == name; });
    return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

// Receives the parse events of a header and keeps only what the format allows, so memory stays in proportion to the
// tensors and the nesting is bounded by construction.
class HeaderBuilder {
 public:
    bool null() { return unexpected("null"); }
    bool boolean(bool) { return unexpected("true or false"); }
    bool number_integer(Json::number_integer_t) { return unexpected("a negative number"); }
    bool number_float(Json::number_float_t, const std::string&) {
        return unexpected("a fraction or too large a number");
    }
    bool binary(Json::binary_t&) { return unexpected("binary data"); }
    bool number_unsigned(Json::number_unsigned_t value);
    bool string(std::string& value);
    bool start_object(std::size_t);
    bool key(std::string& name);
    bool end_object();
    bool start_array(std::size_t);
    bool end_array();
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
        return stop(fmt::format("the header is not valid JSON at byte {}", position));
    }

    SafetensorsHeader header;
    std::string problem;

 private:
    enum class Place { Start, Top, Metadata, Tensor, Shape, Offsets };
    enum class Field { None, Type, Shape, Offsets };

    bool stop(std::string text) {
        if (problem.empty()) {
            problem = std::move(text);
        }
        return false;
    }
    bool unexpected(std::string_view what) {
        return stop(m_name.empty()
                        ? fmt::format("the header holds {} where it cannot stand", what)
                        : fmt::format("the entry {} holds {} where it cannot stand", quoteText(m_name), what));
    }
    bool enterField(std::string_view name);

    Place m_place = Place::Start;
    Field m_field = Field::None;
    std::string m_name;  // of the tensor or metadata entry being read
    HeaderEntry m_entry;
    std::vector<std::uint64_t> m_offsets;
    bool m_hasType = false, m_hasShape = false, m_hasOffsets = false;
    std::unordered_set<std::string> m_names;
};

bool HeaderBuilder::number_unsigned(Json::number_unsigned_t value) {
    if (m_place == Place::Offsets) {
        if (m_offsets.size() == 2) {
            return stop(fmt::format("tensor {} has more than two offsets", quoteText(m_name)));
        }
        m_offsets.push_back(value);
        return true;
    }
    if (m_place != Place::Shape) {
        return unexpected("a number");
    }
    if (m_entry.shape.rank() == Shape::kMaxRank) {
        return stop(fmt::format("tensor {} has more than {} dimensions", quoteText(m_name), Shape::kMaxRank));
    }
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return stop(fmt::format("tensor {} has a dimension of {}", quoteText(m_name), value));
    }
    m_entry.shape.push(static_cast<std::int64_t>(value));
    return true;
}

bool HeaderBuilder::string(std::string& value) {
    if (m_place == Place::Metadata) {
        header.metadata.emplace(m_name, std::move(value));
        return true;
    }
    if (m_place != Place::Tensor || m_field != Field::Type) {
        return unexpected("a text");
    }
    const auto dtype = typeFromName(value);
    if (!dtype) {
        return stop(fmt::format("tensor {} has the type {}; F64, F32, F16, BF16, I64, I32, I8 and U8 can be read",
                                quoteText(m_name), quoteText(value)));
    }
    m_entry.dtype = *dtype;
    return true;
}

bool HeaderBuilder::start_object(std::size_t) {
    if (m_place == Place::Start) {
        m_place = Place::Top;
        return true;
    }
    if (m_place != Place::Top) {
        return unexpected("an object");
    }
    if (m_name == "__metadata__") {
        m_place = Place::Metadata;
        return true;
    }
    m_place = Place::Tensor;
    m_entry = HeaderEntry{};
    m_entry.name = m_name;
    m_offsets.clear();
    m_hasType = m_hasShape = m_hasOffsets = false;
    m_field = Field::None;
    return true;
}

bool HeaderBuilder::key(std::string& name) {
    if (m_place == Place::Tensor) {
        return enterField(name);
    }
    m_name = std::move(name);
    if (m_place == Place::Metadata) {
        return !header.metadata.contains(m_name) ||
               stop(fmt::format("the metadata key {} appears twice", quoteText(m_name)));
    }
    return m_names.insert(m_name).second || stop(fmt::format("the name {} appears twice", quoteText(m_name)));
}

bool HeaderBuilder::enterField(std::string_view name) {
    const auto claim = [&](bool& seen, Field field) {
        if (seen) {
            return stop(fmt::format("tensor {} states its {} twice", quoteText(m_name), quoteText(name)));
        }
        seen = true;
        m_field = field;
        return true;
    };
    if (name == "dtype") {
        return claim(m_hasType, Field::Type);
    }
    if (name == "shape") {
        return claim(m_hasShape, Field::Shape);
    }
    if (name == "data_offsets") {
        return claim(m_hasOffsets, Field::Offsets);
    }
    return stop(fmt::format("tensor {} has the unknown key {}", quoteText(m_name), quoteText(name)));
}

bool HeaderBuilder::end_object() {
    if (m_place == Place::Tensor) {
        if (!m_hasType || !m_hasShape || !m_hasOffsets || m_offsets.size() != 2) {
            return stop(fmt::format("tensor {} lacks its dtype, its shape or one of its two data_offsets",
                                    quoteText(m_name)));
        }
        m_entry.begin = m_offsets[0];
        m_entry.end = m_offsets[1];
        header.entries.push_back(std::move(m_entry));
    }
    m_place = Place::Top;  // after the outermost object the parser ends by itself
    m_name.clear();
    return true;
}

bool HeaderBuilder::start_array(std::size_t) {
    if (m_place == Place::Tensor && m_field == Field::Shape) {
        m_place = Place::Shape;
        return true;
    }
    if (m_place == Place::Tensor && m_field == Field::Offsets) {
        m_place = Place::Offsets;
        return true;
    }
    return unexpected("a list");
}

bool HeaderBuilder::end_array() {
    m_place = Place::Tensor;
    m_field = Field::None;
    return true;
}

// Bytes of a tensor of this type and shape; nothing when they exceed int64.
std::optional<std::uint64_t> sizeInBytes(const HeaderEntry& entry) {
    // An extent of 0 makes the product 0 whatever stands beside it; the other extents must still not overflow,
    // because strides are computed from them.
    std::int64_t bytes = dtypeSize(entry.dtype);
    bool empty = false;
    for (const std::int64_t extent : entry.shape) {
        empty = empty || extent == 0;
        if (extent != 0 && __builtin_mul_overflow(bytes, extent, &bytes)) {
            return std::nullopt;
        }
    }
    return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

Status checkEntry(const HeaderEntry& entry, std::uint64_t dataStart, std::uint64_t dataBytes) {
    const std::string name = quoteText(entry.name);
    const auto size = sizeInBytes(entry);
    if (!size) {
        return fail(ErrorCode::BadModel, "tensor {} of shape {} is larger than 2^63 bytes", name,
                    entry.shape.text());
    }
    if (entry.begin > entry.end || entry.end > dataBytes) {
        return fail(ErrorCode::BadModel, "tensor {} lies at bytes {} to {} of {} bytes of data", name, entry.begin,
                    entry.end, dataBytes);
    }
    if (entry.end - entry.begin != *size) {
        return fail(ErrorCode::BadModel, "tensor {} of {}{} needs {} bytes but its offsets hold {}", name,
                    safetensorsTypeName(entry.dtype), entry.shape.text(), *size, entry.end - entry.begin);
    }
    if ((dataStart + entry.begin) % static_cast<std::uint64_t>(dtypeSize(entry.dtype)) != 0) {
        return fail(ErrorCode::BadModel, "tensor {} starts at byte {}, which is not aligned to its type {}", name,
                    dataStart + entry.begin, safetensorsTypeName(entry.dtype));
    }
    return {};
}

Status checkEntries(SafetensorsHeader& header, std::uint64_t dataBytes) {
    for (const HeaderEntry& entry : header.entries) {
        FW_TRY(checkEntry(entry, header.dataStart, dataBytes));
    }
    std::sort(header.entries.begin(), header.entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t covered = 0;
    for (const HeaderEntry& entry : header.entries) {
        if (entry.begin != covered) {
            return fail(ErrorCode::BadModel,
                        "tensor {} starts at byte {} of the data but the one before ends at {}",
                        quoteText(entry.name), entry.begin, covered);
        }
        covered = entry.end;
    }
    if (covered != dataBytes) {
        return fail(ErrorCode::BadModel, "the tensors cover {} bytes of data but the file holds {}", covered,
                    dataBytes);
    }
    return {};
}

}  // namespace

std::string_view safetensorsTypeName(DType dtype) {
    const auto found =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.second == dtype; });
    FW_CHECK(found != kTypes.end(), "type {}", dtypeName(dtype));
    return found->first;
}

Result<SafetensorsHeader> parseSafetensorsHeader(std::span<const std::byte> file) {
    if (file.size() < 8) {
        return fail(ErrorCode::BadModel, "{} bytes are too few for a safetensors file", file.size());
    }
    std::uint64_t headerBytes = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        headerBytes |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
    }
    if (headerBytes > file.size() - 8) {
        return fail(ErrorCode::BadModel,
                    "its header claims {} bytes but the file has {}: not a safetensors file, or cut "
                    "short",
                    headerBytes, file.size());
    }
    if (headerBytes > kMaxHeaderBytes) {
        return fail(ErrorCode::BadModel, "its header of {} bytes is above the limit of {}", headerBytes,
                    kMaxHeaderBytes);
    }
    const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, headerBytes);
    if (text.empty() || text.front() != '{') {
        return fail(ErrorCode::BadModel, "its header does not start with '{{': not a safetensors file");
    }
    if (const auto position = firstInvalidUtf8(text)) {
        return fail(ErrorCode::BadModel, "byte {} of its header is not valid UTF-8", *position);
    }
    HeaderBuilder builder;
    if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
        return fail(ErrorCode::BadModel, "{}",
                    builder.problem.empty() ? "the header is not valid JSON" : builder.problem);
    }
    builder.header.dataStart = 8 + headerBytes;
    FW_TRY(checkEntries(builder.header, file.size() - builder.header.dataStart));
    return std::move(builder.header);
}

}  // namespace fw::weights
