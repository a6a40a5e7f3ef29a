// One palette for a whole clip, through libavfilter's palettegen and paletteuse. Private to core/media.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/media/av_handles.h"

namespace fw::media {

struct FilterSource {
    AVPixelFormat format = AV_PIX_FMT_NONE;
    int width = 0, height = 0;
    job::FrameRate frameRate;
};

// Collects the colours of every frame shown to it; palette() then gives the 255 that serve them best (and a
// transparent one) as a 16 × 16 picture. Memory: one histogram, whatever the length of the clip.
class PaletteMaker {
 public:
    [[nodiscard]] static Result<PaletteMaker> create(const FilterSource& source);
    [[nodiscard]] Status add(AVFrame& rgb);
    // Ends the collection. Once.
    [[nodiscard]] Result<FramePtr> palette();

 private:
    FilterGraphPtr m_graph;
    AVFilterContext *m_in = nullptr, *m_out = nullptr;  // owned by m_graph
};

// RGB24 frames to PAL8 frames of that palette, with error diffusion.
class PaletteMapper {
 public:
    [[nodiscard]] static Result<PaletteMapper> create(const FilterSource& source, AVFrame& palette);
    // The frame's time stamp must grow from call to call.
    [[nodiscard]] Result<FramePtr> map(AVFrame& rgb);

 private:
    FilterGraphPtr m_graph;
    AVFilterContext *m_in = nullptr, *m_out = nullptr;
};

}  // namespace fw::media
