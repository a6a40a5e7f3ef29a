#include "core/method/salad.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/method/plain_linear.h"
#include "core/method/probe_sink.h"
#include "core/method/quality_knobs.h"
#include "core/method/sliding_window.h"
#include "core/method/top_k.h"

namespace fw::method {

namespace {

using backend::GateMode;

constexpr const char* kProjection = "salad_proj";
constexpr const char* kGate = "salad_gate";
constexpr const char* kHeadOrder = "salad_head_order";
constexpr float kDefaultEps = 1e-6F;

// What the trained weights were trained as, from the adapter's metadata.
struct Trained {
    bool formA = true;
    GateMode gate = GateMode::Token;
    float eps = kDefaultEps;
    std::vector<double> branchNorms;  // mean size of each layer's branch beside the sparse one; may be empty
};

// One of two words, or an error that names the key.
Result<bool> oneOf(const MethodWeights& weights, const char* key, const char* first, const char* second) {
    const auto found = weights.metadata.find(key);
    if (found == weights.metadata.end() || found->second == first) {
        return true;
    }
    if (found->second == second) {
        return false;
    }
    return fail(ErrorCode::BadModel, "the adapter says {} '{}'; '{}' and '{}' are known", key, found->second, first,
                second);
}

Result<Trained> readTrained(const MethodWeights& weights) {
    Trained trained;
    FW_ASSIGN(trained.formA, oneOf(weights, "rope_form", "a", "b"));
    FW_ASSIGN(const bool perToken, oneOf(weights, "gate", "token", "sample"));
    trained.gate = perToken ? GateMode::Token : GateMode::Sample;
    if (const auto eps = weights.metadata.find("eps"); eps != weights.metadata.end()) {
        const Json value = Json::parse(eps->second, nullptr, false);
        if (!value.is_number() || !(value.get<float>() > 0.0F) || value.get<float>() > 1.0F) {
            return fail(ErrorCode::BadModel, "the adapter says eps '{}', a number above 0 and up to 1 expected",
                        eps->second);
        }
        trained.eps = value.get<float>();
    }
    if (const auto norms = weights.metadata.find("branch_norms"); norms != weights.metadata.end()) {
        const Json value = Json::parse(norms->second, nullptr, false);
        const bool numbers = value.is_array() && value.size() == weights.layers.size() &&
                             std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_number(); });
        if (!numbers) {
            return fail(ErrorCode::BadModel,
                        "the adapter's branch_norms are '{}', one number for each of {} layers "
                        "expected",
                        norms->second, weights.layers.size());
        }
        trained.branchNorms = value.get<std::vector<double>>();
    }
    return trained;
}

// Which layers compute their branch: all but the given share with the smallest one.
Result<std::vector<bool>> keptBranches(const Trained& trained, std::size_t layers, double dropped) {
    std::vector<bool> kept(layers, true);
    const auto count = static_cast<std::size_t>(std::floor(dropped * static_cast<double>(layers) + 1e-9));
    if (count == 0) {
        return kept;
    }
    if (trained.branchNorms.empty()) {
        return fail(ErrorCode::InvalidArgument,
                    "drop_branches needs an adapter that says how large its branches are (branch_norms); this one "
                    "does not, so only 0 fits");
    }
    std::vector<std::size_t> order(layers);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return trained.branchNorms[a] < trained.branchNorms[b]; });
    for (std::size_t i = 0; i < count; ++i) {
        kept[order[i]] = false;
    }
    return kept;
}

struct Settings {
    bool formA = true;
    bool project = true;
    GateMode gate = GateMode::Token;
    float eps = kDefaultEps;
    float scale = 1.0F;
    std::vector<bool> kept;  // by layer
};

class Salad final : public AttentionMethod {
 public:
    Salad(std::unique_ptr<AttentionMethod> sparse, const MethodWeights& weights, Settings settings)
        : m_sparse(std::move(sparse)), m_weights(weights), m_settings(std::move(settings)) {}

    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        const backend::PackedLinear* projection = projectionOf(call.layer);
        if (projection == nullptr) {
            return m_sparse->attend(context, call);
        }
        const backend::ArenaScope scope(context.arena);
        const backend::AddedBranch added = linearBranch(context, call, *projection);
        if (context.probes == nullptr && context.painted == nullptr) {
            SelfAttentionCall both = call;
            both.added = added;
            return m_sparse->attend(context, both);
        }
        // Who looks inside or paints over the sparse part finds it alone; the sum has the same bits.
        FW_TRY(m_sparse->attend(context, call));
        if (context.probes != nullptr) {
            FW_TRY(context.probes->branchReady(context, call, added.branch, added.options));
        }
        context.ops.addBranch(call.out.reshape(rowsOf(call)), added.branch, added.options);
        return {};
    }
    [[nodiscard]] const backend::PackedLinear* gate(const RunContext&, int layer) const override {
        const bool gated = m_settings.gate != GateMode::None && projectionOf(layer) != nullptr;
        return gated ? m_weights.linear(layer, kGate) : nullptr;
    }

 private:
    // Of the layer's linear branch; null where it has none.
    [[nodiscard]] const backend::PackedLinear* projectionOf(int layer) const {
        FW_CHECK(layer >= 0 && static_cast<std::size_t>(layer) < m_settings.kept.size(), "layer {} of {}", layer,
                 m_settings.kept.size());
        const bool wanted = m_settings.kept[static_cast<std::size_t>(layer)] && m_settings.scale != 0.0F;
        return wanted ? m_weights.linear(layer, kProjection) : nullptr;
    }
    // [B, N, C] instead of [B, N, H, D].
    [[nodiscard]] static Shape rowsOf(const SelfAttentionCall& call) {
        return {call.out.dim(0), call.out.dim(1), call.out.dim(2) * call.out.dim(3)};
    }
    // In the arena: what is to be added to the sparse branch, and how.
    [[nodiscard]] backend::AddedBranch linearBranch(RunContext& context, const SelfAttentionCall& call,
                                                    const backend::PackedLinear& projection) const {
        const Shape shape = rowsOf(call);
        const TensorView added = context.arena.take(call.out.dtype(), shape);
        {
            const backend::ArenaScope scope(context.arena);
            const TensorView branch = m_settings.project ? context.arena.take(call.out.dtype(), shape) : added;
            context.ops.linearAttention(call.q, call.k, call.v, branch.split(2, call.q.dim(2), call.q.dim(3)),
                                        linearOptions(call, m_settings.formA, m_settings.eps));
            if (m_settings.project) {
                context.ops.linear(branch, projection, added);
            }
        }
        return {added, {.scale = m_settings.scale, .gate = m_settings.gate, .logits = call.logits}};
    }

    std::unique_ptr<AttentionMethod> m_sparse;
    const MethodWeights& m_weights;
    Settings m_settings;
};

Result<std::unique_ptr<AttentionMethod>> createSalad(const Json& parameters, const MethodWeights* weights) {
    if (weights == nullptr) {
        return fail(
            ErrorCode::InvalidArgument,
            "the method salad needs an adapter with its trained weights (--adapter FILE); without one choose "
            "sliding_window or top_k");
    }
    const auto text = [&](const char* name) { return parameters.at(name).get<std::string>(); };
    FW_ASSIGN(const Trained trained, readTrained(*weights));
    Settings settings;
    settings.formA = text("rope_form") == "adapter" ? trained.formA : text("rope_form") == "a";
    settings.project = parameters.at("projection").get<bool>();
    settings.eps = trained.eps;
    settings.scale = parameters.at("branch_scale").get<float>();
    const std::string gate = text("gate");
    settings.gate = gate == "adapter" ? trained.gate
                    : gate == "off"   ? GateMode::None
                    : gate == "token" ? GateMode::Token
                                      : GateMode::Sample;
    FW_ASSIGN(settings.kept,
              keptBranches(trained, weights->layers.size(), parameters.at("drop_branches").get<double>()));
    std::unique_ptr<AttentionMethod> sparse;
    if (text("sparse") == "window") {
        FW_ASSIGN(sparse, createWindowBranch(parameters, weights));
    } else {
        FW_ASSIGN(sparse, createTopKBranch(parameters));
    }
    return denseAtFirst(parameters, std::make_unique<Salad>(std::move(sparse), *weights, std::move(settings)));
}

std::vector<job::ParameterSchema> parameters() {
    using job::ParameterType;
    return withQualityKnobs(
        {{"sparse",
          ParameterType::Choice,
          "",
          0,
          0,
          {"window", "top_k"},
          "window",
          "The sparse branch: a sliding window, or the blocks that match best. As the adapter was trained is "
          "best."},
         sparsityParameter(),
         tokenOrderParameter(),
         blocksParameter(),
         {"branch_scale",
          ParameterType::Real,
          "",
          0.0,
          4.0,
          {},
          1.0,
          "Weight of the linear branch; 0 leaves the sparse branch alone."},
         {"gate",
          ParameterType::Choice,
          "",
          0,
          0,
          {"adapter", "token", "sample", "off"},
          "adapter",
          "How the linear branch is let in: by token, by clip, or always. As the adapter was trained is best."},
         {"projection",
          ParameterType::Boolean,
          "",
          0,
          0,
          {},
          true,
          "Send the linear branch through its trained projection; without it, the naive sum."},
         ropeFormParameter({"adapter", "a", "b"}),
         {"drop_branches",
          ParameterType::Real,
          "",
          0.0,
          1.0,
          {},
          0.0,
          "Share of the layers that do without their linear branch, those with the smallest first."}},
        true);
}

}  // namespace

MethodEntry salad() {
    MethodEntry entry;
    entry.description = {.id = "salad",
                         .name = "SALAD",
                         .summary = "Sparse attention with a trained, gated summary of all tokens beside it.",
                         .paper = "arXiv:2601.16515",
                         .parameters = parameters()};
    entry.needs = {{kProjection, WeightNeed::Kind::Projection, ""},
                   {kGate, WeightNeed::Kind::Gate, kProjection},
                   {kHeadOrder, WeightNeed::Kind::HeadTable, ""}};
    entry.needsSparseOperations = true;
    entry.create = createSalad;
    return entry;
}

}  // namespace fw::method
