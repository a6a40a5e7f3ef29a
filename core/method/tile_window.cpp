#include "core/method/tile_window.h"

#include <algorithm>
#include <array>

#include "core/method/block_lists.h"
#include "core/method/painted_masks.h"
#include "core/method/probe_sink.h"
#include "core/method/quality_knobs.h"

namespace fw::method {

namespace {

using backend::TokenBlocks;
using Extents = std::array<std::int64_t, 3>;  // frames, height, width

constexpr double kLargestTile = 64;
constexpr double kLargestWindow = 999;

// The first of `window` of `tiles` tiles around `centre`, moved inwards at the borders.
std::int64_t firstTile(std::int64_t centre, std::int64_t window, std::int64_t tiles) {
    return std::clamp<std::int64_t>(centre - window / 2, 0, tiles - window);
}

class TileWindow final : public AttentionMethod {
 public:
    TileWindow(const Extents& tile, const Extents& window, bool sinkFrame)
        : m_tile(tile), m_window(window), m_sinkFrame(sinkFrame) {}

    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        prepare(call.grid);
        const backend::ArenaScope scope(context.arena);
        const backend::BlockLists lists = uploadLists(context, m_lists, call.q);
        context.ops.blockSparseAttention(call.q, call.k, call.v, call.out, lists,
                                         {.scale = call.scale, .blocks = m_cut, .pairs = m_lists.work.pairs});
        countWork(context, call, m_lists.work, call.q.dim(2));
        if (context.probes != nullptr) {
            FW_TRY(context.probes->blocksDone(context, call, m_cut, lists));
        }
        return paintOver(context, call);
    }

 private:
    void prepare(const TokenGrid& grid) {
        if (grid == m_cut.grid) {
            return;
        }
        m_cut = {.grid = grid, .size = 0, .tile = m_tile};
        std::vector<std::vector<std::int32_t>> kept;
        for (std::int64_t block = 0; block < m_cut.count(); ++block) {
            kept.push_back(seenFrom(block));
        }
        m_lists = makeHostLists(m_cut, kept);
    }

    [[nodiscard]] std::vector<std::int32_t> seenFrom(std::int64_t block) const {
        const Extents tiles = m_cut.tiles();
        const Extents at{block / (tiles[1] * tiles[2]), block / tiles[2] % tiles[1], block % tiles[2]};
        Extents first{}, count{};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            count[axis] = std::min(m_window[axis], tiles[axis]);
            first[axis] = firstTile(at[axis], count[axis], tiles[axis]);
        }
        std::vector<std::int32_t> seen;
        for (std::int32_t other = 0; other < static_cast<std::int32_t>(m_cut.count()); ++other) {
            const Extents place{other / (tiles[1] * tiles[2]), other / tiles[2] % tiles[1], other % tiles[2]};
            bool near = true;
            for (std::size_t axis = 0; axis < 3; ++axis) {
                near = near && place[axis] >= first[axis] && place[axis] < first[axis] + count[axis];
            }
            if (near || (m_sinkFrame && place[0] == 0)) {
                seen.push_back(other);
            }
        }
        return seen;
    }

    Extents m_tile, m_window;
    bool m_sinkFrame;
    TokenBlocks m_cut;
    HostLists m_lists;
};

job::ParameterSchema extent(const char* name, const char* unit, double largest, int value, const char* help) {
    return {name, job::ParameterType::Integer, unit, 1, largest, {}, value, help};
}

}  // namespace

MethodEntry tileWindow() {
    MethodEntry entry;
    entry.description = {
        .id = "tile_window",
        .name = "Tile window",
        .summary = "The clip is cut into boxes in space and time; a box sees the boxes around it.",
        .paper = "arXiv:2502.04507",
        .parameters = withQualityKnobs(
            {extent("tile_frames", "tokens", kLargestTile, 4, "Length of a box in time."),
             extent("tile_height", "tokens", kLargestTile, 4, "Height of a box."),
             extent("tile_width", "tokens", kLargestTile, 4, "Width of a box."),
             extent("window_frames", "boxes", kLargestWindow, 3, "Boxes seen along time, its own included."),
             extent("window_height", "boxes", kLargestWindow, 3, "Boxes seen from top to bottom."),
             extent("window_width", "boxes", kLargestWindow, 3, "Boxes seen from left to right.")},
            true)};
    entry.needsSparseOperations = true;
    entry.create = [](const Json& parameters, const MethodWeights*) -> Result<std::unique_ptr<AttentionMethod>> {
        const auto number = [&](const char* name) { return parameters.at(name).get<std::int64_t>(); };
        return denseAtFirst(parameters,
                            std::make_unique<TileWindow>(
                                Extents{number("tile_frames"), number("tile_height"), number("tile_width")},
                                Extents{number("window_frames"), number("window_height"), number("window_width")},
                                parameters.at("sink_frame").get<bool>()));
    };
    return entry;
}

}  // namespace fw::method
