// SentencePiece (https://github.com/google/sentencepiece) on tokenizer/spiece.model, with the
// reference's prompt cleaning before it and T5's end of sequence behind it.
#include "core/model/tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/model/prompt_cleaning.h"
#include "core/weights/model_config.h"
#include "core/weights/read_file.h"

namespace fw::model {
namespace {

constexpr std::uintmax_t kMaxModelBytes = std::uintmax_t{64} << 20U;  // UMT5's has 4.5 MB

class SentencePieceTokenizer final : public Tokenizer {
 public:
    [[nodiscard]] static Result<LoadedTokenizer> create(const std::string& modelBytes,
                                                        weights::TokenizerConfig config) {
        auto tokenizer = std::make_unique<SentencePieceTokenizer>(std::move(config));
        if (const auto status = tokenizer->m_processor.LoadFromSerializedProto(modelBytes); !status.ok()) {
            return fail(ErrorCode::BadModel, "not a SentencePiece model: {}", status.ToString());
        }
        FW_TRY(tokenizer->checkVocabulary());
        tokenizer->addOwnSpecialTokens();
        const std::int64_t limit = tokenizer->idLimit();
        return LoadedTokenizer{std::move(tokenizer), limit};
    }

    explicit SentencePieceTokenizer(weights::TokenizerConfig config) : m_config(std::move(config)) {}

    [[nodiscard]] Result<std::vector<std::int32_t>> encode(std::string_view text) const override {
        FW_ASSIGN(const std::string clean, cleanPrompt(text));
        std::vector<std::int32_t> ids;
        std::size_t position = 0;
        while (position < clean.size()) {
            const auto [start, token] = nextSpecial(clean, position);
            FW_TRY(encodePiece(std::string_view(clean).substr(position, start - position), ids));
            if (token == m_config.specialTokens.end()) {
                break;
            }
            ids.push_back(token->second);
            position = start + token->first.size();
        }
        const auto room = static_cast<std::size_t>(m_config.modelMaxLength) - 1;
        ids.resize(std::min(ids.size(), room));
        ids.push_back(m_eosId);
        return ids;
    }

    [[nodiscard]] std::int64_t maxTokens() const override { return m_config.modelMaxLength; }

 private:
    using SpecialToken = std::map<std::string, std::int32_t>::const_iterator;

    // The padding, end and unknown tokens are special in every T5 tokenizer, also where the configuration lists
    // none.
    void addOwnSpecialTokens() {
        for (const std::string& token : {m_config.padToken, m_config.eosToken, m_config.unkToken}) {
            const int id = m_processor.PieceToId(token);
            if (!token.empty() && m_processor.IdToPiece(id) == token) {
                m_config.specialTokens.emplace(token, id);
            }
        }
    }

    // A model without the configured tokens, or with ids beyond its vocabulary, would feed the encoder nonsense.
    [[nodiscard]] Status checkVocabulary() {
        const int pieces = m_processor.GetPieceSize();
        m_eosId = m_processor.PieceToId(m_config.eosToken);
        if (pieces <= 0 || m_processor.IsUnknown(m_eosId)) {
            return fail(ErrorCode::BadModel, "its {} pieces lack the end-of-sequence token '{}'", pieces,
                        m_config.eosToken);
        }
        for (const auto& [token, id] : m_config.specialTokens) {
            // Sentinels ("<extra_id_0>") stand behind the pieces; a token that is a piece must be that piece.
            if (id < pieces && m_processor.IdToPiece(id) != token) {
                return fail(ErrorCode::BadModel, "the special token '{}' has the id {} of the piece '{}'", token,
                            id, m_processor.IdToPiece(id));
            }
        }
        return {};
    }

    [[nodiscard]] std::int64_t idLimit() const {
        std::int64_t result = m_processor.GetPieceSize();
        for (const auto& [token, id] : m_config.specialTokens) {
            result = std::max<std::int64_t>(result, id + 1);
        }
        return result;
    }

    // Where the next special token begins at or after `position`, and which; the text's end when there is none. Of
    // several at one place the longest.
    [[nodiscard]] std::pair<std::size_t, SpecialToken> nextSpecial(const std::string& text,
                                                                   std::size_t position) const {
        std::pair<std::size_t, SpecialToken> best{text.size(), m_config.specialTokens.end()};
        for (auto token = m_config.specialTokens.begin(); token != m_config.specialTokens.end(); ++token) {
            const std::size_t found = text.find(token->first, position);
            const bool longer = found == best.first && best.second != m_config.specialTokens.end() &&
                                token->first.size() > best.second->first.size();
            if (found < best.first || longer) {
                best = {found, token};
            }
        }
        return best;
    }

    [[nodiscard]] Status encodePiece(std::string_view text, std::vector<std::int32_t>& ids) const {
        std::vector<int> pieces;
        if (const auto status = m_processor.Encode({text.data(), text.size()}, &pieces); !status.ok()) {
            return fail(ErrorCode::Internal, "the prompt cannot be split into tokens: {}", status.ToString());
        }
        ids.insert(ids.end(), pieces.begin(), pieces.end());
        return {};
    }

    weights::TokenizerConfig m_config;
    sentencepiece::SentencePieceProcessor m_processor;
    std::int32_t m_eosId = 1;
};

}  // namespace

Result<LoadedTokenizer> loadSentencePieceTokenizer(const std::filesystem::path& folder) {
    FW_ASSIGN(auto config, weights::loadTokenizerConfig(folder));
    const auto path = folder / "tokenizer" / "spiece.model";
    FW_ASSIGN(const std::string content, weights::readSmallFile(path, kMaxModelBytes));
    auto tokenizer = SentencePieceTokenizer::create(content, std::move(config));
    if (!tokenizer) {
        return tl::unexpected(std::move(tokenizer).error().within(path.string()));
    }
    return tokenizer;
}

Result<std::unique_ptr<Tokenizer>> loadTokenizer(const std::filesystem::path& folder) {
    FW_ASSIGN(LoadedTokenizer loaded, loadSentencePieceTokenizer(folder));
    return std::move(loaded.tokenizer);
}

}  // namespace fw::model
