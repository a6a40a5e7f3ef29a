#include "core/media/video_file.h"

#include "core/media/frame_convert.h"

namespace fw::media {

tl::unexpected<Error> writeError(const std::string& name, const AvLog& log, int code) {
    return fail(ErrorCode::Io, "cannot write {}: {}; free some space or choose another folder", name,
                log.describe(code));
}

Status checkEncoder(const std::string& container, const std::string& encoder) {
    if (av_guess_format(container.c_str(), nullptr, nullptr) == nullptr) {
        return fail(ErrorCode::Unsupported, "the installed FFmpeg libraries cannot write {} files", container);
    }
    if (avcodec_find_encoder_by_name(encoder.c_str()) == nullptr) {
        return fail(ErrorCode::Unsupported,
                    "the installed FFmpeg libraries have no {} encoder; install it or choose another format",
                    encoder);
    }
    return {};
}

Result<std::unique_ptr<VideoFile>> VideoFile::create(const std::filesystem::path& file,
                                                     const std::string& shownName, const VideoFileSpec& spec) {
    FW_TRY(checkEncoder(spec.container, spec.encoder));
    std::unique_ptr<VideoFile> video(new VideoFile(shownName, spec));
    video->m_packet.reset(av_packet_alloc());
    AVFormatContext* output = nullptr;
    avformat_alloc_output_context2(&output, nullptr, spec.container.c_str(), nullptr);
    video->m_output.reset(output);
    if (!video->m_output || !video->m_packet) {
        return fail(ErrorCode::OutOfMemory, "no memory to write {}", shownName);
    }
    FW_TRY(video->openEncoder());
    FW_TRY(video->openFile(file));
    return video;
}

Status VideoFile::openEncoder() {
    const AVCodec* codec = avcodec_find_encoder_by_name(m_spec.encoder.c_str());
    m_encoder.reset(avcodec_alloc_context3(codec));
    if (!m_encoder) {
        return fail(ErrorCode::OutOfMemory, "no memory to write {}", m_name);
    }
    const int frames = static_cast<int>(m_spec.frameRate.numerator);
    const int seconds = static_cast<int>(m_spec.frameRate.denominator);
    m_encoder->width = m_spec.width;
    m_encoder->height = m_spec.height;
    m_encoder->pix_fmt = m_spec.pixelFormat;
    m_encoder->time_base = AVRational{seconds, frames};
    m_encoder->framerate = AVRational{frames, seconds};
    m_encoder->sample_aspect_ratio = AVRational{1, 1};
    m_encoder->thread_count = m_spec.threads;
    m_encoder->flags |= AV_CODEC_FLAG_BITEXACT;
    m_encoder->codec_tag = m_spec.codecTag;
    if (isRgb(m_spec.pixelFormat)) {
        m_encoder->color_range = AVCOL_RANGE_JPEG;
        m_encoder->colorspace = AVCOL_SPC_RGB;
        m_encoder->color_primaries = AVCOL_PRI_BT709;
        m_encoder->color_trc = AVCOL_TRC_IEC61966_2_1;
    } else if (m_spec.pixelFormat != AV_PIX_FMT_PAL8) {
        m_encoder->color_range = AVCOL_RANGE_MPEG;
        m_encoder->colorspace = AVCOL_SPC_BT709;
        m_encoder->color_primaries = AVCOL_PRI_BT709;
        m_encoder->color_trc = AVCOL_TRC_BT709;
        m_encoder->chroma_sample_location = AVCHROMA_LOC_LEFT;
    }
    if ((m_output->oformat->flags & AVFMT_GLOBALHEADER) != 0) {
        m_encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    }
    AvOptions options;
    for (const auto& [key, value] : m_spec.encoderOptions) {
        options.set(key, value.c_str());
    }
    const AvLog log;
    if (const int code = avcodec_open2(m_encoder.get(), codec, options.get()); code < 0) {
        return fail(ErrorCode::Io, "the {} encoder refuses {} × {} pixels at {}/{} frames per second for {}: {}",
                    m_spec.encoder, m_spec.width, m_spec.height, frames, seconds, m_name, log.describe(code));
    }
    if (const char* unknown = options.unused(); unknown != nullptr) {
        return fail(ErrorCode::Unsupported, "the installed {} encoder does not know its option '{}'",
                    m_spec.encoder, unknown);
    }
    return {};
}

Status VideoFile::openFile(const std::filesystem::path& file) {
    m_stream = avformat_new_stream(m_output.get(), nullptr);
    // "file:" because a colon in the name would otherwise be taken for a protocol; the muxer itself opens the file
    // once more by this name to move the index to the front.
    const std::string url = "file:" + file.string();
    m_output->url = av_strdup(url.c_str());
    if (m_stream == nullptr || m_output->url == nullptr ||
        avcodec_parameters_from_context(m_stream->codecpar, m_encoder.get()) < 0) {
        return fail(ErrorCode::OutOfMemory, "no memory to write {}", m_name);
    }
    m_stream->time_base = m_encoder->time_base;
    m_stream->avg_frame_rate = m_encoder->framerate;
    // Without this, every WebM file would carry a random id, and each file the libraries' version.
    m_output->flags |= AVFMT_FLAG_BITEXACT;
    if (!m_spec.comment.empty()) {
        av_dict_set(&m_output->metadata, "comment", m_spec.comment.c_str(), 0);
    }
    const AvLog log;
    if (const int code = avio_open(&m_output->pb, url.c_str(), AVIO_FLAG_WRITE); code < 0) {
        return writeError(m_name, log, code);
    }
    AvOptions options;
    for (const auto& [key, value] : m_spec.muxerOptions) {
        options.set(key, value.c_str());
    }
    if (const int code = avformat_write_header(m_output.get(), options.get()); code < 0) {
        return writeError(m_name, log, code);
    }
    if (const char* unknown = options.unused(); unknown != nullptr) {
        return fail(ErrorCode::Unsupported, "the installed .{} writer does not know its option '{}'",
                    m_spec.container, unknown);
    }
    return {};
}

Status VideoFile::write(AVFrame& frame) {
    frame.pts = m_nextFrame++;
    return encode(&frame);
}

Status VideoFile::encode(const AVFrame* frame) {
    const AvLog log;
    int code = avcodec_send_frame(m_encoder.get(), frame);
    while (code >= 0) {
        code = avcodec_receive_packet(m_encoder.get(), m_packet.get());
        if (code >= 0) {
            FW_TRY(writePacket());
        }
    }
    if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) {
        return fail(ErrorCode::Io, "the {} encoder failed on {}: {}", m_spec.encoder, m_name, log.describe(code));
    }
    return {};
}

Status VideoFile::writePacket() {
    // Some encoders leave this out, and the last frame would last no time at all.
    if (m_packet->duration <= 0) {
        m_packet->duration = 1;
    }
    if (m_spec.decodingLead >= 0) {
        m_packet->dts = m_nextPacket - m_spec.decodingLead;
    }
    ++m_nextPacket;
    av_packet_rescale_ts(m_packet.get(), m_encoder->time_base, m_stream->time_base);
    m_packet->stream_index = m_stream->index;
    const AvLog log;
    int code = av_interleaved_write_frame(m_output.get(), m_packet.get());
    if (code >= 0) {
        code = m_output->pb->error;
    }
    if (code < 0) {
        return writeError(m_name, log, code);
    }
    return {};
}

Status VideoFile::finish() {
    FW_TRY(encode(nullptr));
    const AvLog log;
    if (const int code = av_write_trailer(m_output.get()); code < 0) {
        return writeError(m_name, log, code);
    }
    avio_flush(m_output->pb);
    const int pending = m_output->pb->error;
    const int closed = avio_closep(&m_output->pb);
    if (pending < 0 || closed < 0) {
        return writeError(m_name, log, pending < 0 ? pending : closed);
    }
    return {};
}

}  // namespace fw::media
