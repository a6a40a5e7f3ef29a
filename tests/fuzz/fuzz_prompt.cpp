// Any text as a prompt with alternatives: refused with its place, or expanded as often as it says.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "core/job/prompt_expansion.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fw::job::PromptTemplate;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto parsed = PromptTemplate::parse(text);
    if (parsed) {
        (void)parsed->pick(size);
        const std::int64_t count = parsed->combinations();
        FW_CHECK(count >= 1 && count <= PromptTemplate::kMostCombinations);
        if (count < PromptTemplate::kMostCombinations) {
            (void)parsed->combination(0);
            (void)parsed->combination(count - 1);
        }
    } else {
        FW_CHECK(!parsed.error().message.empty());
    }
    const auto escaped = PromptTemplate::parse(fw::job::escapePrompt(text));
    FW_CHECK(escaped && escaped->combinations() == 1 && escaped->combination(0) == text, "escaped text changed");
    for (const bool lines : {false, true}) {
        const fw::job::BatchOptions options{lines, !lines, 2};
        if (const auto batch = fw::job::expandBatch({}, text, options, 10)) {
            FW_CHECK(static_cast<std::int64_t>(batch->size()) ==
                     std::min<std::int64_t>(10, *fw::job::countBatch(text, options)));
        }
    }
    return 0;
}
