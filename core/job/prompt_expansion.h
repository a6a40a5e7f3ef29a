// Prompts with choices, and batches made of them: many requests from one form.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/job/generation_request.h"

namespace fw::job {

// "a {red|dark {blue|green}} fox": braces hold alternatives, which may nest. A backslash in front of { } | or
// another backslash makes it plain text; elsewhere it is itself. An alternative may be empty ("a {|very }small
// fox"), one alone stands for itself, and a | outside of braces is plain text. Braces that do not match are an
// error rather than text: what looks like a choice and is none would be noticed only in the finished clips.
class PromptTemplate {
 public:
    // InvalidArgument names the character, counted from 1, and what to write instead.
    [[nodiscard]] static Result<PromptTemplate> parse(std::string_view text);
    ~PromptTemplate();
    PromptTemplate(PromptTemplate&&) noexcept;
    PromptTemplate& operator=(PromptTemplate&&) noexcept;

    // How many texts there are, equal ones counted each; at most kMostCombinations, which stands for "or more".
    [[nodiscard]] std::int64_t combinations() const;
    // `index` from 0 to combinations() - 1; the first braces change slowest.
    [[nodiscard]] std::string combination(std::int64_t index) const;
    // One of them, decided by the seed alone: the same on every machine.
    [[nodiscard]] std::string pick(std::uint64_t seed) const;

    static constexpr std::int64_t kMostCombinations = std::int64_t{1} << 40U;

    struct Part;  // of the parse tree; defined in the source file

 private:
    explicit PromptTemplate(std::unique_ptr<Part> root);
    std::unique_ptr<Part> m_root;
};

// `text` so that parse() gives back exactly `text`.
[[nodiscard]] std::string escapePrompt(std::string_view text);

struct BatchOptions {
    bool eachLine = false;         // every line that is not empty is a prompt of its own
    bool allCombinations = false;  // of the alternatives; else one is picked for each clip by its seed
    std::int64_t seeds = 1;        // clips per prompt, with the seeds s, s + 1 …
};

inline constexpr std::int64_t kMaxBatch = 1000;

// How many requests expandBatch gives: 0 for a text without a prompt, at most kMostCombinations. InvalidArgument
// for text that cannot be parsed and for seeds below 1.
[[nodiscard]] Result<std::int64_t> countBatch(std::string_view text, const BatchOptions& options);

// `base` once for each prompt of `text` (line by line, then combination by combination) and each seed, at most
// `limit` of them, from the first on. Line breaks inside a prompt become spaces. `base.seed` is the first seed; 0
// when it has none. InvalidArgument as countBatch says, and when there are more than kMaxBatch.
[[nodiscard]] Result<std::vector<GenerationRequest>> expandBatch(const GenerationRequest& base,
                                                                 std::string_view text, const BatchOptions& options,
                                                                 std::int64_t limit = kMaxBatch);

}  // namespace fw::job
