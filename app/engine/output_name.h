// Names of clips nobody named.
#pragma once

#include <ctime>
#include <filesystem>
#include <string>

#include "core/job/generation_request.h"

namespace fw::app {

// "20261122-a-red-balloon-rises-1234": the date, the prompt's first words in lower-case ASCII, the seed. At most 80
// characters, no character a shell or a file system minds.
[[nodiscard]] std::string clipBaseName(const job::GenerationRequest& resolved, const std::tm& date);

// "<folder>/<base><extension>", or "<base>-2<extension>" and so on when the name is taken.
[[nodiscard]] std::filesystem::path freeName(const std::filesystem::path& folder, const std::string& base,
                                             const std::string& extension);

}  // namespace fw::app
