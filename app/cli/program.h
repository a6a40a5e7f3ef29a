// `fw` as a function.
#pragma once

#include "core/base/cancel.h"

namespace fw::cli {

// Parses the command line, runs the command and returns the exit code. No exception leaves it.
[[nodiscard]] int runProgram(int argc, const char* const* argv, const CancelToken& cancel);

}  // namespace fw::cli
