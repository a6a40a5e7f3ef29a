// The SentencePiece tokenizer with what the catalog asks of it besides the Tokenizer interface.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/base/result.h"
#include "core/model/video_model.h"

namespace fw::model {

struct LoadedTokenizer {
    std::unique_ptr<Tokenizer> tokenizer;
    // One above the largest id encode() can return; the text encoder's vocabulary must be at least as large.
    std::int64_t idLimit = 0;
};

// From <folder>/tokenizer/{tokenizer_config.json, spiece.model}. BadModel when either is missing, damaged or they
// disagree.
[[nodiscard]] Result<LoadedTokenizer> loadSentencePieceTokenizer(const std::filesystem::path& folder);

}  // namespace fw::model
