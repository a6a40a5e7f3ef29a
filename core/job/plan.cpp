#include "core/job/plan.h"

namespace fw::job {

namespace {

double leftOut(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : 1.0 - static_cast<double>(part) / static_cast<double>(whole);
}

OrderedJson partNames(const ModelPartSet& parts) {
    OrderedJson names = OrderedJson::array();
    if (parts.textEncoder) {
        names.push_back("text_encoder");
    }
    if (parts.transformer) {
        names.push_back("transformer");
    }
    if (parts.autoEncoder) {
        names.push_back("vae");
    }
    return names;
}

OrderedJson memoryJson(const MemoryPlan& memory) {
    return {{"budget_bytes", memory.budgetBytes},   {"limit_bytes", memory.limitBytes},
            {"one_arena", memory.oneArena},         {"tile", memory.tile},
            {"piece_frames", memory.pieceFrames},   {"smaller_pieces", memory.smallerPieces},
            {"stream_blocks", memory.streamBlocks}, {"streamed_bytes", memory.streamedBytes},
            {"shortage", memory.shortage}};
}

}  // namespace

double AttentionPlan::sparsity() const {
    return leftOut(pairs, densePairs);
}

double AttentionPlan::tileSparsity() const {
    return leftOut(tiles, denseTiles);
}

std::int64_t Plan::totalFlops() const {
    std::int64_t total = 0;
    for (const PhaseCost& phase : phases) {
        total += phase.flops;
    }
    return total;
}

OrderedJson toJson(const Plan& plan) {
    OrderedJson phases = OrderedJson::array();
    for (const PhaseCost& phase : plan.phases) {
        phases.push_back({{"phase", phase.phase},
                          {"flops", phase.flops},
                          {"scratch_bytes", phase.scratchBytes},
                          {"memory_bytes", phase.memoryBytes},
                          {"parts", partNames(phase.parts)}});
    }
    OrderedJson rows = OrderedJson::object();
    for (const CacheRow& row : plan.cache.rows) {
        rows[row.what] = row.steps;
    }
    return {
        {"latent_frames", plan.latentFrames},
        {"latent_height", plan.latentHeight},
        {"latent_width", plan.latentWidth},
        {"tokens", plan.tokens},
        {"text_tokens", plan.textTokens},
        {"prompt_tokens", plan.promptTokens},
        {"steps", plan.steps},
        {"forwards_per_step", plan.forwardsPerStep},
        {"flops_per_forward", plan.flopsPerForward},
        {"total_flops", plan.totalFlops()},
        {"weight_bytes", plan.weightBytes},
        {"state_bytes", plan.stateBytes},
        {"host_bytes", plan.hostBytes},
        {"peak_bytes", plan.peakBytes},
        {"phases", std::move(phases)},
        {"step_flops", plan.stepFlops},
        {"text_key_flops", plan.textKeyFlops},
        {"attention",
         {{"pairs", plan.attention.pairs},
          {"dense_pairs", plan.attention.densePairs},
          {"sparsity", plan.attention.sparsity()},
          {"tile_sparsity", plan.attention.tileSparsity()}}},
        {"cache",
         {{"id", plan.cache.id},
          {"bytes", plan.cache.bytes},
          {"steps", std::move(rows)},
          {"note", plan.cache.note}}},
        {"probes",
         {{"bytes", plan.probes.bytes},
          {"memory_bytes", plan.probes.memoryBytes},
          {"steps", plan.probes.steps},
          {"layers", plan.probes.layers}}},
        {"memory", memoryJson(plan.memory)},
    };
}

}  // namespace fw::job
