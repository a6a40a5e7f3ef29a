#include "core/method/sliding_window.h"

#include <algorithm>

#include "core/method/painted_masks.h"
#include "core/method/probe_sink.h"
#include "core/method/quality_knobs.h"

namespace fw::method {

namespace {

using backend::TokenOrder;

constexpr std::int64_t kOrderSamples = 64;  // as the published setting of Sparse VideoGen
constexpr const char* kOrderTable = "salad_head_order";

enum class OrderRule : std::uint8_t { Frame, Token, Alternate, Online, Table };

Result<OrderRule> orderRule(const std::string& name) {
    if (name == "frame") {
        return OrderRule::Frame;
    }
    if (name == "token") {
        return OrderRule::Token;
    }
    if (name == "alternate") {
        return OrderRule::Alternate;
    }
    return name == "online" ? OrderRule::Online : OrderRule::Table;
}

class SlidingWindow final : public AttentionMethod {
 public:
    SlidingWindow(double sparsity, OrderRule rule, bool sinkFrame, const MethodWeights* weights)
        : m_sparsity(sparsity), m_rule(rule), m_sinkFrame(sinkFrame), m_weights(weights) {}

    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        FW_TRY(prepare(call.grid));
        const backend::ArenaScope scope(context.arena);
        backend::WindowOptions options{.scale = call.scale,
                                       .grid = call.grid,
                                       .window = m_window,
                                       .sinkFrame = m_sinkFrame,
                                       .orders = {},
                                       .added = call.added};
        FW_ASSIGN(const std::int64_t tokenMajor, chooseOrders(context, call, options));
        context.ops.windowAttention(call.q, call.k, call.v, call.out, options);
        countWork(context, call, m_work[0], call.q.dim(2) - tokenMajor);
        countWork(context, call, m_work[1], tokenMajor);
        if (context.probes != nullptr) {
            FW_TRY(context.probes->windowDone(context, call, options));
        }
        return paintOver(context, call);
    }

 private:
    Status prepare(const TokenGrid& grid) {
        if (grid == m_grid) {
            return {};
        }
        FW_ASSIGN(m_window, windowFor(grid, m_sparsity));
        m_work[0] = backend::windowWork(grid, TokenOrder::FrameMajor, m_window, m_sinkFrame);
        m_work[1] = backend::windowWork(grid, TokenOrder::TokenMajor, m_window, m_sinkFrame);
        m_grid = grid;
        return {};
    }

    // Fills options.orders. The number of heads in token-major order, 0 where only the device knows it.
    Result<std::int64_t> chooseOrders(RunContext& context, const SelfAttentionCall& call,
                                      backend::WindowOptions& options) {
        if (m_rule == OrderRule::Frame) {
            return 0;
        }
        const std::int64_t batch = call.q.dim(0);
        const std::int64_t heads = call.q.dim(2);
        if (m_rule == OrderRule::Online) {
            const TensorView orders = context.arena.take(DType::U8, {batch, heads});
            context.ops.chooseTokenOrders(call.q, call.k, call.v, options, kOrderSamples, orders);
            options.orders = orders;
            return 0;
        }
        const std::vector<std::uint8_t>& table = ordersOf(call);
        FW_CHECK(static_cast<std::int64_t>(table.size()) == heads, "{} orders for {} heads", table.size(), heads);
        const TensorView orders = context.arena.take(DType::U8, {1, heads});
        if (context.ops.deviceKind() != DeviceKind::Meta) {
            context.ops.upload(ConstTensorView(table.data(), DType::U8, {1, heads}), orders);
        }
        options.orders = orders.broadcastTo({batch, heads});
        return std::count(table.begin(), table.end(), std::uint8_t{1});
    }

    // Stays where it is until the device has read it.
    const std::vector<std::uint8_t>& ordersOf(const SelfAttentionCall& call) {
        if (m_rule == OrderRule::Table) {
            return *m_weights->table(call.layer, kOrderTable);
        }
        if (m_fixed.empty()) {
            for (std::int64_t head = 0; head < call.q.dim(2); ++head) {
                m_fixed.push_back(static_cast<std::uint8_t>(m_rule == OrderRule::Token ? 1 : head % 2));
            }
        }
        return m_fixed;
    }

    double m_sparsity;
    OrderRule m_rule;
    bool m_sinkFrame;
    const MethodWeights* m_weights;
    TokenGrid m_grid;
    std::int64_t m_window = 0;
    backend::KeptWork m_work[2];  // by TokenOrder
    std::vector<std::uint8_t> m_fixed;
};

bool hasOrdersEverywhere(const MethodWeights* weights) {
    for (std::size_t layer = 0; weights != nullptr && layer < weights->layers.size(); ++layer) {
        if (weights->table(static_cast<int>(layer), kOrderTable) == nullptr) {
            return false;
        }
    }
    return weights != nullptr && !weights->layers.empty();
}

}  // namespace

Result<std::int64_t> windowFor(const TokenGrid& grid, double sparsity) {
    const std::int64_t tokens = grid.tokens();
    const auto all = static_cast<double>(tokens) * static_cast<double>(tokens);
    // Pairs of a window w: every token sees 2w + 1, less the w (w + 1) that the two ends cut off.
    const auto leavesOut = [&](std::int64_t w) {
        const double pairs = static_cast<double>(tokens) * static_cast<double>(2 * w + 1) -
                             static_cast<double>(w) * static_cast<double>(w + 1);
        return 1.0 - pairs / all;
    };
    if (sparsity <= 0.0 || tokens <= 2) {
        return tokens;
    }
    if (leavesOut(1) < sparsity) {
        return fail(ErrorCode::InvalidArgument,
                    "sparsity {} leaves no window in a clip of {} tokens; at most {:.3f} fits", sparsity, tokens,
                    leavesOut(1));
    }
    std::int64_t fits = 1;
    for (std::int64_t tooWide = tokens; tooWide - fits > 1;) {
        const std::int64_t middle = (fits + tooWide) / 2;
        (leavesOut(middle) >= sparsity ? fits : tooWide) = middle;
    }
    return fits;
}

job::ParameterSchema tokenOrderParameter() {
    return {"order",
            job::ParameterType::Choice,
            "",
            0,
            0,
            {"adapter", "frame", "token", "alternate", "online", "table"},
            "adapter",
            "What lies close in the window: the same frame, the same place through time, either by turns of the "
            "heads, whichever loses less (measured at every call), or as an adapter's table says. 'adapter' takes "
            "the table where there is one, and turns where there is none."};
}

Result<std::unique_ptr<AttentionMethod>> createWindowBranch(const Json& parameters, const MethodWeights* weights) {
    const auto order = parameters.at("order").get<std::string>();
    FW_ASSIGN(const OrderRule rule, orderRule(order != "adapter"             ? order
                                              : hasOrdersEverywhere(weights) ? "table"
                                                                             : "alternate"));
    if (rule == OrderRule::Table && !hasOrdersEverywhere(weights)) {
        return fail(ErrorCode::InvalidArgument,
                    "order 'table' needs an adapter with blocks.*.attn1.{} in every layer; choose an adapter that "
                    "has it, or order alternate",
                    kOrderTable);
    }
    return std::make_unique<SlidingWindow>(parameters.at("sparsity").get<double>(), rule,
                                           parameters.at("sink_frame").get<bool>(), weights);
}

MethodEntry slidingWindow() {
    MethodEntry entry;
    entry.description = {
        .id = "sliding_window",
        .name = "Sliding window",
        .summary = "A token sees its neighbours in space or, in other heads, its own place through time.",
        .paper = "arXiv:2503.22796",
        .parameters = withQualityKnobs({sparsityParameter(), tokenOrderParameter()}, true)};
    entry.needs = {{kOrderTable, WeightNeed::Kind::HeadTable, ""}};
    entry.needsSparseOperations = true;
    entry.create = [](const Json& parameters,
                      const MethodWeights* weights) -> Result<std::unique_ptr<AttentionMethod>> {
        FW_ASSIGN(auto branch, createWindowBranch(parameters, weights));
        return denseAtFirst(parameters, std::move(branch));
    };
    return entry;
}

}  // namespace fw::method
