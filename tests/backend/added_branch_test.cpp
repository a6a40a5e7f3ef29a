// Sparse attention that adds a branch where it writes its result, beside the same in two passes.
#include <array>
#include <cmath>
#include <string>

#include "core/backend/token_blocks.h"
#include "ops_harness.h"

namespace fw::backend {
namespace {

// An attention that is asked to add a branch gives the bits of the attention and a pass that adds it.
struct AddingCase {
    TokenGrid grid;
    std::int64_t size = 0;  // of blocks; 0: a window in both orders
    std::array<std::int64_t, 3> tile{};
    std::int64_t batch = 1, heads = 2, width = 64;
    GateMode gate = GateMode::Token;
    bool strided = false;  // the branch and the result are columns of wider rows
};

class AddedBranchTest : public OpsTest {
 protected:
    OwnedTensor place(const TestTensor& host) {
        OwnedTensor device = *createTensor(*m_device, host.view().dtype(), host.view().shape());
        m_ops->upload(host.view(), device.view);
        return device;
    }
    void attend(const AddingCase& c, const TensorView& out, const AddedBranch& added) {
        const auto head = [&](std::int64_t i) {
            const std::int64_t channels = c.heads * c.width;
            return m_operands.view.slice(2, i * channels, (i + 1) * channels).split(2, c.heads, c.width);
        };
        const float scale = 1.0F / std::sqrt(static_cast<float>(c.width));
        if (c.size == 0 && c.tile[0] == 0) {
            const WindowOptions options{
                .scale = scale, .grid = c.grid, .window = 9, .orders = m_orders.view, .added = added};
            m_ops->windowAttention(head(0), head(1), head(2), out, options);
            return;
        }
        const TokenBlocks cut{.grid = c.grid, .size = c.size, .tile = c.tile};
        const std::int64_t kept = (cut.count() + 1) / 2;
        const auto lists = *createTensor(*m_device, DType::I32, {c.batch, c.heads, cut.count(), kept});
        const auto counts = *createTensor(*m_device, DType::I32, {c.batch, c.heads, cut.count()});
        m_ops->selectBlocks(head(0), head(1), {.blocks = cut, .kept = kept}, {lists.view, counts.view});
        m_ops->blockSparseAttention(head(0), head(1), head(2), out, {lists.view, counts.view},
                                    {.scale = scale, .blocks = cut, .pairs = 1, .added = added});
        ASSERT_TRUE(m_ops->synchronize());  // the lists end here
    }
    std::string bytesOf(const TensorView& view) {
        const OwnedTensor packed = *createTensor(*m_device, view.dtype(), view.shape());
        m_ops->copy(view, packed.view);
        std::string bytes(static_cast<std::size_t>(view.bytes()), '\0');
        m_ops->download(packed.view, TensorView(bytes.data(), view.dtype(), view.shape()));
        EXPECT_TRUE(m_ops->synchronize());
        return bytes;
    }
    void run(const AddingCase& c) {
        const std::int64_t tokens = c.grid.tokens();
        const std::int64_t channels = c.heads * c.width;
        m_operands = place(TestTensor::input(dtype(), {c.batch, tokens, 3 * channels}));
        const TestTensor orders = TestTensor::output(DType::U8, {c.batch, c.heads});
        for (std::int64_t i = 0; i < c.batch * c.heads; ++i) {
            orders.set({i / c.heads, i % c.heads}, static_cast<double>(i % 2));
        }
        m_orders = place(orders);
        const OwnedTensor branches = place(TestTensor::input(dtype(), {c.batch, tokens, 2 * channels}));
        const OwnedTensor logits = place(TestTensor::input(DType::F32, {c.batch, tokens, 1}));
        const OwnedTensor wide = *createTensor(*m_device, dtype(), {c.batch, tokens, 2 * channels});
        const OwnedTensor narrow = *createTensor(*m_device, dtype(), {c.batch, tokens, channels});
        const TensorView out = c.strided ? wide.view.slice(2, channels, 2 * channels) : narrow.view;
        const OwnedTensor packed = *createTensor(*m_device, dtype(), {c.batch, tokens, channels});
        m_ops->copy(branches.view.slice(2, channels, 2 * channels), packed.view);
        AddedBranch added;
        added.branch = c.strided ? branches.view.slice(2, channels, 2 * channels) : packed.view;
        added.options = {.scale = 0.7F, .gate = c.gate, .logits = {}};
        if (c.gate != GateMode::None) {
            added.options.logits = logits.view;
        }
        const TensorView heads = out.split(2, c.heads, c.width);
        attend(c, heads, {});
        const auto alone = bytesOf(out);
        m_ops->addBranch(out, added.branch, added.options);
        const auto inTwo = bytesOf(out);
        attend(c, heads, added);
        const auto atOnce = bytesOf(out);
        EXPECT_FALSE(alone == inTwo);
        EXPECT_TRUE(inTwo == atOnce) << c.grid.tokens() << " tokens in blocks of " << c.size << ", width "
                                     << c.width << ", gate " << static_cast<int>(c.gate) << ", strided "
                                     << c.strided;
    }
    OwnedTensor m_operands, m_orders;
};
INSTANTIATE_TEST_SUITE_P(Devices, AddedBranchTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(AddedBranchTest, HasTheBitsOfAPassOfItsOwn) {
    for (const GateMode gate : {GateMode::None, GateMode::Token, GateMode::Sample}) {
        for (const bool strided : {false, true}) {
            run({.grid = {3, 9, 7}, .gate = gate, .strided = strided});
            run({.grid = {3, 13, 11}, .size = 64, .gate = gate, .strided = strided});
        }
    }
    for (const std::int64_t width : {32, 128}) {
        run({.grid = {5, 7, 6}, .batch = 2, .heads = 3, .width = width});
        run({.grid = {1, 20, 13}, .size = 128, .width = width});
        run({.grid = {4, 8, 8}, .tile = {4, 4, 4}, .width = width});
    }
    run({.grid = {1, 13, 11}, .size = 13});
}

}  // namespace
}  // namespace fw::backend
