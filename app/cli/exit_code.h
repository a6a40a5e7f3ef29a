// What `fw` tells the shell.
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::cli {

enum ExitCode : int {
    kDone = 0,
    kUsage = 2,
    kBadModel = 3,
    kNoMemory = 4,
    kCancelled = 5,
    kIo = 6,
    kUnsupported = 7,
    kInternal = 70,
};

[[nodiscard]] int exitCode(ErrorCode code);
// The table for --help.
[[nodiscard]] std::string exitCodeHelp();

// {"error": {"code": "bad_model", "message": "…", "exit_code": 3}}
[[nodiscard]] OrderedJson errorJson(const Error& error);
// Text of any JSON value; bytes that are no UTF-8 become U+FFFD instead of an exception.
[[nodiscard]] std::string jsonText(const OrderedJson& json, int indent = -1);

// For a clip that was made: says on stderr which files beside it are missing (GenerationReport::notes; not with
// `json`, which has them), and returns kIo then, kDone when there are none.
int reportNotes(const std::vector<std::string>& notes, bool json);

// Prints the error, as JSON on stdout or as a sentence on stderr, and returns its exit code.
int reportError(const Error& error, bool json);

}  // namespace fw::cli
