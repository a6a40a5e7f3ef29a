// Reader and writer of the safetensors format (https://github.com/huggingface/safetensors), memory-mapped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::model {

// A read-only file or a sharded set of them (….index.json). Views borrow the mapping and die with the object.
// Everything in the header is checked before it is believed: BadModel names the file, the tensor and the numbers.
class SafetensorsFile {
 public:
    // One .safetensors file, or an index whose shards lie beside it.
    [[nodiscard]] static Result<std::unique_ptr<SafetensorsFile>> open(const std::filesystem::path& path);
    ~SafetensorsFile();

    [[nodiscard]] bool contains(const std::string& name) const { return m_tensors.contains(name); }
    // BadModel when the tensor is missing.
    [[nodiscard]] Result<ConstTensorView> tensor(const std::string& name) const;
    // The same, also checking the shape.
    [[nodiscard]] Result<ConstTensorView> tensor(const std::string& name, const Shape& shape) const;
    [[nodiscard]] const std::map<std::string, ConstTensorView>& tensors() const { return m_tensors; }
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return m_metadata; }

 private:
    struct Mapping;
    SafetensorsFile();
    std::vector<std::unique_ptr<Mapping>> m_mappings;
    std::map<std::string, ConstTensorView> m_tensors;
    std::map<std::string, std::string> m_metadata;
};

// Writes through `<path>.part` and renames: a reader never sees half a file. Contiguous host tensors.
[[nodiscard]] Status writeSafetensors(const std::filesystem::path& path,
                                      const std::vector<std::pair<std::string, ConstTensorView>>& tensors,
                                      const std::map<std::string, std::string>& metadata);

}  // namespace fw::model
