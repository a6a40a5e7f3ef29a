#include "core/weights/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <set>
#include <span>
#include <system_error>

#include "core/weights/model_config.h"
#include "core/weights/safetensors_header.h"
#include "core/weights/text.h"

namespace fw::weights {
namespace {

std::string systemReason(int number) {
    return std::system_category().message(number);
}

}  // namespace

// One mapped file. The descriptor stays open so that stillWhole() asks about the same file even after a rename.
struct SafetensorsFile::Mapping {
    std::filesystem::path path;
    int descriptor = -1;
    void* data = MAP_FAILED;
    std::size_t bytes = 0;

    Mapping() = default;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() {
        if (data != MAP_FAILED) {
            ::munmap(data, bytes);
        }
        if (descriptor >= 0) {
            ::close(descriptor);
        }
    }

    [[nodiscard]] std::span<const std::byte> contents() const {
        return {static_cast<const std::byte*>(data), data == MAP_FAILED ? 0 : bytes};
    }

    [[nodiscard]] static Result<std::unique_ptr<Mapping>> open(const std::filesystem::path& path) {
        auto mapping = std::make_unique<Mapping>();
        mapping->path = path;
        // O_NONBLOCK: opening a pipe by mistake must not wait for its writer.
        mapping->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (mapping->descriptor < 0) {
            return fail(ErrorCode::Io, "{} cannot be opened: {}", path.string(), systemReason(errno));
        }
        struct stat status {};
        if (::fstat(mapping->descriptor, &status) != 0) {
            return fail(ErrorCode::Io, "{} cannot be examined: {}", path.string(), systemReason(errno));
        }
        if (!S_ISREG(status.st_mode)) {
            return fail(ErrorCode::Io, "{} is not a file", path.string());
        }
        mapping->bytes = static_cast<std::size_t>(status.st_size);
        if (mapping->bytes == 0) {
            return mapping;  // an empty file cannot be mapped; its contents are an empty span
        }
        mapping->data = ::mmap(nullptr, mapping->bytes, PROT_READ, MAP_PRIVATE, mapping->descriptor, 0);
        if (mapping->data == MAP_FAILED) {
            return fail(ErrorCode::Io, "{} ({} bytes) cannot be mapped: {}", path.string(), mapping->bytes,
                        systemReason(errno));
        }
        return mapping;
    }
};

SafetensorsFile::SafetensorsFile() = default;
SafetensorsFile::~SafetensorsFile() = default;

Result<std::unique_ptr<SafetensorsFile>> SafetensorsFile::open(const std::filesystem::path& path) {
    std::unique_ptr<SafetensorsFile> file(new SafetensorsFile);
    file->m_path = path;
    if (path.extension() == ".json") {
        FW_TRY(file->addIndex(path));
    } else {
        FW_TRY(file->addFile(path));
    }
    return file;
}

Status SafetensorsFile::addFile(const std::filesystem::path& path) {
    FW_ASSIGN(auto mapping, Mapping::open(path));
    auto header = parseSafetensorsHeader(mapping->contents());
    if (!header) {
        return tl::unexpected(std::move(header).error().within(path.string()));
    }
    const std::byte* data = mapping->contents().data() + header->dataStart;
    for (const HeaderEntry& entry : header->entries) {
        const ConstTensorView view(data + entry.begin, entry.dtype, entry.shape);
        if (!m_tensors.emplace(entry.name, view).second) {
            return fail(ErrorCode::BadModel, "{}: tensor {} is also in another file of {}", path.string(),
                        quoteText(entry.name), m_path.string());
        }
    }
    if (m_mappings.empty()) {
        m_metadata = std::move(header->metadata);
    }
    m_mappings.push_back(std::move(mapping));
    return {};
}

namespace {

// The shard of every tensor, from {"weight_map": {"name": "file", …}}.
Result<std::map<std::string, std::string>> readWeightMap(const Json& json) {
    const bool hasMap = json.is_object() && json.contains("weight_map") && json["weight_map"].is_object();
    if (!hasMap) {
        return fail(ErrorCode::BadModel, "the object \"weight_map\" is missing");
    }
    std::map<std::string, std::string> result;
    for (const auto& [name, value] : json["weight_map"].items()) {
        const std::string shard = value.is_string() ? value.get<std::string>() : "";
        // Only files beside the index: a path could lead anywhere.
        const bool plain = !shard.empty() && shard != "." && shard != ".." &&
                           shard.find('/') == std::string::npos && shard.find('\0') == std::string::npos &&
                           shard.ends_with(".safetensors");
        if (!plain) {
            return fail(ErrorCode::BadModel,
                        "tensor {} is said to lie in {}, which is no safetensors file beside it", quoteText(name),
                        quoteText(shard));
        }
        result.emplace(name, shard);
    }
    if (result.empty()) {
        return fail(ErrorCode::BadModel, "\"weight_map\" is empty");
    }
    return result;
}

}  // namespace

Status SafetensorsFile::addIndex(const std::filesystem::path& path) {
    constexpr std::size_t kMaxShards = 1000;
    FW_ASSIGN(const Json json, readJsonFile(path));
    auto map = readWeightMap(json);
    if (!map) {
        return tl::unexpected(std::move(map).error().within(path.string()));
    }
    std::set<std::string> shards;
    for (const auto& [name, shard] : *map) {
        shards.insert(shard);
    }
    if (shards.size() > kMaxShards) {
        return fail(ErrorCode::BadModel, "{} names {} files; the limit is {}", path.string(), shards.size(),
                    kMaxShards);
    }
    for (const std::string& shard : shards) {
        const auto shardPath = path.parent_path() / shard;
        std::error_code error;
        if (!std::filesystem::exists(shardPath, error)) {
            return fail(ErrorCode::BadModel, "{} names the file {}, which is missing", path.string(),
                        quoteText(shard));
        }
        // A file may hold more than is asked of it: another model's weights, of which this one shares some.
        FW_ASSIGN(const auto whole, open(shardPath));
        for (const auto& [name, view] : whole->m_tensors) {
            const auto home = map->find(name);
            if (home != map->end() && home->second == shard) {
                m_tensors.emplace(name, view);
            }
        }
        if (m_mappings.empty()) {
            m_metadata = whole->m_metadata;
        }
        m_mappings.push_back(std::move(whole->m_mappings.front()));
        for (const auto& [name, home] : *map) {
            if (home == shard && !m_tensors.contains(name)) {
                return fail(ErrorCode::BadModel, "{} promises tensor {} in {}, which does not hold it",
                            path.string(), quoteText(name), quoteText(shard));
            }
        }
    }
    return {};
}

Result<ConstTensorView> SafetensorsFile::tensor(const std::string& name) const {
    const auto found = m_tensors.find(name);
    if (found == m_tensors.end()) {
        return fail(ErrorCode::BadModel, "{}: tensor {} is missing", m_path.string(), quoteText(name));
    }
    return found->second;
}

Result<ConstTensorView> SafetensorsFile::tensor(const std::string& name, const Shape& shape) const {
    FW_ASSIGN(const ConstTensorView view, tensor(name));
    if (!(view.shape() == shape)) {
        return fail(ErrorCode::BadModel, "{}: tensor {} has shape {} where {} is expected", m_path.string(),
                    quoteText(name), view.shape().text(), shape.text());
    }
    return view;
}

std::int64_t SafetensorsFile::fileBytes() const {
    std::int64_t result = 0;
    for (const auto& mapping : m_mappings) {
        result += static_cast<std::int64_t>(mapping->bytes);
    }
    return result;
}

Status SafetensorsFile::stillWhole() const {
    for (const auto& mapping : m_mappings) {
        struct stat status {};
        if (::fstat(mapping->descriptor, &status) != 0) {
            return fail(ErrorCode::Io, "{} cannot be examined: {}", mapping->path.string(), systemReason(errno));
        }
        if (static_cast<std::size_t>(status.st_size) < mapping->bytes) {
            return fail(ErrorCode::BadModel, "{} had {} bytes when it was opened and has {} now",
                        mapping->path.string(), mapping->bytes, status.st_size);
        }
    }
    return {};
}

}  // namespace fw::weights
