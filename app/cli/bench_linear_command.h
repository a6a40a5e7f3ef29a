// fw bench linear: dense attention against LinGen's blocks as clips grow.
#pragma once

#include <memory>

#include "app/cli/commands.h"

namespace fw::cli {

[[nodiscard]] std::unique_ptr<Command> makeBenchLinearCommand(CLI::App& bench);

}  // namespace fw::cli
