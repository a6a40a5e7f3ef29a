#include "core/method/top_k.h"

#include <cmath>

#include "core/method/block_lists.h"
#include "core/method/painted_masks.h"
#include "core/method/probe_sink.h"
#include "core/method/quality_knobs.h"

namespace fw::method {

namespace {

using backend::TokenBlocks;

class TopK final : public AttentionMethod {
 public:
    TopK(double sparsity, TokenBlocks cut, bool sinkFrame)
        : m_sparsity(sparsity), m_cut(cut), m_sinkFrame(sinkFrame) {}

    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        FW_TRY(prepare(call.grid));
        const backend::ArenaScope scope(context.arena);
        const std::int64_t batch = call.q.dim(0);
        const std::int64_t heads = call.q.dim(2);
        const backend::BlockLists lists{context.arena.take(DType::I32, {batch, heads, m_cut.count(), m_kept}),
                                        context.arena.take(DType::I32, {batch, heads, m_cut.count()})};
        context.ops.selectBlocks(call.q, call.k, {.blocks = m_cut, .kept = m_kept, .sinkFrame = m_sinkFrame},
                                 lists);
        context.ops.blockSparseAttention(
            call.q, call.k, call.v, call.out, lists,
            {.scale = call.scale, .blocks = m_cut, .pairs = m_work.pairs, .added = call.added});
        countWork(context, call, m_work, heads);
        if (context.probes != nullptr) {
            FW_TRY(context.probes->blocksDone(context, call, m_cut, lists));
        }
        return paintOver(context, call);
    }

 private:
    Status prepare(const TokenGrid& grid) {
        if (grid == m_cut.grid) {
            return {};
        }
        TokenBlocks cut = m_cut;
        cut.grid = grid;
        const std::int64_t blocks = cut.count();
        const std::int64_t least =
            m_sinkFrame ? static_cast<std::int64_t>(cut.firstFrameBlocks().size()) : std::int64_t{1};
        m_kept = std::llround((1.0 - m_sparsity) * static_cast<double>(blocks));
        if (m_kept < least) {
            return fail(ErrorCode::InvalidArgument,
                        "sparsity {} keeps {} of {} blocks, but {}; at most {:.3f} fits", m_sparsity, m_kept,
                        blocks,
                        m_sinkFrame ? fmt::format("the first frame alone has {}", least) : "at least 1 is needed",
                        1.0 - static_cast<double>(least) / static_cast<double>(blocks));
        }
        // Which blocks are kept is the device's secret; a kept block is counted with the average number of tokens.
        m_work.pairs = grid.tokens() * grid.tokens() * m_kept / blocks;
        m_work.tiles = 0;
        const std::int64_t largest = cut.isTiled() ? cut.tile[0] * cut.tile[1] * cut.tile[2] : cut.size;
        for (std::int64_t block = 0; block < blocks; ++block) {
            m_work.tiles += m_kept * tilesOf(cut.tokensOf(block), largest);
        }
        m_work.tiles = std::min(m_work.tiles, backend::denseWork(grid).tiles);
        m_cut = cut;
        return {};
    }

    double m_sparsity;
    TokenBlocks m_cut;
    bool m_sinkFrame;
    std::int64_t m_kept = 0;
    backend::KeptWork m_work;
};

TokenBlocks cutNamed(const std::string& name) {
    if (name == "tiles_4x4x4") {
        return {.grid = {}, .size = 0, .tile = {4, 4, 4}};
    }
    return {.grid = {}, .size = name == "runs_128" ? 128 : 64};
}

}  // namespace

job::ParameterSchema blocksParameter() {
    return {"blocks",  job::ParameterType::Choice,
            "",        0,
            0,         {"runs_64", "runs_128", "tiles_4x4x4"},
            "runs_64", "How the clip is cut into blocks: runs of tokens, or boxes of 4 frames by 4 by 4."};
}

Result<std::unique_ptr<AttentionMethod>> createTopKBranch(const Json& parameters) {
    return std::make_unique<TopK>(parameters.at("sparsity").get<double>(),
                                  cutNamed(parameters.at("blocks").get<std::string>()),
                                  parameters.at("sink_frame").get<bool>());
}

MethodEntry topKBlocks() {
    MethodEntry entry;
    entry.description = {
        .id = "top_k",
        .name = "Top-k blocks",
        .summary = "Every block of tokens sees the blocks that match it best, chosen anew at every call.",
        .paper = "arXiv:2505.13389",
        .parameters = withQualityKnobs({sparsityParameter(), blocksParameter()}, true)};
    entry.needsSparseOperations = true;
    entry.create = [](const Json& parameters, const MethodWeights*) -> Result<std::unique_ptr<AttentionMethod>> {
        FW_ASSIGN(auto branch, createTopKBranch(parameters));
        return denseAtFirst(parameters, std::move(branch));
    };
    return entry;
}

}  // namespace fw::method
