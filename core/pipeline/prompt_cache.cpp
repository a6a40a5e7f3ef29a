#include "core/pipeline/prompt_cache.h"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/model/sha256.h"
#include "core/weights/safetensors.h"

namespace fw::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEntriesInMemory = 8;
constexpr const char* kTensor = "embedding";
// Tells our files from others in a folder that somebody named.
constexpr std::string_view kEnding = ".prompt.safetensors";

std::string digest(const std::vector<float>& values) {
    model::Sha256 hash;
    hash.add(std::as_bytes(std::span(values)));
    return hash.finish();
}

}  // namespace

std::string promptKey(const std::string& modelHash, std::string_view dtype, std::string_view device,
                      const std::vector<std::int32_t>& ids) {
    model::Sha256 hash;
    hash.addText(modelHash);
    hash.addText(dtype);
    hash.addText(device);
    hash.add(std::as_bytes(std::span(ids)));
    return hash.finish();
}

fs::path PromptCache::fileOf(const std::string& key) const {
    return m_folder / (key + std::string(kEnding));
}

const std::vector<float>* PromptCache::find(const std::string& key, std::int64_t width) {
    const auto found =
        std::find_if(m_entries.begin(), m_entries.end(), [&](const Entry& entry) { return entry.key == key; });
    if (found != m_entries.end()) {
        std::rotate(found, found + 1, m_entries.end());
        return &m_entries.back().rows;
    }
    if (m_folder.empty()) {
        return nullptr;
    }
    auto rows = read(key, width);
    if (!rows) {
        return nullptr;
    }
    std::error_code ignored;
    fs::last_write_time(fileOf(key), fs::file_time_type::clock::now(), ignored);  // used: it goes last
    remember(key, std::move(*rows));
    return &m_entries.back().rows;
}

// BadModel or Io when there is none, or not a whole one.
Result<std::vector<float>> PromptCache::read(const std::string& key, std::int64_t width) const {
    FW_ASSIGN(const auto file, weights::SafetensorsFile::open(fileOf(key)));
    FW_ASSIGN(const ConstTensorView view, file->tensor(kTensor));
    const auto hash = file->metadata().find("sha256");
    if (view.dtype() != DType::F32 || view.rank() != 2 || view.dim(1) != width || view.dim(0) < 1 ||
        hash == file->metadata().end()) {
        return fail(ErrorCode::BadModel, "{} holds no encoded prompt", file->path().string());
    }
    const auto* values = view.as<float>();
    std::vector<float> rows(values, values + view.count());
    if (digest(rows) != hash->second) {
        return fail(ErrorCode::BadModel, "{} is damaged", file->path().string());
    }
    return rows;
}

void PromptCache::remember(const std::string& key, std::vector<float> rows) {
    if (m_entries.size() == kEntriesInMemory) {
        m_entries.pop_front();
    }
    m_entries.push_back({key, std::move(rows)});
}

void PromptCache::add(const std::string& key, std::int64_t width, std::vector<float> rows) {
    remember(key, std::move(rows));
    if (m_folder.empty()) {
        return;
    }
    std::error_code error;
    if (fs::create_directories(m_folder, error)) {
        // What was asked of a model is nobody else's business.
        fs::permissions(m_folder, fs::perms::owner_all, error);
    }
    const std::vector<float>& values = m_entries.back().rows;
    const ConstTensorView view(values.data(), DType::F32,
                               {static_cast<std::int64_t>(values.size()) / width, width});
    const std::map<std::string, std::string> metadata{{"sha256", digest(values)}};
    static_cast<void>(weights::writeSafetensors(fileOf(key), {{kTensor, view}}, metadata));
    trim();
}

void PromptCache::trim() const {
    struct File {
        fs::file_time_type used;
        std::int64_t bytes;
        fs::path path;
    };
    std::vector<File> files;
    std::int64_t total = 0;
    std::error_code error;
    for (fs::directory_iterator entry(m_folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code gone;  // another program may trim at the same time
        const auto bytes = static_cast<std::int64_t>(entry->file_size(gone));
        const auto used = entry->last_write_time(gone);
        const std::string name = entry->path().filename().string();
        const bool ours = name.size() > kEnding.size() && name.substr(name.size() - kEnding.size()) == kEnding;
        if (!gone && ours) {
            files.push_back({used, bytes, entry->path()});
            total += bytes;
        }
    }
    std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.used < b.used; });
    for (const File& file : files) {
        if (total <= m_folderBytes) {
            return;
        }
        std::error_code gone;
        fs::remove(file.path, gone);
        total -= file.bytes;
    }
}

}  // namespace fw::pipeline
