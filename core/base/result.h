// Errors a user or the environment can cause, as values.
//
// Result<T> is tl::expected<T, Error>: functions that can fail return it, callers pass it on with FW_TRY /
// FW_ASSIGN or handle it. Programmer errors are not results: they end the program through FW_CHECK (check.h).
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace fw {

// What kind of thing went wrong. The command line maps these to exit codes, the studio to a suggested action.
enum class ErrorCode {
    InvalidArgument,  // a request nobody could run: sizes, empty prompt, unknown name
    BadModel,         // a model folder or file that is missing, damaged or of the wrong kind
    OutOfMemory,      // host or device memory; the message names bytes asked and bytes free
    Cancelled,        // the user asked to stop
    Io,               // reading or writing files: permissions, disk full, codec
    Unsupported,      // operation, data type or device this build or machine cannot do
    InUse,            // a library another studio has open
    DeviceLost,       // the device stopped answering; the process must be restarted
    Internal,         // a defect of ours that was caught before it did harm
};

// Stable lower-case name of a code ("bad_model"), used in JSON.
std::string_view errorCodeName(ErrorCode code);
// The code of a name; Internal for a name no code has.
ErrorCode errorCodeFromName(std::string_view name);

// `message` is one sentence for the user that names the thing at fault and the numbers that disagree.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;

    // The same error with "`where`: " in front of its message.
    Error within(std::string_view where) && {
        message = fmt::format("{}: {}", where, message);
        return std::move(*this);
    }
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// return fail(ErrorCode::BadModel, "{} has {} bytes, {} expected", file, a, b);
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace fw

#define FW_CONCAT_(a, b) a##b
#define FW_CONCAT(a, b) FW_CONCAT_(a, b)

// Return early with the error of a Status (or of a Result whose value is not needed).
#define FW_TRY(expression)                                         \
    do {                                                           \
        if (auto fwTryResult = (expression); !fwTryResult) {       \
            return tl::unexpected(std::move(fwTryResult).error()); \
        }                                                          \
    } while (false)

// FW_ASSIGN(auto file, openFile(path)): declare from a Result's value or return its error.
#define FW_ASSIGN(declaration, expression)                                       \
    auto FW_CONCAT(fwResult, __LINE__) = (expression);                           \
    if (!FW_CONCAT(fwResult, __LINE__)) {                                        \
        return tl::unexpected(std::move(FW_CONCAT(fwResult, __LINE__)).error()); \
    }                                                                            \
    declaration = std::move(*FW_CONCAT(fwResult, __LINE__))
