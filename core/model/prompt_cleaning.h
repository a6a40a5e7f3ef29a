// A prompt as the reference hands it to its tokenizer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace fw::model {

// Longest prompt in bytes: many times what any text encoder reads, and short enough that cleaning takes no time.
inline constexpr std::size_t kMaxPromptBytes = 65'536;

// diffusers' prompt_clean of the Wan pipeline: ftfy.fix_text, html.unescape twice, runs of white space to one
// space, trimmed. Of ftfy (6.3, default settings, https://ftfy.readthedocs.io) everything is here (HTML references
// in lines without "<", C1 controls, Latin ligatures, full and half width, curly quotes, line breaks, terminal
// escapes, control characters, form C, repeated until nothing changes) but its repair of mojibake: a search over
// wrong decodings ("Ã©" for "é") guided by a table of suspicious pairs. Text damaged that way is passed on as it
// is.
//
// InvalidArgument when `text` is not UTF-8, with the position of the first wrong byte, or longer than
// kMaxPromptBytes.
[[nodiscard]] Result<std::string> cleanPrompt(std::string_view text);

}  // namespace fw::model
