// libav's error codes and log lines as text for our own errors. Private to core/media.
#pragma once

#include <string>

namespace fw::media {

// While one lives, libav's error lines of this thread are collected; nothing of libav ever reaches stderr once the
// first was made. Lines of libav's own worker threads are dropped. Nest them freely: the innermost collects.
class AvLog {
 public:
    AvLog();
    ~AvLog();
    AvLog(const AvLog&) = delete;
    AvLog& operator=(const AvLog&) = delete;

    // "No space left on device" for `code`; where libav logged something, its last line follows in brackets.
    [[nodiscard]] std::string describe(int code) const;

 private:
    static void receive(void* source, int level, const char* format, __builtin_va_list arguments);

    std::string m_lastLine;
    AvLog* m_outer = nullptr;
};

}  // namespace fw::media
