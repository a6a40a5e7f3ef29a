#include "core/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace fw {

void checkFailed(const char* file, int line, const char* condition, std::string_view message) {
    fmt::print(stderr, "framewright: internal error at {}:{}: {} is false. {}\n", file, line, condition, message);
    std::fflush(stderr);
    std::abort();
}

}  // namespace fw
