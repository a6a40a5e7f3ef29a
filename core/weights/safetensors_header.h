// The header of one safetensors file: parsed and checked, without touching the data. Internal to the reader.
//
// Layout of a file: u64 little-endian header length n, n bytes of JSON, data. The JSON maps each tensor's name to
// {"dtype", "shape", "data_offsets": [begin, end)}, offsets counted from the start of the data; "__metadata__" maps
// texts to texts. https://github.com/huggingface/safetensors#format
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace fw::weights {

struct HeaderEntry {
    std::string name;
    DType dtype = DType::F32;
    Shape shape;
    std::uint64_t begin = 0, end = 0;  // bytes, counted from the start of the data
};

struct SafetensorsHeader {
    std::uint64_t dataStart = 0;  // bytes from the start of the file
    std::vector<HeaderEntry> entries;
    std::map<std::string, std::string> metadata;
};

// `file`: the whole file's bytes. On success every entry lies inside the file, is aligned to its element, has the
// length its type and shape need, and the entries cover the data without hole or overlap. BadModel otherwise.
[[nodiscard]] Result<SafetensorsHeader> parseSafetensorsHeader(std::span<const std::byte> file);

// "F32", "BF16", …: the format's own names.
[[nodiscard]] std::string_view safetensorsTypeName(DType dtype);

}  // namespace fw::weights
