#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <set>
#include <span>
#include <system_error>

#include "core/base/json.h"
#include "core/weights/safetensors.h"
#include "core/weights/safetensors_header.h"
#include "core/weights/text.h"

namespace fw::weights {
namespace {

using NamedView = std::pair<std::string, ConstTensorView>;

tl::unexpected<Error> ioFailure(const std::filesystem::path& path, std::string_view doing) {
    const std::string reason = std::system_category().message(errno);
    return fail(ErrorCode::Io, "{} cannot be {}: {}", path.string(), doing, reason);
}

// A new file `<target>.part`, or `<target>.part-2` … where such a file stands, perhaps somebody's: removed unless
// finish() succeeds.
class PartFile {
 public:
    explicit PartFile(const std::filesystem::path& target) : m_target(target) {}
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;
    ~PartFile() {
        if (m_descriptor >= 0) {
            ::close(m_descriptor);
        }
        if (m_created) {
            ::unlink(m_path.c_str());
        }
    }

    [[nodiscard]] Status create() {
        constexpr int kNames = 100;
        for (int number = 1; m_descriptor < 0 && number <= kNames; ++number) {
            m_path = m_target;
            m_path += number == 1 ? std::string(".part") : ".part-" + std::to_string(number);
            m_descriptor = ::open(m_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
            if (m_descriptor < 0 && errno != EEXIST) {
                break;
            }
        }
        if (m_descriptor < 0) {
            return ioFailure(m_path, "created");
        }
        m_created = true;
        return {};
    }

    [[nodiscard]] Status write(std::span<const std::byte> bytes) {
        constexpr std::size_t kPiece = std::size_t{1} << 30U;  // one call moves less than 2 GiB
        while (!bytes.empty()) {
            const ssize_t written = ::write(m_descriptor, bytes.data(), std::min(bytes.size(), kPiece));
            if (written < 0 && errno == EINTR) {
                continue;
            }
            if (written <= 0) {
                return ioFailure(m_path, "written");
            }
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return {};
    }

    // To disk, then under its final name.
    [[nodiscard]] Status finish() {
        if (::fsync(m_descriptor) != 0) {
            return ioFailure(m_path, "written to disk");
        }
        const int descriptor = m_descriptor;
        m_descriptor = -1;
        if (::close(descriptor) != 0) {
            return ioFailure(m_path, "closed");
        }
        if (::rename(m_path.c_str(), m_target.c_str()) != 0) {
            return ioFailure(m_target, "put in place");
        }
        m_created = false;
        syncFolder(m_target);
        return {};
    }

 private:
    // Makes the rename itself durable. The file is whole either way, so a file system that cannot is no failure.
    static void syncFolder(const std::filesystem::path& target) {
        const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
        const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor >= 0) {
            (void)::fsync(descriptor);
            ::close(descriptor);
        }
    }

    std::filesystem::path m_target, m_path;
    int m_descriptor = -1;
    bool m_created = false;
};

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
