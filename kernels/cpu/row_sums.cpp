#include "kernels/cpu/row_sums.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/row_sums.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

HWY_INLINE void addTo(const float* from, std::int64_t count, float* to) {
    forVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR {
        store(hn::Add(load(static_cast<const float*>(to) + i, lanes), load(from + i, lanes)), to + i, lanes);
    });
}

// One row [T, H, W] into its sums. First across the frames and lines of a box, where vectors lie side by side: what
// remains to be added one by one is smaller by those extents. scratch: H·W + W.
void sumRow(const RowSumsArgs& args, const float* row, float* sums, float* scratch) {
    const auto [frames, lines, width] = args.grid;
    const auto [poolFrames, poolLines, poolWidth] = args.pool;
    float* plane = scratch;
    float* folded = scratch + lines * width;
    std::fill_n(plane, lines * width, 0.0F);
    float* box = sums;
    for (std::int64_t t = 0; t < frames; t += poolFrames) {
        const std::int64_t lastFrame = std::min(t + poolFrames, frames);
        for (std::int64_t line = 0; line < lines; line += poolLines) {
            const std::int64_t lastLine = std::min(line + poolLines, lines);
            std::fill_n(folded, width, 0.0F);
            for (std::int64_t frame = t; frame < lastFrame; ++frame) {
                for (std::int64_t i = line; i < lastLine; ++i) {
                    addTo(row + (frame * lines + i) * width, width, folded);
                }
            }
            for (std::int64_t w = 0; w < width; w += poolWidth) {
                *box++ = std::accumulate(folded + w, folded + std::min(w + poolWidth, width), 0.0F);
            }
        }
    }
    const auto sumOf = [](const float* from, std::int64_t count) {
        return sumVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR { return load(from + i, lanes); });
    };
    float* byFrame = box;
    for (std::int64_t t = 0; t < frames; ++t) {
        byFrame[t] = sumOf(row + t * lines * width, lines * width);
        addTo(row + t * lines * width, lines * width, plane);
    }
    float* byLine = byFrame + frames;
    float* byColumn = byLine + lines;
    std::fill_n(byColumn, width, 0.0F);
    for (std::int64_t line = 0; line < lines; ++line) {
        byLine[line] = sumOf(plane + line * width, width);
        addTo(plane + line * width, width, byColumn);
    }
}

// Keys [first, last) of all rows of one head.
void sumColumns(const RowSumsArgs& args, std::int64_t head, std::int64_t first, std::int64_t last) {
    const std::int64_t keys = args.grid[0] * args.grid[1] * args.grid[2];
    float* columns = args.columns + head * keys;
    std::fill(columns + first, columns + last, 0.0F);
    for (std::int64_t row = 0; row < args.count; ++row) {
        addTo(args.rows + (head * args.count + row) * keys + first, last - first, columns + first);
    }
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(sumRow);
HWY_EXPORT(sumColumns);

void rowSums(const RowSumsArgs& args) {
    const auto [frames, lines, width] = args.grid;
    const std::int64_t keys = frames * lines * width;
    const auto boxes = [&](std::size_t axis) { return (args.grid[axis] + args.pool[axis] - 1) / args.pool[axis]; };
    const std::int64_t sums = boxes(0) * boxes(1) * boxes(2) + frames + lines + width;
    const std::int64_t scratch = (lines + 1) * width;
    std::vector<float> memory(static_cast<std::size_t>(scratch * args.threads));
    constexpr std::int64_t kRows = 8, kKeys = 1024;  // of a task
    const std::int64_t groups = (args.count + kRows - 1) / kRows, spans = (keys + kKeys - 1) / kKeys;
    parallelFor(args.heads * (groups + spans), args.threads, [&](std::int64_t task, int worker) {
        const std::int64_t head = task / (groups + spans), part = task % (groups + spans);
        if (part >= groups) {
            const std::int64_t first = (part - groups) * kKeys;
            HWY_DYNAMIC_DISPATCH(sumColumns)(args, head, first, std::min(first + kKeys, keys));
            return;
        }
        for (std::int64_t row = part * kRows; row < std::min((part + 1) * kRows, args.count); ++row) {
            const std::int64_t at = head * args.count + row;
            HWY_DYNAMIC_DISPATCH(sumRow)
            (args, args.rows + at * keys, args.sums + at * sums, memory.data() + worker * scratch);
        }
    });
}

}  // namespace fw::kernels::cpu
#endif
