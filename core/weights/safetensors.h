// Reader and writer of the safetensors format (https://github.com/huggingface/safetensors), memory-mapped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::weights {

// A read-only file or a sharded set of them (….index.json). Views borrow the mapping and die with the object.
// Everything in the header is checked before it is believed: BadModel names the file, the tensor and the numbers.
// Refused: headers longer than the file or 16 MiB, JSON that is no UTF-8, nested deeper than 4 levels or with a
// name twice, unknown types, more than 8 dimensions, sizes that overflow, offsets that overlap, leave a hole, point
// outside the data, are not aligned to the type or disagree with type and shape, and shards that lack what the
// index promises or hold a name twice.
//
// Limit: the file's size is checked when it is opened. Another process that truncates it afterwards makes reading a
// view raise SIGBUS, as with every mapped file; call stillWhole() before a long use of a file others may write.
class SafetensorsFile {
 public:
    // One .safetensors file, or an index whose shards lie beside it. Io when it cannot be opened or mapped.
    [[nodiscard]] static Result<std::unique_ptr<SafetensorsFile>> open(const std::filesystem::path& path);
    ~SafetensorsFile();
    SafetensorsFile(const SafetensorsFile&) = delete;
    SafetensorsFile& operator=(const SafetensorsFile&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] bool contains(const std::string& name) const { return m_tensors.contains(name); }
    // BadModel when the tensor is missing. A view's data is aligned to its element.
    [[nodiscard]] Result<ConstTensorView> tensor(const std::string& name) const;
    // The same, also checking the shape.
    [[nodiscard]] Result<ConstTensorView> tensor(const std::string& name, const Shape& shape) const;
    [[nodiscard]] const std::map<std::string, ConstTensorView>& tensors() const { return m_tensors; }
    // __metadata__ of the file; of an index: of its first shard.
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return m_metadata; }
    // Bytes of all files of the set.
    [[nodiscard]] std::int64_t fileBytes() const;
    // BadModel when a file of the set is shorter than when it was opened.
    [[nodiscard]] Status stillWhole() const;

 private:
    struct Mapping;
    SafetensorsFile();
    [[nodiscard]] Status addFile(const std::filesystem::path& path);
    [[nodiscard]] Status addIndex(const std::filesystem::path& path);

    std::filesystem::path m_path;
    std::vector<std::unique_ptr<Mapping>> m_mappings;
    std::map<std::string, ConstTensorView> m_tensors;
    std::map<std::string, std::string> m_metadata;
};

// BadModel naming the tensor, the position and the value when `view` (contiguous; F32, F64, F16 or BF16; integer
// types always pass) holds a NaN or an infinity. Loaders call it on every weight. Reads at memory speed.
[[nodiscard]] Status checkFinite(const ConstTensorView& view, std::string_view name);

// Writes through `<path>.part`, synchronises and renames: a reader never sees half a file, and the .part file is
// removed on failure. Contiguous host tensors of any type but none twice; Io names the file and the system's
// reason.
[[nodiscard]] Status writeSafetensors(const std::filesystem::path& path,
                                      const std::vector<std::pair<std::string, ConstTensorView>>& tensors,
                                      const std::map<std::string, std::string>& metadata);

}  // namespace fw::weights
