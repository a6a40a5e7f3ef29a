#include "core/trace/npz.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "core/base/check.h"

namespace fw::trace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

namespace {

constexpr std::size_t kNpyAlignment = 64;

// CRC-32 of ISO 3309, what zip wants.
std::uint32_t checksum(std::string_view bytes) {
    static const auto table = [] {
        std::array<std::uint32_t, 256> values{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1U) : value >> 1U;
            }
            values[i] = value;
        }
        return values;
    }();
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char byte : bytes) {
        crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xFFU] ^ (crc >> 8U);
    }
    return ~crc;
}

// Little endian.
template <class T>
void append(std::string& out, T value) {
    std::array<char, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), &value, sizeof(T));
    out.append(bytes.data(), bytes.size());
}

std::string_view typeOf(DType dtype) {
    switch (dtype) {
        case DType::F16:
            return "<f2";
        case DType::F32:
            return "<f4";
        case DType::I32:
            return "<i4";
        case DType::I64:
            return "<i8";
        case DType::I8:
            return "|i1";
        case DType::U8:
            return "|u1";
        default:
            FW_CHECK(false, "NumPy has no {}", dtypeName(dtype));
            return {};
    }
}

// What does not decode becomes U+FFFD.
std::u32string decoded(std::string_view text) {
    std::u32string result;
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        const std::size_t length = first < 0x80        ? 1
                                   : first >> 5U == 6  ? 2
                                   : first >> 4U == 14 ? 3
                                   : first >> 3U == 30 ? 4
                                                       : 0;
        char32_t value = length == 1 ? first : first & (0xFFU >> (length + 1));
        bool good = length > 0 && i + length <= text.size();
        for (std::size_t k = 1; good && k < length; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            good = next >> 6U == 2;
            value = value << 6U | (next & 0x3FU);
        }
        result.push_back(good ? value : U'\uFFFD');
        i += good ? length : 1;
    }
    return result;
}

// The fields a file's two records have in common, from "version needed" to the length of its name.
void appendFacts(std::string& out, std::string_view name, std::string_view data) {
    append<std::uint16_t>(out, 20);         // version 2.0
    append<std::uint16_t>(out, 1U << 11U);  // the name is UTF-8
    append<std::uint16_t>(out, 0);          // stored
    append<std::uint16_t>(out, 0);          // midnight
    append<std::uint16_t>(out, 0x21);       // of 1 January 1980: the same arrays make the same file
    append<std::uint32_t>(out, checksum(data));
    append(out, static_cast<std::uint32_t>(data.size()));
    append(out, static_cast<std::uint32_t>(data.size()));
    append(out, static_cast<std::uint16_t>(name.size()));
    append<std::uint16_t>(out, 0);  // extra field
}

}  // namespace

void NpzArchive::add(const std::string& name, std::string_view type, const std::vector<std::int64_t>& shape,
                     std::string_view data) {
    std::string extents;
    for (const std::int64_t extent : shape) {
        extents += fmt::format("{}, ", extent);
    }
    std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, extents);
    constexpr std::size_t kBefore = 10;  // magic, version and the header's length
    header.append(kNpyAlignment - 1 - (kBefore + header.size()) % kNpyAlignment, ' ');
    header += '\n';
    std::string npy("\x93NUMPY\x01\x00", 8);
    append(npy, static_cast<std::uint16_t>(header.size()));
    npy += header;
    npy += data;
    std::string file = name + ".npy";
    std::replace(file.begin(), file.end(), '/', '_');
    const auto isTaken = [&] {
        return std::any_of(m_entries.begin(), m_entries.end(), [&](const Entry& e) { return e.name == file; });
    };
    for (int copy = 2; isTaken(); ++copy) {
        file = fmt::format("{}_{}.npy", name, copy);
    }
    m_entries.push_back({std::move(file), std::move(npy)});
}

void NpzArchive::add(const std::string& name, const ConstTensorView& array) {
    FW_CHECK(array.isContiguous() && array.device() == DeviceKind::Cpu, "{}", array.text());
    std::vector<std::int64_t> shape;
    for (const std::int64_t extent : array.shape()) {
        shape.push_back(extent);
    }
    add(name, typeOf(array.dtype()), shape,
        {static_cast<const char*>(array.data()), static_cast<std::size_t>(array.bytes())});
}

void NpzArchive::add(const std::string& name, std::span<const double> values) {
    add(name, "<f8", {static_cast<std::int64_t>(values.size())},
        {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

void NpzArchive::add(const std::string& name, std::span<const std::string> texts) {
    std::vector<std::u32string> wide;
    std::size_t longest = 1;
    for (const std::string& text : texts) {
        wide.push_back(decoded(text));
        longest = std::max(longest, wide.back().size());
    }
    std::u32string all;
    for (std::u32string& text : wide) {
        text.resize(longest, U'\0');
        all += text;
    }
    add(name, fmt::format("<U{}", longest), {static_cast<std::int64_t>(texts.size())},
        {reinterpret_cast<const char*>(all.data()), all.size() * sizeof(char32_t)});
}

Result<std::string> NpzArchive::bytes() const {
    constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max() - 1;
    std::size_t size = 22;
    for (const Entry& entry : m_entries) {
        size += entry.npy.size() + 2 * entry.name.size() + 76;
    }
    if (size > kMost || m_entries.size() > 65'534) {
        return fail(ErrorCode::Unsupported,
                    "{} arrays of {} bytes do not fit into an .npz file of 4 GiB; choose fewer steps or layers",
                    m_entries.size(), size);
    }
    std::string out, directory;
    out.reserve(size);
    for (const Entry& entry : m_entries) {
        const auto offset = static_cast<std::uint32_t>(out.size());
        out += "PK\x03\x04";
        appendFacts(out, entry.name, entry.npy);
        out += entry.name;
        out += entry.npy;
        directory += "PK\x01\x02";
        append<std::uint16_t>(directory, 20);  // made by version 2.0
        appendFacts(directory, entry.name, entry.npy);
        append<std::uint16_t>(directory, 0);  // comment
        append<std::uint16_t>(directory, 0);  // disk
        append<std::uint16_t>(directory, 0);  // internal attributes
        append<std::uint32_t>(directory, 0);  // external attributes
        append(directory, offset);
        directory += entry.name;
    }
    const auto start = static_cast<std::uint32_t>(out.size());
    out += directory;
    out += "PK\x05\x06";
    append<std::uint32_t>(out, 0);  // disks
    append(out, static_cast<std::uint16_t>(m_entries.size()));
    append(out, static_cast<std::uint16_t>(m_entries.size()));
    append(out, static_cast<std::uint32_t>(directory.size()));
    append(out, start);
    append<std::uint16_t>(out, 0);  // comment
    return out;
}

}  // namespace fw::trace
