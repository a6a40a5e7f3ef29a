// Owners of libav objects: the one place where they are freed. Private to core/media.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <memory>

namespace fw::media {

struct AvDeleter {
    void operator()(AVFrame* frame) const noexcept { av_frame_free(&frame); }
    void operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }
    void operator()(AVCodecContext* context) const noexcept { avcodec_free_context(&context); }
    void operator()(AVFilterGraph* graph) const noexcept { avfilter_graph_free(&graph); }
    void operator()(AVFilterInOut* list) const noexcept { avfilter_inout_free(&list); }
    void operator()(SwsContext* context) const noexcept { sws_freeContext(context); }
};

using FramePtr = std::unique_ptr<AVFrame, AvDeleter>;
using PacketPtr = std::unique_ptr<AVPacket, AvDeleter>;
using CodecPtr = std::unique_ptr<AVCodecContext, AvDeleter>;
using FilterGraphPtr = std::unique_ptr<AVFilterGraph, AvDeleter>;
using FilterInOutPtr = std::unique_ptr<AVFilterInOut, AvDeleter>;
using ScalerPtr = std::unique_ptr<SwsContext, AvDeleter>;

struct AvInputCloser {
    void operator()(AVFormatContext* context) const noexcept { avformat_close_input(&context); }
};
// A demuxer together with the file it reads.
using InputPtr = std::unique_ptr<AVFormatContext, AvInputCloser>;

struct AvOutputCloser {
    void operator()(AVFormatContext* context) const noexcept {
        avio_closep(&context->pb);
        avformat_free_context(context);
    }
};
// A muxer together with the file it writes. Closing does not write a trailer and forgets write errors.
using OutputPtr = std::unique_ptr<AVFormatContext, AvOutputCloser>;

// Options handed to libav functions that take what they know and leave the rest.
class AvOptions {
 public:
    AvOptions() = default;
    ~AvOptions() { av_dict_free(&m_options); }
    AvOptions(const AvOptions&) = delete;
    AvOptions& operator=(const AvOptions&) = delete;

    void set(const char* key, const char* value) { av_dict_set(&m_options, key, value, 0); }
    [[nodiscard]] AVDictionary** get() { return &m_options; }
    // The key of an option nobody took, or null.
    [[nodiscard]] const char* unused() const {
        const AVDictionaryEntry* entry = av_dict_get(m_options, "", nullptr, AV_DICT_IGNORE_SUFFIX);
        return entry == nullptr ? nullptr : entry->key;
    }

 private:
    AVDictionary* m_options = nullptr;
};

}  // namespace fw::media
