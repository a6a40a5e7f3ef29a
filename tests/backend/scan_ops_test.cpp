// State space models against the plain recurrence in double precision, windows against masked dense attention, and
// the orders of a clip's tokens.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/backend/token_scan.h"
#include "ops_harness.h"

namespace fw::backend {
namespace {

constexpr ScanOrder kAllOrders[] = {ScanOrder::SRow,       ScanOrder::SCol,       ScanOrder::TRow,
                                    ScanOrder::TCol,       ScanOrder::ZigzagSRow, ScanOrder::ZigzagSCol,
                                    ScanOrder::ZigzagTRow, ScanOrder::ZigzagTCol, ScanOrder::Hilbert};
constexpr ScanOrder kRotaryMajor[] = {ScanOrder::SRow, ScanOrder::SCol, ScanOrder::TRow, ScanOrder::TCol};

TestTensor orderTensor(const std::vector<std::int32_t>& order) {
    const TestTensor tensor = TestTensor::output(DType::I32, {static_cast<std::int64_t>(order.size())});
    for (std::size_t i = 0; i < order.size(); ++i) {
        tensor.set({static_cast<std::int64_t>(i)}, order[i]);
    }
    return tensor;
}

void addTo(const TestTensor& tensor, double offset, double factor = 1.0) {
    Dims index = firstIndex(tensor.view().shape());
    do {
        tensor.set(index, offset + factor * readElement(tensor.view(), index));
    } while (advance(index, tensor.view().shape()));
}

class ScanOpsTest : public OpsTest {
 protected:
    void SetUp() override {
        OpsTest::SetUp();
        if (!HasFatalFailure() && m_ops != nullptr && !m_ops->supportsStateSpace()) {
            GTEST_SKIP() << GetParam().device << " has no state space models";
        }
    }

    struct ScanCase {
        std::int64_t rows = 1, chunk = 64;
        std::int64_t batch = 1, heads = 2, width = 16, groups = 1, state = 16;
        Layout layout = Layout::Contiguous;
        double stepOffset = -2.0, stepSpread = 1.0, decay = 0.0;  // Δ = softplus(…), A = -e^decay
        bool both = false, reverse = false, states = false, ordered = false;
    };

    struct Operands {
        TestTensor x, b, c, step, bias, decay, skip, initial, final;
    };
    [[nodiscard]] Operands operands(const ScanCase& k) const {
        const Shape small{k.heads};
        const Shape state{k.batch, k.heads, k.width, k.state};
        Operands o{TestTensor::input(dtype(), {k.batch, k.rows, k.heads, k.width}, k.layout),
                   TestTensor::input(dtype(), {k.batch, k.rows, k.groups, k.state}, k.layout),
                   TestTensor::input(dtype(), {k.batch, k.rows, k.groups, k.state}, k.layout, 0.5),
                   TestTensor::input(DType::F32, {k.batch, k.rows, k.heads}, Layout::Contiguous, k.stepSpread),
                   TestTensor::input(DType::F32, small, Layout::Contiguous, 0.1),
                   TestTensor::input(DType::F32, small, Layout::Contiguous, 0.3),
                   TestTensor::input(DType::F32, small),
                   TestTensor::input(DType::F32, state),
                   TestTensor::output(DType::F32, state)};
        addTo(o.step, k.stepOffset);
        addTo(o.decay, k.decay);
        return o;
    }

    void scan(const ScanCase& k) {
        const Operands a = operands(k), z = operands(k);
        std::vector<std::int32_t> order(static_cast<std::size_t>(k.rows));
        std::iota(order.begin(), order.end(), 0);
        if (k.ordered) {
            order = makeScan({1, 1, k.rows}, ScanOrder::SRow);
            std::reverse(order.begin(), order.begin() + k.rows / 2);
        }
        const TestTensor path = orderTensor(order);
        const TestTensor y = TestTensor::output(dtype(), a.x.view().shape(), k.layout);
        const auto direction = [&](const ViewOf& view, const Operands& o, bool reverse) {
            StateSpaceInput in{.x = view(o.x),
                               .b = view(o.b),
                               .c = view(o.c),
                               .step = view(o.step),
                               .stepBias = view(o.bias),
                               .decay = view(o.decay),
                               .skip = view(o.skip),
                               .initialState = {},
                               .finalState = {},
                               .reverse = reverse};
            if (k.states) {
                in.initialState = view(o.initial);
            }
            return in;
        };
        const std::string what =
            fmt::format("{} rows in chunks of {}, {} x {} state {} groups {}, step {}, both {}", k.rows, k.chunk,
                        k.heads, k.width, k.state, k.groups, k.stepOffset, k.both);
        std::vector<const TestTensor*> inputs{&path};
        for (const Operands* o : {&a, &z}) {
            for (const TestTensor* t :
                 {&o->x, &o->b, &o->c, &o->step, &o->bias, &o->decay, &o->skip, &o->initial}) {
                inputs.push_back(t);
            }
        }
        expectMatch(what, inputs, y, [&](Ops& ops, const ViewOf& view) {
            std::vector<StateSpaceInput> directions{direction(view, a, k.reverse)};
            if (k.both) {
                directions.push_back(direction(view, z, !k.reverse));
            }
            ops.stateSpaceScan(directions, {.order = k.ordered ? view(path) : TensorView(), .chunk = k.chunk},
                               view(y));
        });
        if (!k.states) {
            return;
        }
        expectMatch(what + ", final state", inputs, a.final, [&](Ops& ops, const ViewOf& view) {
            StateSpaceInput in = direction(view, a, k.reverse);
            in.finalState = view(a.final);
            ops.stateSpaceScan({&in, 1}, {.order = view(path), .chunk = k.chunk}, {});
        });
    }
};
INSTANTIATE_TEST_SUITE_P(Devices, ScanOpsTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(ScanOpsTest, EqualsTheRecurrenceInChunksOfEverySize) {
    for (const std::int64_t chunk : {1, 16, 64, 256}) {
        for (const std::int64_t rows : {1, 2, 61, 64, 65, 127, 257, 512}) {
            scan({.rows = rows, .chunk = chunk, .both = rows % 2 == 1, .states = rows % 3 == 1});
        }
    }
}

TEST_P(ScanOpsTest, EqualsTheRecurrenceForEveryShapeOfHeads) {
    scan({.rows = 70, .batch = 2, .heads = 3, .width = 5, .state = 7, .layout = Layout::Fused, .both = true});
    scan(
        {.rows = 33, .chunk = 32, .heads = 6, .width = 64, .groups = 3, .state = 64, .layout = Layout::PaddedRows});
    scan({.rows = 40, .chunk = 16, .heads = 1, .width = 1, .state = 1, .both = true, .states = true});
    scan({.rows = 67, .heads = 4, .width = 40, .groups = 4, .state = 24, .both = true, .states = true});
    scan({.rows = 19, .chunk = 13, .heads = 2, .width = 256, .state = 256, .reverse = true, .states = true});
}

TEST_P(ScanOpsTest, FollowsAnOrderBackAndForth) {
    for (const bool reverse : {false, true}) {
        scan({.rows = 97,
              .chunk = 16,
              .layout = Layout::Fused,
              .both = true,
              .reverse = reverse,
              .states = true,
              .ordered = true});
    }
}

TEST_P(ScanOpsTest, KeepsItsAccuracyForLongAndShortMemories) {
    const double offsets[] = {-30.0, -12.0, 3.0, 25.0, 1000.0};  // Δ from 1e-13 to 1000
    for (const double offset : offsets) {
        for (const double decay : {-7.0, 0.0, 3.0}) {
            scan({.rows = 131, .heads = 2, .stepOffset = offset, .stepSpread = 2.0, .decay = decay, .both = true});
        }
    }
    // Huge and tiny steps side by side: what follows a huge one must not lose its digits.
    scan({.rows = 131, .stepOffset = 0.0, .stepSpread = 40.0, .decay = 2.0, .both = true, .states = true});
    // A memory as long as the row.
    scan({.rows = 1021, .chunk = 64, .stepOffset = -5.0, .stepSpread = 0.1, .decay = -5.0, .both = true});
}

TEST_P(ScanOpsTest, NoRowsLeaveTheStateAlone) {
    StateSpaceInput in;
    in.x = TensorView(nullptr, dtype(), {1, 0, 1, 8}, DeviceKind::Cpu);
    in.b = in.c = TensorView(nullptr, dtype(), {1, 0, 1, 8}, DeviceKind::Cpu);
    in.step = TensorView(nullptr, DType::F32, {1, 0, 1}, DeviceKind::Cpu);
    float one = 1.0F;
    in.stepBias = in.decay = in.skip = ConstTensorView(&one, DType::F32, {1});
    if (m_ops->deviceKind() == DeviceKind::Cpu) {
        m_ops->stateSpaceScan({&in, 1}, {}, TensorView(nullptr, dtype(), {1, 0, 1, 8}, DeviceKind::Cpu));
        EXPECT_TRUE(m_ops->synchronize());
    }
}

TEST_P(ScanOpsTest, ConvolvesAlongAnyOrder) {
    struct Case {
        std::int64_t batch, rows, channels, taps, prefix;
        bool reverse;
        Layout layout;
    };
    for (const Case& k :
         {Case{1, 1, 8, 4, 0, false, Layout::Contiguous}, Case{2, 7, 13, 4, 0, true, Layout::Fused},
          Case{1, 30, 64, 4, 2, false, Layout::Contiguous}, Case{1, 30, 65, 4, 5, true, Layout::PaddedRows},
          Case{2, 5, 640, 8, 3, false, Layout::Fused}, Case{1, 29, 16, 1, 4, true, Layout::Contiguous},
          Case{1, 2, 16, 8, 1, false, Layout::Contiguous}}) {
        const TestTensor x = TestTensor::input(dtype(), {k.batch, k.rows, k.channels}, k.layout);
        const TestTensor y = TestTensor::output(dtype(), {k.batch, k.rows, k.channels}, k.layout);
        const TestTensor weight = TestTensor::input(DType::F32, {k.taps, k.channels});
        const TestTensor bias = TestTensor::input(DType::F32, {k.channels});
        const TestTensor prefix =
            TestTensor::input(dtype(), {k.batch, std::max<std::int64_t>(k.prefix, 1), k.channels});
        std::vector<std::int32_t> order(static_cast<std::size_t>(k.rows)),
            before(static_cast<std::size_t>(std::max<std::int64_t>(k.prefix, 1)));
        std::iota(order.rbegin(), order.rend(), 0);
        std::iota(before.begin(), before.end(), 0);
        std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(order.size() / 3), order.end());
        std::rotate(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(before.size() / 2), before.end());
        const TestTensor path = orderTensor(order), prefixPath = orderTensor(before);
        const std::string what = fmt::format("{} rows of {}, {} taps, prefix {}, reverse {}", k.rows, k.channels,
                                             k.taps, k.prefix, k.reverse);
        expectMatch(what, {&x, &weight, &bias, &prefix, &path, &prefixPath}, y, [&](Ops& ops, const ViewOf& view) {
            ScanConvOptions options{.path = {view(path), k.reverse}, .prefix = {}, .prefixOrder = {}};
            if (k.prefix > 0) {
                options.prefix = view(prefix);
                options.prefixOrder = view(prefixPath);
            }
            ops.scanConv(view(x), view(weight), view(bias), options, view(y));
        });
    }
}

TEST_P(ScanOpsTest, NormsWhatTheGateLeaves) {
    struct Case {
        std::int64_t batch, rows, channels, groups;
        Layout layout;
    };
    for (const Case& k : {Case{1, 1, 1, 1, Layout::Contiguous}, Case{2, 13, 512, 1, Layout::Fused},
                          Case{1, 40, 65, 5, Layout::PaddedRows}, Case{1, 3, 64, 64, Layout::Contiguous}}) {
        const TestTensor x = TestTensor::input(dtype(), {k.batch, k.rows, k.channels}, k.layout);
        const TestTensor gate = TestTensor::input(dtype(), {k.batch, k.rows, k.channels}, k.layout, 3.0);
        const TestTensor weight = TestTensor::input(DType::F32, {k.channels});
        const TestTensor y = TestTensor::output(dtype(), {k.batch, k.rows, k.channels}, k.layout);
        expectMatch(fmt::format("{} channels in {} groups", k.channels, k.groups), {&x, &gate, &weight}, y,
                    [&](Ops& ops, const ViewOf& view) {
                        ops.gatedRmsNorm(view(x), view(gate), view(weight), k.groups, 1e-5F, view(y));
                    });
    }
}

TEST_P(ScanOpsTest, PoolsOverTheTokensThereAre) {
    const TokenGrid grids[] = {{1, 1, 1}, {9, 4, 4}, {5, 7, 3}, {2, 5, 11}};
    for (const TokenGrid& grid : grids) {
        for (const std::array<std::int64_t, 3>& box :
             {std::array<std::int64_t, 3>{3, 2, 2}, {1, 1, 1}, {1, 4, 4}, {100, 100, 100}}) {
            const TestTensor x = TestTensor::input(dtype(), {2, grid.tokens(), 37}, Layout::Fused);
            const TestTensor y = TestTensor::output(dtype(), {2, pooledGrid(grid, box).tokens(), 37});
            expectMatch(fmt::format("boxes of {} x {} x {}", box[0], box[1], box[2]), {&x}, y,
                        [&](Ops& ops, const ViewOf& view) { ops.poolTokens(view(x), grid, box, view(y)); });
        }
    }
}

// Review tokens: putting rows in front of a sequence is the same as starting from what they leave behind.
TEST_P(ScanOpsTest, AStartingStateEqualsRowsInFront) {
    constexpr std::int64_t kPrefix = 37, kRows = 101, kHeads = 2, kWidth = 16, kState = 16, kTaps = 4;
    constexpr std::int64_t kChannels = kHeads * kWidth + 2 * kState;
    const TestTensor whole = TestTensor::input(dtype(), {1, kPrefix + kRows, kChannels});
    const TestTensor step = TestTensor::input(DType::F32, {1, kPrefix + kRows, kHeads});
    const TestTensor weight = TestTensor::input(DType::F32, {kTaps, kChannels}, Layout::Contiguous, 0.5);
    const TestTensor bias = TestTensor::input(DType::F32, {kChannels});
    const TestTensor heads = TestTensor::input(DType::F32, {kHeads});
    const TestTensor y = TestTensor::output(dtype(), {1, kRows, kHeads, kWidth});
    const auto input = [&](const TensorView& rows, const ConstTensorView& steps, const TensorView& vector) {
        const std::int64_t inner = kHeads * kWidth;
        return StateSpaceInput{.x = rows.slice(2, 0, inner).split(2, kHeads, kWidth),
                               .b = rows.slice(2, inner, inner + kState).split(2, 1, kState),
                               .c = rows.slice(2, inner + kState, kChannels).split(2, 1, kState),
                               .step = steps,
                               .stepBias = vector,
                               .decay = vector,
                               .skip = vector,
                               .initialState = {},
                               .finalState = {},
                               .reverse = false};
    };
    expectMatch("rows in front", {&whole, &step, &weight, &bias, &heads}, y, [&](Ops& ops, const ViewOf& view) {
        const bool reference = &ops == &m_reference;
        const auto host = createDevice("cpu");
        Device& device = reference ? **host : *m_device;
        const auto take = [&](DType type, const Shape& shape) {
            return std::move(*createTensor(device, type, shape));
        };
        const ConstTensorView front = view(whole).slice(1, 0, kPrefix),
                              rest = view(whole).slice(1, kPrefix, kPrefix + kRows);
        if (reference) {  // as it is meant: one row, the outputs of its beginning dropped
            const auto rows = take(dtype(), {1, kPrefix + kRows, kChannels});
            const auto all = take(dtype(), {1, kPrefix + kRows, kHeads, kWidth});
            ops.scanConv(view(whole), view(weight), view(bias), {}, rows.view);
            const StateSpaceInput in = input(rows.view, view(step), view(heads));
            ops.stateSpaceScan({&in, 1}, {}, all.view);
            ops.copy(all.view.slice(1, kPrefix, kPrefix + kRows), view(y));
            return;
        }
        const auto before = take(dtype(), {1, kPrefix, kChannels}), rows = take(dtype(), {1, kRows, kChannels});
        const auto state = take(DType::F32, {1, kHeads, kWidth, kState});
        ops.scanConv(front, view(weight), view(bias), {}, before.view);
        StateSpaceInput review = input(before.view, view(step).slice(1, 0, kPrefix), view(heads));
        review.finalState = state.view;
        ops.stateSpaceScan({&review, 1}, {}, {});
        ops.scanConv(rest, view(weight), view(bias), {.path = {}, .prefix = front, .prefixOrder = {}}, rows.view);
        StateSpaceInput in = input(rows.view, view(step).slice(1, kPrefix, kPrefix + kRows), view(heads));
        in.initialState = state.view;
        ops.stateSpaceScan({&in, 1}, {.order = {}, .chunk = 16}, view(y));
        EXPECT_TRUE(ops.synchronize());
    });
}

// The region of a position after a cyclic shift, as Video Swin's mask numbers them.
std::int64_t region(std::int64_t position, std::int64_t extent, std::int64_t window, std::int64_t shift) {
    const std::int64_t rolled = (position + extent - shift) % extent;
    const std::int64_t part = rolled < extent - window ? 0 : rolled < extent - shift ? 1 : 2;
    return 3 * (rolled / window) + part;
}

// Windows of a shifted grid, each for itself, against dense attention with Swin's mask.
TEST_P(ScanOpsTest, ShiftedWindowsEqualMaskedDenseAttention) {
    if (!m_ops->supportsSparseAttention()) {
        GTEST_SKIP() << GetParam().device << " has no sparse attention";
    }
    struct Case {
        TokenGrid grid;
        std::array<std::int64_t, 3> window, shift;
    };
    for (const Case& k : {Case{{4, 8, 8}, {4, 4, 4}, {0, 2, 2}}, Case{{4, 4, 6}, {2, 2, 3}, {1, 1, 1}},
                          Case{{3, 6, 2}, {3, 3, 2}, {0, 0, 0}}}) {
        const std::int64_t tokens = k.grid.tokens();
        const TestTensor q = TestTensor::input(dtype(), {1, tokens, 2, 32}, Layout::Fused);
        const TestTensor key = TestTensor::input(dtype(), {1, tokens, 2, 32}, Layout::Fused);
        const TestTensor v = TestTensor::input(dtype(), {1, tokens, 2, 32}, Layout::Fused);
        const TestTensor mask = TestTensor::output(DType::F32, {2, tokens, tokens});
        const auto place = [&](std::int64_t token) {
            const std::array<std::int64_t, 3> at{token / k.grid.plane(), token / k.grid.width % k.grid.height,
                                                 token % k.grid.width};
            const std::int64_t extents[] = {k.grid.frames, k.grid.height, k.grid.width};
            std::array<std::int64_t, 3> regions{};
            for (std::size_t axis = 0; axis < 3; ++axis) {
                regions[axis] = region(at[axis], extents[axis], k.window[axis], k.shift[axis]);
            }
            return regions;
        };
        for (std::int64_t pair = 0; pair < 2 * tokens * tokens; ++pair) {
            const std::int64_t a = pair / tokens % tokens, b = pair % tokens;
            mask.set({pair / (tokens * tokens), a, b},
                     place(a) == place(b) ? 0.0 : -std::numeric_limits<double>::infinity());
        }
        const TokenBlocks cut{.grid = k.grid, .tile = k.window, .shift = k.shift};
        const TestTensor lists = TestTensor::output(DType::I32, {1, 2, cut.count(), 1});
        const TestTensor counts = TestTensor::output(DType::I32, {1, 2, cut.count()});
        for (std::int64_t i = 0; i < 2 * cut.count(); ++i) {
            lists.set({0, i / cut.count(), i % cut.count(), 0}, static_cast<double>(i % cut.count()));
            counts.set({0, i / cut.count(), i % cut.count()}, 1.0);
        }
        const TestTensor out = TestTensor::output(dtype(), {1, tokens, 2, 32}, Layout::Fused);
        expectMatch(fmt::format("windows of {} x {} x {}", k.window[0], k.window[1], k.window[2]),
                    {&q, &key, &v, &mask, &lists, &counts}, out, [&](Ops& ops, const ViewOf& view) {
                        if (&ops == &m_reference) {
                            ops.attention(view(q), view(key), view(v), view(out),
                                          {.scale = 0.2F, .bias = view(mask), .keyCount = -1});
                            return;
                        }
                        ops.blockSparseAttention(view(q), view(key), view(v), view(out),
                                                 {view(lists), view(counts)},
                                                 {.scale = 0.2F, .blocks = cut, .pairs = 1});
                    });
    }
}

TEST(TokenScan, OrdersArePermutationsOfEveryGrid) {
    const TokenGrid grids[] = {{1, 1, 1},  {9, 16, 16}, {5, 3, 7},   {1, 13, 2},
                               {11, 1, 1}, {2, 2, 2},   {3, 10, 17}, {34, 6, 5}};
    for (const TokenGrid& grid : grids) {
        for (const ScanOrder order : kAllOrders) {
            std::vector<std::int32_t> tokens = makeScan(grid, order);
            std::sort(tokens.begin(), tokens.end());
            std::vector<std::int32_t> all(static_cast<std::size_t>(grid.tokens()));
            std::iota(all.begin(), all.end(), 0);
            EXPECT_EQ(tokens, all) << scanOrderName(order) << " of " << grid.frames << " x " << grid.height << " x "
                                   << grid.width;
        }
    }
}

// The position of every token.
std::vector<std::int64_t> positionsOf(const TokenGrid& grid, ScanOrder order) {
    const std::vector<std::int32_t> tokens = makeScan(grid, order);
    std::vector<std::int64_t> positions(tokens.size());
    for (std::size_t p = 0; p < tokens.size(); ++p) {
        positions[static_cast<std::size_t>(tokens[p])] = static_cast<std::int64_t>(p);
    }
    return positions;
}

// Calls body(token, neighbour) for every pair of neighbours of a grid.
template <class Body>
void forNeighbours(const TokenGrid& grid, const Body& body) {
    for (std::int64_t token = 0; token < grid.tokens(); ++token) {
        if (token % grid.width + 1 < grid.width) {
            body(static_cast<std::size_t>(token), static_cast<std::size_t>(token + 1));
        }
        if (token / grid.width % grid.height + 1 < grid.height) {
            body(static_cast<std::size_t>(token), static_cast<std::size_t>(token + grid.width));
        }
        if (token / grid.plane() + 1 < grid.frames) {
            body(static_cast<std::size_t>(token), static_cast<std::size_t>(token + grid.plane()));
        }
    }
}

TEST(TokenScan, NeighboursMeetWithinFourLayers) {
    for (const TokenGrid& grid : {TokenGrid{9, 16, 16}, TokenGrid{5, 3, 7}, TokenGrid{3, 2, 13}}) {
        std::vector<std::vector<std::int64_t>> positions;
        for (const ScanOrder order : kRotaryMajor) {
            positions.push_back(positionsOf(grid, order));
        }
        forNeighbours(grid, [&](std::size_t a, std::size_t b) {
            std::int64_t nearest = grid.tokens();
            for (const auto& layer : positions) {
                nearest = std::min(nearest, std::abs(layer[a] - layer[b]));
            }
            ASSERT_EQ(nearest, 1) << a << " and " << b;
        });
    }
}

TEST(TokenScan, HasThePublishedMeanDistances) {
    const TokenGrid grid{9, 16, 16};
    const auto mean = [&](ScanOrder order) {
        const auto positions = positionsOf(grid, order);
        double sum = 0.0, pairs = 0.0;
        forNeighbours(grid, [&](std::size_t a, std::size_t b) {
            sum += static_cast<double>(std::abs(positions[a] - positions[b]));
            pairs += 1.0;
        });
        return sum / pairs;
    };
    for (const ScanOrder order : {ScanOrder::SRow, ScanOrder::SCol, ScanOrder::ZigzagSRow, ScanOrder::ZigzagSCol}) {
        EXPECT_NEAR(mean(order), 88.10, 0.005) << scanOrderName(order);
    }
    for (const ScanOrder order : {ScanOrder::TRow, ScanOrder::TCol, ScanOrder::ZigzagTRow, ScanOrder::ZigzagTCol}) {
        EXPECT_NEAR(mean(order), 52.22, 0.005) << scanOrderName(order);
    }
    EXPECT_LT(mean(ScanOrder::Hilbert), 70.0);
}

TEST(TokenScan, ZigzagAndHilbertDoNotJump) {
    for (const TokenGrid& grid : {TokenGrid{9, 16, 16}, TokenGrid{4, 6, 8}, TokenGrid{5, 3, 7}}) {
        for (const ScanOrder order : kAllOrders) {
            const std::vector<std::int32_t> tokens = makeScan(grid, order);
            std::int64_t jump = 0;
            for (std::size_t p = 1; p < tokens.size(); ++p) {
                const std::int64_t a = tokens[p - 1], b = tokens[p];
                jump = std::max(jump, std::abs(a / grid.plane() - b / grid.plane()) +
                                          std::abs(a / grid.width % grid.height - b / grid.width % grid.height) +
                                          std::abs(a % grid.width - b % grid.width));
            }
            const bool zigzag = order >= ScanOrder::ZigzagSRow && order <= ScanOrder::ZigzagTCol;
            const std::int64_t most = zigzag ? 1 : order == ScanOrder::Hilbert ? 3 : grid.tokens();
            EXPECT_LE(jump, most) << scanOrderName(order) << " of " << grid.frames << " x " << grid.height << " x "
                                  << grid.width;
        }
    }
}

TEST(TokenScan, NamesGoBothWays) {
    for (const ScanOrder order : kAllOrders) {
        const auto back = scanOrderFromName(scanOrderName(order));
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, order);
    }
    const auto unknown = scanOrderFromName("spiral");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(unknown.error().message.find("zigzag_t_col"), std::string::npos);
}

TEST(TokenBlocksShift, WindowsOfOddLayersBeginBesideTheBorder) {
    const TokenBlocks cut{.grid = {9, 16, 10}, .tile = {9, 4, 4}, .shift = {0, 2, 2}};
    EXPECT_EQ(cut.tiles(), (std::array<std::int64_t, 3>{1, 5, 3}));
    EXPECT_EQ(cut.tokensOf(0), 9 * 2 * 2);
    EXPECT_EQ(cut.tokensOf(1), 9 * 2 * 4);
    EXPECT_EQ(cut.tokensOf(2), 9 * 2 * 4);
    EXPECT_EQ(cut.tokensOf(4), 9 * 4 * 4);
    std::int64_t tokens = 0;
    for (std::int64_t block = 0; block < cut.count(); ++block) {
        tokens += cut.tokensOf(block);
    }
    EXPECT_EQ(tokens, cut.grid.tokens());
    std::vector<std::int32_t> order = makeBlockTable(cut).order;
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order.front(), 0);
    EXPECT_EQ(std::adjacent_find(order.begin(), order.end()), order.end());
    EXPECT_EQ(static_cast<std::int64_t>(order.size()), cut.grid.tokens());
}

}  // namespace
}  // namespace fw::backend
