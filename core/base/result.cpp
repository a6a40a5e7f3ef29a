#include "core/base/result.h"

namespace fw {

std::string_view errorCodeName(ErrorCode code) {
    switch (code) {
        case ErrorCode::InvalidArgument:
            return "invalid_argument";
        case ErrorCode::BadModel:
            return "bad_model";
        case ErrorCode::OutOfMemory:
            return "out_of_memory";
        case ErrorCode::Cancelled:
            return "cancelled";
        case ErrorCode::Io:
            return "io";
        case ErrorCode::Unsupported:
            return "unsupported";
        case ErrorCode::InUse:
            return "in_use";
        case ErrorCode::DeviceLost:
            return "device_lost";
        case ErrorCode::Internal:
            return "internal";
    }
    return "internal";
}

ErrorCode errorCodeFromName(std::string_view name) {
    for (const ErrorCode code :
         {ErrorCode::InvalidArgument, ErrorCode::BadModel, ErrorCode::OutOfMemory, ErrorCode::Cancelled,
          ErrorCode::Io, ErrorCode::Unsupported, ErrorCode::InUse, ErrorCode::DeviceLost}) {
        if (errorCodeName(code) == name) {
            return code;
        }
    }
    return ErrorCode::Internal;
}

}  // namespace fw
