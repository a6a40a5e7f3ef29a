// Costs: exact where they can be counted by hand, and the same on every device and in a dry run.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "ops_harness.h"

namespace fw::backend {
namespace {

// The operations of state space models.
template <class MakeTensor>
void scanEverything(Ops& ops, DType act, const MakeTensor& tensor) {
    const TensorView rows = tensor(act, {1, 4, 32});
    const TensorView pooled = tensor(act, {1, 2, 32});
    const TensorView channels = tensor(DType::F32, {32});
    const TensorView heads = tensor(DType::F32, {2});
    ops.poolTokens(rows, {2, 1, 2}, {2, 1, 1}, pooled);
    ops.scanConv(rows, tensor(DType::F32, {4, 32}), channels, {.path = {}, .prefix = pooled, .prefixOrder = {}},
                 tensor(act, {1, 4, 32}));
    const StateSpaceInput direction{.x = tensor(act, {1, 4, 2, 16}),
                                    .b = tensor(act, {1, 4, 1, 8}),
                                    .c = tensor(act, {1, 4, 1, 8}),
                                    .step = tensor(DType::F32, {1, 4, 2}),
                                    .stepBias = heads,
                                    .decay = heads,
                                    .skip = heads,
                                    .initialState = tensor(DType::F32, {1, 2, 16, 8}),
                                    .finalState = {},
                                    .reverse = true};
    ops.stateSpaceScan({&direction, 1}, {.order = {}, .chunk = 2}, tensor(act, {1, 4, 2, 16}));
    ops.gatedRmsNorm(rows, rows, channels, 2, 1e-5F, tensor(act, {1, 4, 32}));
}

// One of each operation (sparse attention on request) on tensors of `device`; weights come from the host.
OpCost costOfEverything(Device& device, Ops& ops, DType act, bool withSparse) {
    std::vector<OwnedTensor> kept;
    std::vector<std::byte> zeros;
    const auto tensor = [&](DType dtype, const Shape& shape) {
        kept.push_back(std::move(*createTensor(device, dtype, shape)));
        const TensorView& view = kept.back().view;
        zeros.assign(static_cast<std::size_t>(view.bytes()), std::byte{});
        ops.upload(TensorView(zeros.data(), dtype, shape), view);
        EXPECT_TRUE(ops.synchronize());
        return view;
    };
    const TestTensor weight = TestTensor::input(DType::F32, {24, 32});
    const TestTensor kernel = TestTensor::input(DType::F32, {5, 4, 3, 3, 3});
    const TestTensor host = TestTensor::input(DType::F32, {6, 32});
    const ConstTensorView weightView = weight.view();
    auto linear = ops.packLinear({{&weightView, 1}, {}}, act);
    auto conv = ops.packConv3d(kernel.view(), {}, {.stride = {1, 1, 1}, .padding = {1, 1, 1, 1}}, act);
    EXPECT_TRUE(linear && conv);

    const TensorView vectors = tensor(DType::F32, {2, 32});
    const TensorView channels = tensor(DType::F32, {32});
    const TensorView rows = tensor(act, {2, 3, 32});
    const TensorView other = tensor(act, {2, 3, 32});
    const TensorView table = tensor(DType::F32, {3, 8});
    ops.upload(host.view().slice(0, 0, 6), tensor(DType::F32, {6, 32}));
    ops.linear(rows, **linear, tensor(act, {2, 3, 24}), Activation::Silu);
    const TensorView heads = tensor(act, {1, 4, 2, 16});
    AttentionOptions options;
    options.keyCount = 3;
    options.bias = tensor(DType::F32, {2, 4, 4});
    ops.attention(heads, heads, heads, tensor(act, {1, 4, 2, 16}), options);
    const TensorView lists = tensor(DType::I32, {1, 2, 2, 2});
    const TensorView counts = tensor(DType::I32, {1, 2, 2});
    const TokenBlocks blocks{.grid = {2, 1, 2}, .size = 2};
    const TensorView sparse = tensor(act, {1, 4, 2, 16});
    if (withSparse) {
        ops.windowAttention(heads, heads, heads, sparse, {.grid = blocks.grid, .window = 1, .orders = {}});
        ops.blockSparseAttention(heads, heads, heads, sparse, {lists, counts}, {.blocks = blocks, .pairs = 7});
        ops.selectBlocks(heads, heads, {.blocks = blocks, .kept = 2}, {lists, counts});
        ops.chooseTokenOrders(heads, heads, heads, {.grid = blocks.grid, .window = 1, .orders = {}}, 2,
                              tensor(DType::U8, {1, 2}));
        ops.linearAttention(heads, heads, heads, sparse, {});
        ops.addBranch(rows, other, {.gate = GateMode::Token, .logits = tensor(DType::F32, {2, 3, 1})});
    }
    if (ops.supportsStateSpace() && withSparse) {
        scanEverything(ops, act, tensor);
    }
    ops.rmsNormRope(rows, channels, 1e-6F, RopeTables{table, table}, 16, other);
    ops.layerNormModulate(rows, vectors, vectors, 1e-6F, other);
    ops.layerNormModulate(rows, vectors, vectors, 1e-6F, other, {linear->get(), tensor(act, {2, 3, 24})});
    ops.layerNorm(rows, channels, channels, 1e-6F, other);
    ops.rmsNorm(rows, channels, 1e-6F, other);
    ops.channelNorm(rows, channels, true, other);
    ops.gatedAdd(rows, other, vectors);
    ops.add(channels, vectors, tensor(DType::F32, {2, 32}));
    ops.silu(vectors, vectors);
    ops.gatedGelu(rows, tensor(act, {2, 3, 16}));
    ops.embed(vectors, tensor(DType::I32, {4}), tensor(act, {4, 32}));
    ops.copy(rows, tensor(DType::F32, {2, 3, 32}));
    const Ops::Term terms[] = {{2.0, vectors}, {1.0, vectors}};
    ops.linearCombination(terms, vectors);
    ops.difference(rows, other, tensor(DType::F32, {4}));
    const TensorView clip = tensor(act, {1, 3, 6, 6, 4});
    ops.conv3d(clip, **conv, tensor(act, {1, 1, 6, 6, 5}), true);
    ops.upsample2x(clip, tensor(act, {1, 3, 12, 12, 4}));
    ops.toBytes(clip, tensor(DType::U8, {1, 3, 6, 6, 4}));
    EXPECT_TRUE(ops.synchronize());
    return ops.cost();
}

class CostTest : public ::testing::TestWithParam<OpsParameter> {};
INSTANTIATE_TEST_SUITE_P(Devices, CostTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(CostTest, DryRunForecastsTheRealRun) {
    auto device = createDevice(GetParam().device);
    ASSERT_TRUE(device);
    auto ops = (*device)->createOps({});
    ASSERT_TRUE(ops);
    const auto meta = createMetaDevice(GetParam().dtype);
    auto metaOps = meta->createOps({});
    ASSERT_TRUE(metaOps);
    // Only what the device has: a dry run has everything.
    const bool sparse = (*ops)->supportsSparseAttention();
    const OpCost real = costOfEverything(**device, **ops, GetParam().dtype, sparse);
    const OpCost forecast = costOfEverything(*meta, **metaOps, GetParam().dtype, sparse);
    EXPECT_GT(real.flops, 0);
    EXPECT_GT(real.bytes, 0);
    EXPECT_EQ(real.flops, forecast.flops);
    EXPECT_EQ(real.bytes, forecast.bytes);
}

TEST(Cost, ProductsAreCountedExactly) {
    const auto meta = createMetaDevice(DType::F32);
    auto ops = *meta->createOps({});
    const TensorView x(nullptr, DType::F32, {2, 3, 32}, DeviceKind::Meta);
    const TensorView y(nullptr, DType::F32, {2, 3, 24}, DeviceKind::Meta);
    const ConstTensorView weight(nullptr, DType::F32, {24, 32}, DeviceKind::Meta);
    const auto packed = *ops->packLinear({{&weight, 1}, {}}, DType::F32);
    EXPECT_EQ(packed->bytes, 24 * 32 * 4);
    ops->linear(x, *packed, y);
    EXPECT_EQ(ops->cost().flops, 2 * 6 * 24 * 32);
    EXPECT_EQ(ops->cost().bytes, 4 * (6 * 32 + 6 * 24 + 24 * 32));

    // With a norm: what it has made is not read again.
    const TensorView vectors(nullptr, DType::F32, {2, 32}, DeviceKind::Meta);
    ops->layerNormModulate(x, vectors, vectors, 1e-6F, x);
    const OpCost norm{ops->cost().flops - 2 * 6 * 24 * 32, ops->cost().bytes - 4 * (6 * 32 + 6 * 24 + 24 * 32)};
    const OpCost alone = ops->cost();
    ops->layerNormModulate(x, vectors, vectors, 1e-6F, x, {packed.get(), y});
    EXPECT_EQ(ops->cost().flops - alone.flops, norm.flops + 2 * 6 * 24 * 32);
    EXPECT_EQ(ops->cost().bytes - alone.bytes, norm.bytes + 4 * (6 * 24 + 24 * 32));

    const std::int64_t before = ops->cost().flops;
    const TensorView q(nullptr, DType::F32, {1, 5, 2, 16}, DeviceKind::Meta);
    const TensorView k(nullptr, DType::F32, {1, 9, 2, 16}, DeviceKind::Meta);
    ops->attention(q, k, k, q, {.scale = 1.0F, .bias = {}, .keyCount = 7});
    EXPECT_EQ(ops->cost().flops - before, 2 * 2 * 2 * 5 * 7 * 16);
}

// Q·G·N + Q·d + 2·N·d multiply-adds for each row, d = H·P; the state alone takes N·d.
TEST(Cost, ScansAreCountedByTheirChunks) {
    const auto meta = createMetaDevice(DType::F32);
    auto ops = *meta->createOps({});
    const auto view = [](const Shape& shape) { return TensorView(nullptr, DType::F32, shape, DeviceKind::Meta); };
    const StateSpaceInput in{.x = view({1, 640, 8, 64}),
                             .b = view({1, 640, 1, 48}),
                             .c = view({1, 640, 1, 48}),
                             .step = view({1, 640, 8}),
                             .stepBias = view({8}),
                             .decay = view({8}),
                             .skip = view({8}),
                             .initialState = {},
                             .finalState = {},
                             .reverse = false};
    ops->stateSpaceScan({&in, 1}, {.order = {}, .chunk = 32}, view({1, 640, 8, 64}));
    const std::int64_t steps = 640 * 8 * 8;
    EXPECT_EQ(ops->cost().flops, 2 * 640 * (32 * 48 + 32 * 512 + 2 * 48 * 512) + steps);
    const std::int64_t before = ops->cost().flops;
    ops->stateSpaceScan({&in, 1}, {.order = {}, .chunk = 32}, {});
    EXPECT_EQ(ops->cost().flops - before, 2 * 640 * 48 * 512 + steps);
}

class MarkedTimesTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, MarkedTimesTest, ::testing::ValuesIn(allParameters()), parameterName);

// What was queued between two points lies between their times, on one clock from call to call.
TEST_P(MarkedTimesTest, EncloseTheWork) {
    const TestTensor rows = TestTensor::input(DType::F32, {512, 1024});
    const auto a = createTensor(*m_device, DType::F32, {512, 1024});
    const auto b = createTensor(*m_device, DType::F32, {512, 1024});
    ASSERT_TRUE(a && b);
    m_ops->upload(rows.view(), a->view);
    EXPECT_TRUE(m_ops->markedTimes().empty());
    const std::int64_t begin = m_ops->timestampUs();
    std::int64_t last = begin;
    for (int round = 0; round < 3; ++round) {
        std::vector<std::size_t> points{m_ops->mark()};
        for (int i = 0; i < 2 + round; ++i) {
            m_ops->add(a->view, a->view, b->view);
            points.push_back(m_ops->mark());
        }
        const std::vector<std::int64_t> times = m_ops->markedTimes();
        ASSERT_EQ(times.size(), points.size());
        for (std::size_t i = 0; i < points.size(); ++i) {
            EXPECT_EQ(points[i], i);
            EXPECT_GE(times[i], last);
            last = times[i];
        }
    }
    EXPECT_TRUE(m_ops->synchronize());
    // The clocks of host and device may differ by what it takes to ask them.
    EXPECT_LE(last, m_ops->timestampUs() + 1000);
    EXPECT_GT(last, begin);
}

// Where one module ends and the next begins there may be one event for both; waiting comes between two.
TEST_P(MarkedTimesTest, NothingBetweenIsNoTimeAndWaitingIs) {
    constexpr std::int64_t kPauseUs = 20'000;
    const auto a = createTensor(*m_device, DType::F32, {512, 1024});
    ASSERT_TRUE(a);
    m_ops->add(a->view, a->view, a->view);
    for (int point = 0; point < 2; ++point) {
        EXPECT_EQ(m_ops->mark(), static_cast<std::size_t>(point));
    }
    ASSERT_TRUE(m_ops->synchronize());
    std::this_thread::sleep_for(std::chrono::microseconds(kPauseUs));
    static_cast<void>(m_ops->mark());
    m_ops->add(a->view, a->view, a->view);
    static_cast<void>(m_ops->mark());
    const std::vector<std::int64_t> times = m_ops->markedTimes();
    ASSERT_EQ(times.size(), 4U);
    EXPECT_LT(times[1] - times[0], kPauseUs / 2);
    EXPECT_GE(times[2] - times[1], kPauseUs / 2);
    EXPECT_GT(times[3], times[2]);
}

}  // namespace
}  // namespace fw::backend
