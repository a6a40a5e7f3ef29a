#include "core/job/prompt_expansion.h"

#include <algorithm>
#include <optional>

#include "core/base/check.h"

namespace fw::job {

// A sequence of plain text and choices.
struct PromptTemplate::Part {
    struct Piece {
        std::string text;
        std::vector<Part> alternatives;  // empty: a piece of plain text
    };
    std::vector<Piece> pieces;
};

namespace {

using Part = PromptTemplate::Part;

constexpr int kMaxNesting = 16;
constexpr std::int64_t kMost = PromptTemplate::kMostCombinations;

std::int64_t limitedProduct(std::int64_t a, std::int64_t b) {
    return a != 0 && b > kMost / a ? kMost : std::min(a * b, kMost);
}

bool isSpecial(char c) {
    return c == '{' || c == '}' || c == '|' || c == '\\';
}

class Parser {
 public:
    explicit Parser(std::string_view text) : m_text(text) {}

    Result<Part> parse() {
        FW_ASSIGN(Part root, sequence(0));
        if (!atEnd()) {
            return fail(ErrorCode::InvalidArgument,
                        "the }} at character {} closes nothing; write \\}} for a brace that is part of the prompt",
                        characterAt(m_at));
        }
        return root;
    }

 private:
    [[nodiscard]] bool atEnd() const { return m_at == m_text.size(); }

    // Counted from 1, in characters rather than bytes.
    [[nodiscard]] std::size_t characterAt(std::size_t byte) const {
        return 1 + static_cast<std::size_t>(
                       std::count_if(m_text.begin(), m_text.begin() + static_cast<std::ptrdiff_t>(byte),
                                     [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    }

    // Up to the end, or to the } or | that ends an alternative, which stays.
    Result<Part> sequence(int depth) {
        Part part;
        std::string text;
        const auto endText = [&] {
            if (!text.empty()) {
                part.pieces.push_back({std::move(text), {}});
                text.clear();
            }
        };
        for (; !atEnd(); ++m_at) {
            const char c = m_text[m_at];
            if (c == '\\' && m_at + 1 < m_text.size() && isSpecial(m_text[m_at + 1])) {
                text += m_text[++m_at];
            } else if (c == '}' || (c == '|' && depth > 0)) {
                break;
            } else if (c == '{') {
                endText();
                FW_ASSIGN(std::vector<Part> alternatives, choice(depth + 1));
                part.pieces.push_back({{}, std::move(alternatives)});
            } else {
                text += c;
            }
        }
        endText();
        return part;
    }

    // From a { to its }, where m_at is left.
    Result<std::vector<Part>> choice(int depth) {
        const std::size_t open = m_at;
        if (depth > kMaxNesting) {
            return fail(ErrorCode::InvalidArgument, "the {{ at character {} is nested deeper than {} levels",
                        characterAt(open), kMaxNesting);
        }
        std::vector<Part> alternatives;
        do {
            ++m_at;
            FW_ASSIGN(Part alternative, sequence(depth));
            alternatives.push_back(std::move(alternative));
        } while (!atEnd() && m_text[m_at] == '|');
        if (atEnd()) {
            return fail(ErrorCode::InvalidArgument,
                        "the {{ at character {} is never closed; write \\{{ for a brace that is part of the prompt",
                        characterAt(open));
        }
        return alternatives;
    }

    std::string_view m_text;
    std::size_t m_at = 0;
};

std::int64_t countOf(const Part& part) {
    std::int64_t product = 1;
    for (const Part::Piece& piece : part.pieces) {
        std::int64_t sum = piece.alternatives.empty() ? 1 : 0;
        for (const Part& alternative : piece.alternatives) {
            sum = std::min(sum + countOf(alternative), kMost);
        }
        product = limitedProduct(product, sum);
    }
    return product;
}

// Appends combination `index` of the alternatives, of which the first ones come first.
void append(std::string& out, const Part& part, std::int64_t index);

void append(std::string& out, const std::vector<Part>& alternatives, std::int64_t index) {
    for (const Part& alternative : alternatives) {
        const std::int64_t count = countOf(alternative);
        if (index < count) {
            append(out, alternative, index);
            return;
        }
        index -= count;
    }
}

void append(std::string& out, const Part& part, std::int64_t index) {
    std::int64_t rest = countOf(part);
    for (const Part::Piece& piece : part.pieces) {
        if (piece.alternatives.empty()) {
            out += piece.text;
            continue;
        }
        std::int64_t count = 0;
        for (const Part& alternative : piece.alternatives) {
            count += countOf(alternative);
        }
        rest /= count;
        append(out, piece.alternatives, index / rest);
        index %= rest;
    }
}

// SplitMix64 (Steele, Lea, Flood 2014, https://doi.org/10.1145/2660193.2660195): the same numbers everywhere.
std::uint64_t nextRandom(std::uint64_t& state) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
}

void appendPicked(std::string& out, const Part& part, std::uint64_t& state) {
    for (const Part::Piece& piece : part.pieces) {
        if (piece.alternatives.empty()) {
            out += piece.text;
        } else {
            appendPicked(out, piece.alternatives[nextRandom(state) % piece.alternatives.size()], state);
        }
    }
}

bool isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

// Without spaces at the ends, and with one where there were several or a line break.
std::string simplified(std::string_view text) {
    std::string result;
    bool pending = false;
    for (const char c : text) {
        if (isSpace(c)) {
            pending = !result.empty();
        } else {
            result += pending ? " " : "";
            result += c;
            pending = false;
        }
    }
    return result;
}

// The prompts of `text`, not expanded; errors in one of several lines say which.
Result<std::vector<PromptTemplate>> templatesOf(std::string_view text, const BatchOptions& options) {
    if (options.seeds < 1) {
        return fail(ErrorCode::InvalidArgument, "{} clips per prompt were asked; it must be at least 1",
                    options.seeds);
    }
    std::vector<PromptTemplate> templates;
    int line = 0;
    for (std::optional<std::string_view> rest = text; rest;) {
        const std::size_t end = options.eachLine ? rest->find('\n') : std::string_view::npos;
        const std::string prompt = simplified(rest->substr(0, end));
        rest = end == std::string_view::npos ? std::nullopt : std::optional(rest->substr(end + 1));
        ++line;
        if (prompt.empty()) {
            continue;
        }
        auto parsed = PromptTemplate::parse(prompt);
        if (!parsed) {
            return tl::unexpected(options.eachLine ? std::move(parsed).error().within(fmt::format("line {}", line))
                                                   : std::move(parsed).error());
        }
        templates.push_back(std::move(*parsed));
    }
    return templates;
}

std::int64_t countOf(const std::vector<PromptTemplate>& templates, const BatchOptions& options) {
    std::int64_t sum = 0;
    for (const PromptTemplate& prompt : templates) {
        sum = std::min(sum + limitedProduct(options.allCombinations ? prompt.combinations() : 1, options.seeds),
                       kMost);
    }
    return sum;
}

}  // namespace

PromptTemplate::PromptTemplate(std::unique_ptr<Part> root) : m_root(std::move(root)) {}
PromptTemplate::~PromptTemplate() = default;
PromptTemplate::PromptTemplate(PromptTemplate&&) noexcept = default;
PromptTemplate& PromptTemplate::operator=(PromptTemplate&&) noexcept = default;

Result<PromptTemplate> PromptTemplate::parse(std::string_view text) {
    FW_ASSIGN(Part root, Parser(text).parse());
    return PromptTemplate(std::make_unique<Part>(std::move(root)));
}

std::int64_t PromptTemplate::combinations() const {
    return countOf(*m_root);
}

std::string PromptTemplate::combination(std::int64_t index) const {
    FW_CHECK(index >= 0 && index < combinations() && combinations() < kMostCombinations, "combination {} of {}",
             index, combinations());
    std::string text;
    append(text, *m_root, index);
    return text;
}

std::string PromptTemplate::pick(std::uint64_t seed) const {
    std::string text;
    appendPicked(text, *m_root, seed);
    return text;
}

std::string escapePrompt(std::string_view text) {
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool brace = c == '{' || c == '}';
        const bool wouldEscape = c == '\\' && i + 1 < text.size() && isSpecial(text[i + 1]);
        escaped += brace || wouldEscape ? "\\" : "";
        escaped += c;
    }
    return escaped;
}

Result<std::int64_t> countBatch(std::string_view text, const BatchOptions& options) {
    FW_ASSIGN(const std::vector<PromptTemplate> templates, templatesOf(text, options));
    return countOf(templates, options);
}

Result<std::vector<GenerationRequest>> expandBatch(const GenerationRequest& base, std::string_view text,
                                                   const BatchOptions& options, std::int64_t limit) {
    FW_ASSIGN(const std::vector<PromptTemplate> templates, templatesOf(text, options));
    if (const std::int64_t count = countOf(templates, options); count > kMaxBatch) {
        return fail(ErrorCode::InvalidArgument, "these would be {}{} clips; at most {} can be queued at once",
                    count == kMost ? "more than " : "", count, kMaxBatch);
    }
    std::vector<GenerationRequest> requests;
    const std::uint64_t firstSeed = base.seed.value_or(0);
    for (const PromptTemplate& prompt : templates) {
        const std::int64_t variants = options.allCombinations ? prompt.combinations() : 1;
        for (std::int64_t variant = 0; variant < variants; ++variant) {
            for (std::int64_t i = 0; i < options.seeds; ++i) {
                if (static_cast<std::int64_t>(requests.size()) >= limit) {
                    return requests;
                }
                GenerationRequest request = base;
                request.seed = firstSeed + static_cast<std::uint64_t>(i);
                request.prompt =
                    simplified(options.allCombinations ? prompt.combination(variant) : prompt.pick(*request.seed));
                requests.push_back(std::move(request));
            }
        }
    }
    return requests;
}

}  // namespace fw::job
