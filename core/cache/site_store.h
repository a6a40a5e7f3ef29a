// Outputs of modules, kept for each guidance branch apart.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/cache/kept_tensor.h"

namespace fw::cache {

// What a site keeps in one branch: the outputs of its last computed steps, newest first.
struct SiteSlot {
    std::vector<KeptTensor> outputs;  // [1, N, d]
    std::vector<int> steps;           // when each was computed; -1: never
};

// How much may be kept and how.
struct SiteBudget {
    DType dtype = DType::BF16;
    int depth = 1;                         // outputs for each site and branch
    std::int64_t limitBytes = 0;           // 0: no limit
    std::vector<SiteKind> kinds;           // in the order in which they are kept while the limit lasts
    std::array<int, kSiteKinds> layers{};  // of each kind: the first so many blocks
};

// The slots of one run. Under a limit whole sites are kept, all branches of one together: kind after kind in the
// budget's order, blocks from the first to the last.
class SiteStore {
 public:
    [[nodiscard]] static Result<SiteStore> create(const SiteBudget& budget, const RunShape& shape,
                                                  backend::Ops& ops, const KeptTensor::Allocate& allocate);

    // Null when the site is not kept.
    [[nodiscard]] SiteSlot* find(const Site& site, int branch);
    // Makes `output` the newest of its slot; the oldest is overwritten. The site must be kept.
    void push(method::RunContext& context, const Site& site, const ConstTensorView& output);

    [[nodiscard]] int wanted() const { return m_wanted; }
    [[nodiscard]] int kept() const { return m_kept; }
    // "the memory limit of 10 MiB keeps 3 of 16 outputs", or nothing when all are kept.
    [[nodiscard]] std::string note() const;

    // For checkpoints: every slot's tensors under stable names, and when they were computed.
    void save(SavedState& state);
    [[nodiscard]] Status restore(const Json& numbers);

 private:
    std::array<std::vector<std::vector<SiteSlot>>, kSiteKinds> m_slots;  // [kind][layer][branch]
    std::int64_t m_limitBytes = 0;
    int m_wanted = 0, m_kept = 0;
};

// The parameters every cache of module outputs shares: "precision" and "memory_limit".
[[nodiscard]] std::vector<job::ParameterSchema> storeParameters();
[[nodiscard]] DType storeType(const Json& parameters);
[[nodiscard]] std::int64_t storeLimit(const Json& parameters);

}  // namespace fw::cache
