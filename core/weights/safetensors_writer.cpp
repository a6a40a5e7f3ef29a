#include <algorithm>
#include <limits>
#include <set>
#include <span>

#include "core/base/json.h"
#include "core/base/part_file.h"
#include "core/weights/safetensors.h"
#include "core/weights/safetensors_header.h"
#include "core/weights/text.h"

namespace fw::weights {
namespace {

using NamedView = std::pair<std::string, ConstTensorView>;

Status checkTexts(const std::vector<NamedView>& tensors, const std::map<std::string, std::string>& metadata) {
    std::set<std::string> names;
    for (const auto& [name, view] : tensors) {
        FW_CHECK(view.device() == DeviceKind::Cpu && view.isContiguous(), "tensor {}: {}", name, view.text());
        FW_CHECK(view.data() != nullptr || view.count() == 0, "tensor {}: no data", name);
        if (name.empty() || name == "__metadata__" || firstInvalidUtf8(name) || !names.insert(name).second) {
            return fail(ErrorCode::InvalidArgument,
                        "a tensor cannot be named {}: names are UTF-8, not empty, not "
                        "__metadata__ and differ",
                        quoteText(name));
        }
    }
    for (const auto& [key, value] : metadata) {
        if (firstInvalidUtf8(key) || firstInvalidUtf8(value)) {
            return fail(ErrorCode::InvalidArgument, "the metadata entry {} is not valid UTF-8", quoteText(key));
        }
    }
    return {};
}

// Length field and JSON, padded with spaces so that the data starts at a multiple of 8.
std::string headerText(const std::vector<const NamedView*>& tensors,
                       const std::map<std::string, std::string>& metadata) {
    OrderedJson json = OrderedJson::object();
    if (!metadata.empty()) {
        json["__metadata__"] = metadata;
    }
    std::int64_t offset = 0;
    for (const NamedView* tensor : tensors) {
        const auto& [name, view] = *tensor;
        OrderedJson entry;
        entry["dtype"] = safetensorsTypeName(view.dtype());
        entry["shape"] = std::vector<std::int64_t>(view.shape().begin(), view.shape().end());
        entry["data_offsets"] = {offset, offset + view.bytes()};
        json[name] = std::move(entry);
        offset += view.bytes();
    }
    std::string text = json.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::string result;
    for (unsigned i = 0; i < 8; ++i) {
        result.push_back(static_cast<char>(static_cast<std::uint8_t>(std::uint64_t{text.size()} >> (8U * i))));
    }
    return result + text;
}

}  // namespace

Status writeSafetensors(const std::filesystem::path& path, const std::vector<NamedView>& tensors,
                        const std::map<std::string, std::string>& metadata) {
    FW_TRY(checkTexts(tensors, metadata));
    // Widest types first, so that every tensor is aligned without padding; the caller's order within a type's
    // width.
    std::vector<const NamedView*> order;
    order.reserve(tensors.size());
    for (const NamedView& tensor : tensors) {
        order.push_back(&tensor);
    }
    std::stable_sort(order.begin(), order.end(), [](const NamedView* a, const NamedView* b) {
        return dtypeSize(a->second.dtype()) > dtypeSize(b->second.dtype());
    });
    PartFile part(path);
    FW_TRY(part.create());
    const std::string header = headerText(order, metadata);
    FW_TRY(part.write(std::as_bytes(std::span(header))));
    for (const NamedView* tensor : order) {
        const ConstTensorView& view = tensor->second;
        FW_TRY(part.write({static_cast<const std::byte*>(view.data()), static_cast<std::size_t>(view.bytes())}));
    }
    return part.finish();
}

}  // namespace fw::weights
