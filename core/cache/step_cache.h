// Step caches: whether a part of the model runs at this step, or what it gave before stands in. One file pair each,
// one line in the registry (registry.cpp).
//
// The model asks a cache at four grains, from coarse to fine: the whole pass, all its blocks, the blocks after the
// first ones, one module of one block (a "site"). A cache overrides the questions of its grain; every other answer
// is "compute". A cache belongs to one run and is destroyed with it, so nothing can be stale in the next; all it
// keeps is kept for each guidance branch apart.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/backend/device.h"
#include "core/base/result.h"
#include "core/cache/constants.h"
#include "core/cache/decisions.h"
#include "core/job/parameter_schema.h"
#include "core/job/plan.h"
#include "core/method/run_context.h"

namespace fw::cache {

struct Site {
    SiteKind kind = SiteKind::SelfAttention;
    int layer = 0;
};

// What a cache is told of a run before its first step.
struct RunShape {
    std::vector<double> timesteps;  // what the model is told, one for each step
    int branches = 1;               // 2 with guidance
    int layers = 0;
    std::vector<SiteKind> kinds;  // the modules the model's blocks consist of
    std::int64_t tokens = 0, width = 0;
    Shape latents;  // [C, T, h, w]
    [[nodiscard]] int steps() const { return static_cast<int>(timesteps.size()); }
};

// What the blocks start from. On the device, valid until the end of the pass.
struct BlockInput {
    TensorView x;                   // [1, N, d] f32: the residual stream
    ConstTensorView timeEmbedding;  // [1, d] f32
    ConstTensorView modulation;     // [1, 6d] f32: what the time projection makes of it
};

// What stands in for a module's output.
struct Replacement {
    ConstTensorView output;  // none: compute
    trace::Source source = trace::Source::Reused;
};

// What a cache knows between two steps, for checkpoints: the tensors are on the device and borrowed.
struct SavedState {
    std::vector<std::pair<std::string, TensorView>> tensors;
    Json numbers = Json::object();
};

// One answer of a rule that depends on data.
struct LoggedDecision {
    int step = 0, branch = 0;
    double predictor = 0.0, threshold = 0.0;
    bool reused = false;
};

class StepCache {
 public:
    virtual ~StepCache() = default;
    StepCache() = default;
    StepCache(const StepCache&) = delete;
    StepCache& operator=(const StepCache&) = delete;

    // --- the whole pass. latents, velocity f32 [C, T, h, w]. True: `velocity` is filled and the model does not
    // run.
    [[nodiscard]] virtual Result<bool> replacePass(method::RunContext& context, const ConstTensorView& latents,
                                                   const TensorView& velocity);
    // After a pass that ran.
    [[nodiscard]] virtual Status passDone(method::RunContext& context, const ConstTensorView& latents,
                                          const TensorView& velocity);

    // --- all blocks. True: `input.x` now is what the blocks would have left there.
    [[nodiscard]] virtual Result<bool> replaceBlocks(method::RunContext& context, const BlockInput& input);
    // After every block: true when x now is what the blocks after `layer` would have left there.
    [[nodiscard]] virtual Result<bool> replaceRest(method::RunContext& context, int layer, const TensorView& x);
    // After blocks of which none was left out.
    [[nodiscard]] virtual Status blocksDone(method::RunContext& context, const TensorView& x);

    // --- one module. What stands in for the site's output (after its output projection, before its gate), [1, N,
    // d] f32 or bf16, valid until the module's arena scope ends; none: compute.
    [[nodiscard]] virtual Replacement replaceSite(method::RunContext& context, const Site& site);
    // The site's output, [1, N, d] f32, computed at this step.
    [[nodiscard]] virtual Status siteDone(method::RunContext& context, const Site& site,
                                          const ConstTensorView& output);

    // --- what it is
    // The decisions that are known before the run, as lines of the plan; empty for rules that depend on data.
    [[nodiscard]] virtual std::vector<job::CacheRow> table() const { return {}; }
    // What was reduced to fit the memory limit, as a sentence; empty: nothing.
    [[nodiscard]] virtual std::string note() const { return {}; }
    // Device memory of everything kept.
    [[nodiscard]] std::int64_t bytes() const { return m_bytes; }
    // Of a rule that depends on data: in the order of the questions.
    [[nodiscard]] const std::vector<LoggedDecision>& log() const { return m_log; }

    // --- checkpoints
    // Nothing kept before `step` is read at `step` or later: a run may begin there with an empty cache.
    [[nodiscard]] virtual bool cleanBefore(int step) const = 0;
    [[nodiscard]] virtual SavedState state() { return {}; }
    // Takes over the numbers of a saved state; the tensors state() names from then on are to be filled by the
    // caller. InvalidArgument when the numbers are not this cache's.
    [[nodiscard]] virtual Status restore(const Json& numbers);

 protected:
    // Device memory that counts into bytes() and lives as long as the cache.
    [[nodiscard]] Result<TensorView> keep(backend::Device& device, DType dtype, const Shape& shape);
    // Remembers an answer and returns it.
    bool logged(const method::RunContext& context, double predictor, double threshold, bool reused);

 private:
    std::vector<backend::OwnedTensor> m_owned;
    std::int64_t m_bytes = 0;
    std::vector<LoggedDecision> m_log;
};

// What a cache is made from; borrowed for the call.
struct CacheSetup {
    backend::Device& device;
    backend::Ops& ops;  // of the same device
    const RunShape& shape;
    const Constants& constants;
};

struct CacheEntry {
    job::MethodDescription description;
    // `parameters` are resolved against the description. Null for the entry that keeps nothing.
    Result<std::unique_ptr<StepCache>> (*create)(const Json& parameters, const CacheSetup& setup);
};

// For caches that need constants the model does not bring: BadModel with the command that measures them.
[[nodiscard]] tl::unexpected<Error> missingConstants(std::string_view cacheName, const Constants& constants);

// Every step cache of this build, "none" first.
[[nodiscard]] const std::vector<CacheEntry>& stepCaches();
// The parameters of cache `id` with defaults filled in. InvalidArgument naming the known ids or what is wrong.
[[nodiscard]] Result<Json> resolveCacheParameters(std::string_view id, const Json& parameters);
// Null when `id` is "none". InvalidArgument as above, or for windows no step can meet; BadModel when the cache
// needs constants this model has not; OutOfMemory.
[[nodiscard]] Result<std::unique_ptr<StepCache>> createStepCache(std::string_view id, const Json& parameters,
                                                                 const CacheSetup& setup);

}  // namespace fw::cache
