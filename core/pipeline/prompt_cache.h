// Encoded prompts, kept so that the text encoder need not be on the device again.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace fw::pipeline {

// The last few prompts in host memory, and in a folder when one is given: one file for each, its key and
// .prompt.safetensors, tensor "embedding" f32 [rows, width]. Files are written whole or not at all; one that is
// damaged counts as absent and is written anew. What was not used for longest goes when they take too much; other
// files of the folder are left alone. Programs may share a folder. Used by one thread.
class PromptCache {
 public:
    static constexpr std::int64_t kFolderBytes = std::int64_t{256} << 20;

    // An empty folder: in memory only.
    explicit PromptCache(std::filesystem::path folder = {}, std::int64_t folderBytes = kFolderBytes)
        : m_folder(std::move(folder)), m_folderBytes(folderBytes) {}

    // Rows of `width` values of a prompt's embedding, without padding; null when it is not known. Valid until the
    // next call.
    [[nodiscard]] const std::vector<float>* find(const std::string& key, std::int64_t width);
    // A folder that cannot be written is no failure: the prompt is then encoded again next time.
    void add(const std::string& key, std::int64_t width, std::vector<float> rows);

    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }

 private:
    struct Entry {
        std::string key;
        std::vector<float> rows;
    };
    void remember(const std::string& key, std::vector<float> rows);
    [[nodiscard]] std::filesystem::path fileOf(const std::string& key) const;
    [[nodiscard]] Result<std::vector<float>> read(const std::string& key, std::int64_t width) const;
    void trim() const;

    std::filesystem::path m_folder;
    std::int64_t m_folderBytes;
    std::deque<Entry> m_entries;  // least recently used first
};

// Names an embedding: what encoded it (the model's hash, the type and kind of device it computes with) and the
// token ids. 64 hexadecimal digits.
[[nodiscard]] std::string promptKey(const std::string& modelHash, std::string_view dtype, std::string_view device,
                                    const std::vector<std::int32_t>& ids);

}  // namespace fw::pipeline
