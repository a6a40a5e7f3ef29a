// Ctrl-C as a cancel token.
#pragma once

#include "core/base/cancel.h"

namespace fw::cli {

// From construction on the first SIGINT, SIGTERM or SIGHUP cancels token(); a second one ends the process at once,
// as it would without this object. Writing past a file size limit or to a closed pipe becomes an error instead of a
// signal. One object per process.
class Interrupt {
 public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] CancelToken token() const { return m_source.token(); }

 private:
    CancelSource m_source;
};

}  // namespace fw::cli
