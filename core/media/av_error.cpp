#include "core/media/av_error.h"

extern "C" {
#include <libavutil/error.h>
#include <libavutil/log.h>
}

#include <array>
#include <mutex>

namespace fw::media {
namespace {

// libav has one log callback per process and passes it no user pointer; the collector is found per thread instead.
thread_local AvLog* t_collector = nullptr;

}  // namespace

AvLog::AvLog() : m_outer(t_collector) {
    static std::once_flag installed;
    std::call_once(installed, [] { av_log_set_callback(&AvLog::receive); });
    t_collector = this;
}

AvLog::~AvLog() {
    t_collector = m_outer;
}

void AvLog::receive(void* source, int level, const char* format, __builtin_va_list arguments) {
    if (level > AV_LOG_ERROR || t_collector == nullptr) {
        return;
    }
    std::array<char, 512> line{};
    int printPrefix = 1;
    av_log_format_line2(source, level, format, arguments, line.data(), static_cast<int>(line.size()), &printPrefix);
    std::string text(line.data());
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    // "[libx264 @ 0x55…] message": the address says nothing to anybody.
    if (const auto at = text.find(" @ "), close = text.find("] "); at < close && close != std::string::npos) {
        text.erase(at, close - at);
    }
    if (!text.empty()) {
        t_collector->m_lastLine = std::move(text);
    }
}

std::string AvLog::describe(int code) const {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    av_strerror(code, text.data(), text.size());
    std::string result(text.data());
    if (!m_lastLine.empty()) {
        result += " (" + m_lastLine + ")";
    }
    return result;
}

}  // namespace fw::media
