#include "core/media/palette.h"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include <string>

#include "core/base/check.h"
#include "core/media/av_error.h"

namespace fw::media {
namespace {

tl::unexpected<Error> paletteError(const AvLog& log, int code) {
    return fail(ErrorCode::Io, "cannot reduce the clip to the 256 colours of a GIF: {}", log.describe(code));
}

// A graph of `text`, whose open ends are named [in], optionally [palette], and [out].
Result<FilterGraphPtr> createGraph(const FilterSource& source, const std::string& text) {
    FilterGraphPtr graph(avfilter_graph_alloc());
    if (!graph) {
        return fail(ErrorCode::OutOfMemory, "no memory to write a GIF");
    }
    graph->nb_threads = 1;
    const auto buffer = [&](const char* name, int width, int height, AVPixelFormat format) {
        return fmt::format("buffer@{}=video_size={}x{}:pix_fmt={}:time_base={}/{}:pixel_aspect=1/1[{}];", name,
                           width, height, static_cast<int>(format), source.frameRate.denominator,
                           source.frameRate.numerator, name);
    };
    std::string whole = buffer("in", source.width, source.height, source.format);
    if (text.find("[palette]") != std::string::npos) {
        whole += buffer("palette", 16, 16, AV_PIX_FMT_BGRA);
    }
    whole += text + ";[out]buffersink@out";
    const AvLog log;
    AVFilterInOut *inputs = nullptr, *outputs = nullptr;
    int code = avfilter_graph_parse2(graph.get(), whole.c_str(), &inputs, &outputs);
    const FilterInOutPtr ownInputs(inputs), ownOutputs(outputs);
    if (code >= 0) {
        code = avfilter_graph_config(graph.get(), nullptr);
    }
    if (code < 0) {
        return paletteError(log, code);
    }
    return graph;
}

AVFilterContext* viewFilter(AVFilterGraph& graph, const char* name) {
    AVFilterContext* filter = avfilter_graph_get_filter(&graph, name);
    FW_CHECK(filter != nullptr, "filter {} is missing", name);
    return filter;
}

Result<FramePtr> take(AVFilterContext* sink) {
    FramePtr frame(av_frame_alloc());
    const AvLog log;
    const int code = frame ? av_buffersink_get_frame(sink, frame.get()) : AVERROR(ENOMEM);
    if (code < 0) {
        return paletteError(log, code);
    }
    return frame;
}

Status give(AVFilterContext* source, AVFrame* frame) {
    const AvLog log;
    if (const int code = av_buffersrc_add_frame_flags(source, frame, AV_BUFFERSRC_FLAG_KEEP_REF); code < 0) {
        return paletteError(log, code);
    }
    return {};
}

}  // namespace

Result<PaletteMaker> PaletteMaker::create(const FilterSource& source) {
    PaletteMaker maker;
    FW_ASSIGN(maker.m_graph, createGraph(source, "[in]palettegen=stats_mode=full[out]"));
    maker.m_in = viewFilter(*maker.m_graph, "buffer@in");
    maker.m_out = viewFilter(*maker.m_graph, "buffersink@out");
    return maker;
}

Status PaletteMaker::add(AVFrame& rgb) {
    FW_TRY(give(m_in, &rgb));
    // palettegen answers only at the end of its input; asking makes the graph take the frame now, not queue it.
    const FramePtr none(av_frame_alloc());
    const AvLog log;
    const int code = none ? av_buffersink_get_frame(m_out, none.get()) : AVERROR(ENOMEM);
    if (code != AVERROR(EAGAIN)) {
        return paletteError(log, code < 0 ? code : AVERROR_BUG);
    }
    return {};
}

Result<FramePtr> PaletteMaker::palette() {
    FW_TRY(give(m_in, nullptr));
    return take(m_out);
}

Result<PaletteMapper> PaletteMapper::create(const FilterSource& source, AVFrame& palette) {
    PaletteMapper mapper;
    FW_ASSIGN(mapper.m_graph,
              createGraph(source, "[in][palette]paletteuse=dither=sierra2_4a:diff_mode=rectangle[out]"));
    mapper.m_in = viewFilter(*mapper.m_graph, "buffer@in");
    mapper.m_out = viewFilter(*mapper.m_graph, "buffersink@out");
    AVFilterContext* paletteInput = viewFilter(*mapper.m_graph, "buffer@palette");
    palette.pts = 0;
    FW_TRY(give(paletteInput, &palette));
    FW_TRY(give(paletteInput, nullptr));
    return mapper;
}

Result<FramePtr> PaletteMapper::map(AVFrame& rgb) {
    FW_TRY(give(m_in, &rgb));
    return take(m_out);
}

}  // namespace fw::media
