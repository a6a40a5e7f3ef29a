#include "core/method/dense.h"

#include "core/method/quality_knobs.h"

namespace fw::method {

namespace {

class DenseAttention final : public AttentionMethod {
 public:
    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        return attendDensely(context, call);
    }
};

}  // namespace

MethodEntry denseAttention() {
    MethodEntry entry;
    entry.description = {
        .id = "dense",
        .name = "Dense attention",
        .summary = "Every token attends to every other: exact, and quadratic in the clip's tokens.",
        .paper = "arXiv:1706.03762",
        .parameters = {}};
    entry.create = [](const Json&, const MethodWeights*) -> Result<std::unique_ptr<AttentionMethod>> {
        return std::make_unique<DenseAttention>();
    };
    return entry;
}

}  // namespace fw::method
