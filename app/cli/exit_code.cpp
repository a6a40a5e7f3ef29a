#include "app/cli/exit_code.h"
#include "app/cli/output.h"

#include <cstdio>

namespace fw::cli {

int exitCode(ErrorCode code) {
    switch (code) {
        case ErrorCode::InvalidArgument:
            return kUsage;
        case ErrorCode::BadModel:
            return kBadModel;
        case ErrorCode::OutOfMemory:
            return kNoMemory;
        case ErrorCode::Cancelled:
            return kCancelled;
        case ErrorCode::Io:
        case ErrorCode::InUse:
            return kIo;
        case ErrorCode::Unsupported:
            return kUnsupported;
        case ErrorCode::DeviceLost:
        case ErrorCode::Internal:
            return kInternal;
    }
    return kInternal;
}

std::string exitCodeHelp() {
    return "Exit codes: 0 done; 2 wrong usage or a request nobody could run; 3 bad model; 4 not enough memory;\n"
           "            5 cancelled; 6 reading or writing a file failed; 7 unsupported here; 70 internal error";
}

OrderedJson errorJson(const Error& error) {
    return {
        {"error",
         {{"code", errorCodeName(error.code)}, {"message", error.message}, {"exit_code", exitCode(error.code)}}}};
}

std::string jsonText(const OrderedJson& json, int indent) {
    return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

int reportNotes(const std::vector<std::string>& notes, bool json) {
    for (const std::string& note : notes) {
        if (!json) {
            say(stderr, "fw: {}\n", note);
        }
    }
    return notes.empty() ? kDone : kIo;
}

int reportError(const Error& error, bool json) {
    if (json) {
        say("{}\n", jsonText(errorJson(error)));
    } else {
        say(stderr, "fw: {}\n", error.message);
    }
    return exitCode(error.code);
}

}  // namespace fw::cli
