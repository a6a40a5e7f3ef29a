// Every sparse attention kernel of the CUDA engine by name, against masked sums in double precision: lists of all
// lengths, ragged ends, both orders of tokens, more tiles than a device computes at once. A kernel that a device
// has no instructions for is passed over, the one without tensor cores never.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/tensor/dtype.h"
#include "cuda_kernel_test.h"
#include "kernels/cuda/sparse_args.h"

namespace fw::backend {
namespace {

namespace cuda = kernels::cuda;
using cuda::AttentionKernel;

struct Sizes {
    std::int64_t tokens, width;
    std::int64_t heads = 2, batch = 1;
};

class CudaSparse : public CudaKernelTest<AttentionKernel> {
 protected:
    // Operands beside one another, [batch, tokens, 3, heads, width], as one product writes them.
    cuda::AttentionArgs operands(const Sizes& s) {
        std::normal_distribution<float> normal;
        m_host.clear();
        for (std::int64_t i = 0; i < s.batch * s.tokens * 3 * s.heads * s.width; ++i) {
            m_host.emplace_back(normal(m_random));
        }
        m_out.assign(static_cast<std::size_t>(s.batch * s.tokens * s.heads * s.width), BFloat16(NAN));
        const BFloat16* fused = onDevice(m_host);
        const std::int64_t row = s.heads * s.width;
        cuda::AttentionArgs args{};
        args.batch = s.batch, args.queries = args.keys = s.tokens, args.heads = s.heads, args.headDim = s.width;
        args.q = fused, args.k = fused + row, args.v = fused + 2 * row;
        args.out = onDevice(m_out);
        args.qBatch = args.kBatch = args.vBatch = 3 * s.tokens * row;
        args.qToken = args.kToken = args.vToken = 3 * row;
        args.qHead = args.kHead = args.vHead = args.outHead = s.width;
        args.outBatch = s.tokens * row, args.outToken = row;
        args.element = cuda::Element::Bf16;
        args.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(s.width)));
        args.kernel = GetParam();
        return args;
    }

    using Sees = std::function<bool(std::int64_t batch, std::int64_t head, std::int64_t query, std::int64_t key)>;
    void compare(const Sizes& s, cuda::Code code, const void* out, const Sees& sees);
    // `starts`: of blocks of at most `size` tokens, and the end; empty: all blocks but the last have as many.
    void blocks(const Sizes& s, std::int64_t size, std::int64_t most, const std::vector<std::int32_t>& starts = {});
    void window(const Sizes& s, std::int64_t frames, std::int64_t window, bool sinkFrame, bool mixed);
    void linear(const Sizes& s, bool rotated);
    void skipUnlessComputed() const {
        if (m_computed == 0 && !HasFailure()) {
            GTEST_SKIP() << "not on this device";
        }
    }

    std::vector<BFloat16> m_host, m_out;
    std::mt19937 m_random{11};
    int m_computed = 0;  // cases the kernel took
};

// One query's row of the result; zeros where it sees nothing.
std::vector<double> expectedRow(const BFloat16* q, const BFloat16* k, const BFloat16* v, const Sizes& s,
                                const std::function<bool(std::int64_t)>& sees) {
    const std::int64_t step = 3 * s.heads * s.width;
    const double scale = 1.0 / std::sqrt(static_cast<double>(s.width));
    const auto value = [](const BFloat16& x) { return static_cast<double>(static_cast<float>(x)); };
    std::vector<double> row(static_cast<std::size_t>(s.width));
    double sum = 0.0;
    for (std::int64_t key = 0; key < s.tokens; ++key) {
        if (!sees(key)) {
            continue;
        }
        double score = 0.0;
        for (std::int64_t i = 0; i < s.width; ++i) {
            score += value(q[i]) * value(k[key * step + i]);
        }
        const double weight = std::exp(score * scale);  // of unit variance: no maximum is needed
        sum += weight;
        for (std::int64_t i = 0; i < s.width; ++i) {
            row[static_cast<std::size_t>(i)] += weight * value(v[key * step + i]);
        }
    }
    for (double& x : row) {
        x = sum > 0.0 ? x / sum : 0.0;
    }
    return row;
}

void CudaSparse::compare(const Sizes& s, cuda::Code code, const void* out, const Sees& sees) {
    if (code == cuda::Code::Unsupported && GetParam() != AttentionKernel::Simple) {
        return;
    }
    ASSERT_EQ(code, cuda::Code::Ok);
    ++m_computed;
    ASSERT_EQ(api().download(m_queue, out, m_out.data(), static_cast<std::int64_t>(m_out.size() * 2)),
              cuda::Code::Ok);
    ASSERT_EQ(api().synchronize(m_queue, &m_message), cuda::Code::Ok) << m_message.text;
    const std::int64_t step = 3 * s.heads * s.width;
    const std::int64_t stride = s.tokens > 300 ? 7 : 1;
    for (std::int64_t b = 0; b < s.batch; ++b) {
        for (std::int64_t head = 0; head < s.heads; ++head) {
            double difference = 0.0;
            double size = 0.0;
            for (std::int64_t query = 0; query < s.tokens; query += stride) {
                const BFloat16* base = m_host.data() + b * s.tokens * step + head * s.width;
                const auto row =
                    expectedRow(base + query * step, base + s.heads * s.width, base + 2 * s.heads * s.width, s,
                                [&](std::int64_t key) { return sees(b, head, query, key); });
                const BFloat16* got = m_out.data() + ((b * s.tokens + query) * s.heads + head) * s.width;
                for (std::int64_t i = 0; i < s.width; ++i) {
                    const double expected = row[static_cast<std::size_t>(i)];
                    const double error = static_cast<double>(static_cast<float>(got[i])) - expected;
                    difference += error * error;
                    size += expected * expected;
                }
            }
            // Probabilities and results are rounded to bf16. Written so that NaN fails.
            EXPECT_TRUE(difference <= 36e-6 * size)
                << "batch " << b << ", head " << head << ": relative error " << std::sqrt(difference / size);
        }
    }
}

// Random lists of up to `most` blocks, among them empty ones and some in no order.
void CudaSparse::blocks(const Sizes& s, std::int64_t size, std::int64_t most,
                        const std::vector<std::int32_t>& starts) {
    SCOPED_TRACE(::testing::Message() << s.tokens << " tokens, width " << s.width << ", blocks of " << size);
    cuda::BlockSparseArgs args{};
    args.operands = operands(s);
    const std::int64_t count =
        starts.empty() ? (s.tokens + size - 1) / size : static_cast<std::int64_t>(starts.size()) - 1;
    args.cut.blocks = count, args.cut.size = size;
    args.cut.starts = starts.empty() ? nullptr : onDevice(starts);
    const auto blockOf = [&](std::int64_t token) {
        return starts.empty() ? token / size
                              : std::upper_bound(starts.begin(), starts.end(), token) - starts.begin() - 1;
    };
    most = std::min(most, count);
    std::vector<std::int32_t> lists;
    std::vector<std::int32_t> counts;
    for (std::int64_t row = 0; row < s.batch * s.heads * count; ++row) {
        std::vector<std::int32_t> order(static_cast<std::size_t>(count));
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), m_random);
        const auto kept =
            row == 1 ? std::int64_t{0} : static_cast<std::int64_t>(m_random() % static_cast<unsigned>(most + 1));
        if (row % 2 == 0) {
            std::sort(order.begin(), order.begin() + kept);
        }
        lists.insert(lists.end(), order.begin(), order.begin() + most);
        counts.push_back(static_cast<std::int32_t>(kept));
    }
    args.lists = onDevice(lists);
    args.counts = onDevice(counts);
    args.listSteps = {s.heads * count * most, count * most, most};
    args.countSteps = {s.heads * count, count, 1};
    compare(s, api().blockSparseAttention(m_queue, args), args.operands.out,
            [&](std::int64_t b, std::int64_t head, std::int64_t query, std::int64_t key) {
                const std::int64_t row = (b * s.heads + head) * count + blockOf(query);
                const auto list = lists.begin() + row * most;
                const auto end = list + counts[static_cast<std::size_t>(row)];
                return std::find(list, end, static_cast<std::int32_t>(blockOf(key))) != end;
            });
}

void CudaSparse::window(const Sizes& s, std::int64_t frames, std::int64_t width, bool sinkFrame, bool mixed) {
    SCOPED_TRACE(::testing::Message() << s.tokens << " tokens of " << frames << " frames, width " << s.width
                                      << ", window " << width << ", sink " << sinkFrame << ", mixed " << mixed);
    cuda::WindowArgs args{};
    args.operands = operands(s);
    args.frames = frames, args.window = width, args.sinkFrame = sinkFrame;
    std::vector<std::uint8_t> orders;
    for (std::int64_t i = 0; i < s.batch * s.heads; ++i) {
        orders.push_back(static_cast<std::uint8_t>(mixed ? (i + 1) % 2 : 0));
    }
    if (mixed) {
        args.orders = onDevice(orders);
        args.orderBatch = s.heads, args.orderHead = 1;
    }
    const std::int64_t plane = s.tokens / frames;
    compare(s, api().windowAttention(m_queue, args), args.operands.out,
            [&](std::int64_t b, std::int64_t head, std::int64_t query, std::int64_t key) {
                const bool tokenMajor = orders[static_cast<std::size_t>(b * s.heads + head)] == 1;
                const auto position = [&](std::int64_t token) {
                    return tokenMajor ? token % plane * frames + token / plane : token;
                };
                return (sinkFrame && key < plane) || std::abs(position(query) - position(key)) <= width;
            });
}

// Against the sums of one head in double precision.
void CudaSparse::linear(const Sizes& s, bool rotated) {
    SCOPED_TRACE(::testing::Message() << "linear: " << s.tokens << " tokens, width " << s.width << ", rotated "
                                      << rotated);
    cuda::LinearAttentionArgs args{};
    args.operands = operands(s);
    args.eps = 1e-6F;
    std::vector<float> cosine;
    std::vector<float> sine;
    for (std::int64_t i = 0; i < s.tokens * s.width / 2; ++i) {
        const double angle = rotated ? static_cast<double>(i) : 0.0;
        cosine.push_back(static_cast<float>(std::cos(angle)));
        sine.push_back(static_cast<float>(std::sin(angle)));
    }
    if (rotated) {
        args.cosine = onDevice(cosine), args.sine = onDevice(sine);
        args.cosineRow = args.sineRow = s.width / 2;
    }
    const cuda::Code code = api().linearAttention(m_queue, args);
    if (code == cuda::Code::Unsupported && GetParam() == AttentionKernel::Wgmma) {
        return;
    }
    ASSERT_EQ(code, cuda::Code::Ok);
    ++m_computed;
    ASSERT_EQ(api().download(m_queue, args.operands.out, m_out.data(), static_cast<std::int64_t>(m_out.size() * 2)),
              cuda::Code::Ok);
    ASSERT_EQ(api().synchronize(m_queue, &m_message), cuda::Code::Ok) << m_message.text;
    const auto width = static_cast<std::size_t>(s.width);
    const auto value = [](const BFloat16& x) { return static_cast<double>(static_cast<float>(x)); };
    const auto features = [&](const BFloat16* row, std::int64_t token, std::vector<double>& plain,
                              std::vector<double>& turned) {
        for (std::size_t d = 0; d < width; d += 2) {
            const auto pair = static_cast<std::size_t>(token) * width / 2 + d / 2;
            const double c = static_cast<double>(cosine[pair]);
            const double z = static_cast<double>(sine[pair]);
            plain[d] = std::max(value(row[d]) * c + value(row[d + 1]) * z, 0.0);
            plain[d + 1] = std::max(value(row[d + 1]) * c - value(row[d]) * z, 0.0);
            turned[d] = plain[d] * c - plain[d + 1] * z;
            turned[d + 1] = plain[d] * z + plain[d + 1] * c;
        }
    };
    const std::int64_t step = 3 * s.heads * s.width;
    std::vector<double> plain(width);
    std::vector<double> turned(width);
    for (std::int64_t part = 0; part < s.batch * s.heads; ++part) {
        const std::int64_t b = part / s.heads;
        const BFloat16* base = m_host.data() + b * s.tokens * step + part % s.heads * s.width;
        std::vector<double> state(width * width);
        std::vector<double> total(width);
        for (std::int64_t token = 0; token < s.tokens; ++token) {
            const BFloat16* key = base + token * step + s.heads * s.width;
            features(key, token, plain, turned);
            for (std::size_t d = 0; d < width; ++d) {
                total[d] += plain[d];
                for (std::size_t i = 0; i < width; ++i) {
                    state[d * width + i] +=
                        turned[d] * value(key[s.heads * s.width + static_cast<std::int64_t>(i)]);
                }
            }
        }
        double difference = 0.0;
        double size = 0.0;
        for (std::int64_t token = 0; token < s.tokens; ++token) {
            features(base + token * step, token, plain, turned);
            const double divisor = std::inner_product(plain.begin(), plain.end(), total.begin(), 1e-6);
            const BFloat16* got = m_out.data() + ((b * s.tokens + token) * s.heads + part % s.heads) * s.width;
            for (std::size_t i = 0; i < width; ++i) {
                double expected = 0.0;
                for (std::size_t d = 0; d < width; ++d) {
                    expected += turned[d] * state[d * width + i];
                }
                const double error = value(got[i]) - expected / divisor;
                difference += error * error;
                size += expected * expected / (divisor * divisor);
            }
        }
        // Features and results are rounded to bf16. Written so that NaN fails.
        EXPECT_TRUE(difference <= 16e-6 * size)
            << "head " << part << ": relative error " << std::sqrt(difference / size);
    }
}

TEST_P(CudaSparse, LinearAttention) {
    for (const bool rotated : {false, true}) {
        linear({.tokens = 1, .width = 128, .heads = 1}, rotated);
        linear({.tokens = 31, .width = 64, .heads = 3}, rotated);
        linear({.tokens = 1000, .width = 64, .heads = 1, .batch = 2}, rotated);
        linear({.tokens = 333, .width = 128, .heads = 2}, rotated);
        linear({.tokens = 1000, .width = 128, .heads = 1}, rotated);
    }
    skipUnlessComputed();
}

TEST_P(CudaSparse, BlocksOfSixtyFourAndMore) {
    for (const std::int64_t width : {64, 128}) {
        blocks({.tokens = 1, .width = width}, 128, 1);
        blocks({.tokens = 128, .width = width}, 128, 1);
        blocks({.tokens = 300, .width = width, .heads = 1}, 128, 3);
        blocks({.tokens = 259, .width = width, .heads = 2, .batch = 2}, 64, 5);
    }
    blocks({.tokens = 1100, .width = 64, .heads = 1}, 128, 9);
    blocks({.tokens = 700, .width = 128, .heads = 1}, 64, 11);
    blocks({.tokens = 600, .width = 64, .heads = 1}, 256, 3);
    blocks({.tokens = 400, .width = 64, .heads = 1}, 192, 3);
    skipUnlessComputed();
}

// More items than thread blocks, with lists of all lengths side by side.
TEST_P(CudaSparse, ItemAfterItem) {
    blocks({.tokens = 1000, .width = 64, .heads = 2}, 64, 16);
    blocks({.tokens = 1000, .width = 64, .heads = 2}, 128, 8);
    blocks({.tokens = 600, .width = 128, .heads = 3}, 64, 6);
    skipUnlessComputed();
}

// Blocks of fewer tiles than others: neighbours in a thread block belong to different blocks, or to none.
TEST_P(CudaSparse, BlocksOfDifferentSizes) {
    blocks({.tokens = 500, .width = 64, .heads = 2}, 192, 4, {0, 60, 252, 300, 492, 500});
    blocks({.tokens = 700, .width = 128, .heads = 1}, 256, 4, {0, 256, 300, 556, 700});
    skipUnlessComputed();
}

TEST_P(CudaSparse, BlocksOfOtherSizes) {
    for (const std::int64_t width : {64, 128}) {
        blocks({.tokens = 100, .width = width, .heads = 1}, 16, 7);
        blocks({.tokens = 211, .width = width, .heads = 1}, 70, 3);
    }
    if (GetParam() != AttentionKernel::Wgmma) {
        skipUnlessComputed();
    }
}

TEST_P(CudaSparse, WindowsInBothOrders) {
    for (const std::int64_t width : {64, 128}) {
        window({.tokens = 5, .width = width}, 5, 0, false, true);
        window({.tokens = 21 * 13, .width = width}, 21, 30, false, true);
    }
    window({.tokens = 8 * 40, .width = 64, .heads = 1, .batch = 2}, 8, 100, true, true);
    window({.tokens = 400, .width = 128, .heads = 1}, 4, 150, true, false);
    window({.tokens = 100 * 3, .width = 64, .heads = 1}, 100, 20, true, true);
    window({.tokens = 7 * 30, .width = 64, .heads = 1}, 7, 5000, true, true);
    skipUnlessComputed();
}

// A tensor on a device from values on the host.
OwnedTensor placed(Device& device, Ops& ops, const std::vector<float>& values, const Shape& shape, DType dtype) {
    auto floats = createTensor(device, DType::F32, shape);
    auto tensor = createTensor(device, dtype, shape);
    EXPECT_TRUE(floats && tensor);
    ops.upload(ConstTensorView(values.data(), DType::F32, shape), floats->view);
    ops.copy(floats->view, tensor->view);
    EXPECT_TRUE(ops.synchronize());
    return std::move(*tensor);
}

// Sparse attention of boxes on one device, as f32.
std::vector<float> attendBoxes(const std::string& name, DType dtype, const TokenBlocks& cut, std::int64_t width) {
    constexpr std::int64_t kHeads = 2;
    auto device = *createDevice(name);
    auto ops = *device->createOps({});
    const Shape shape{1, cut.grid.tokens(), kHeads, width};
    const std::int64_t count = cut.count();
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    std::vector<OwnedTensor> operands;
    for (int i = 0; i < 3; ++i) {
        std::vector<float> values;
        for (std::int64_t j = 0; j < shape.product(); ++j) {
            values.push_back(static_cast<float>(BFloat16(normal(random))));
        }
        operands.push_back(placed(*device, *ops, values, shape, dtype));
    }
    std::vector<std::int32_t> lists;
    std::vector<std::int32_t> counts;
    for (std::int64_t row = 0; row < kHeads * count; ++row) {
        std::vector<std::int32_t> order(static_cast<std::size_t>(count));
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), random);
        lists.insert(lists.end(), order.begin(), order.end());
        counts.push_back(static_cast<std::int32_t>(row % (count + 1)));
    }
    const Shape listShape{1, kHeads, count, count};
    const Shape countShape{1, kHeads, count};
    auto deviceLists = *createTensor(*device, DType::I32, listShape);
    auto deviceCounts = *createTensor(*device, DType::I32, countShape);
    auto out = *createTensor(*device, dtype, shape);
    auto result = *createTensor(*device, DType::F32, shape);
    ops->upload(ConstTensorView(lists.data(), DType::I32, listShape), deviceLists.view);
    ops->upload(ConstTensorView(counts.data(), DType::I32, countShape), deviceCounts.view);
    ops->blockSparseAttention(
        operands[0].view, operands[1].view, operands[2].view, out.view, {deviceLists.view, deviceCounts.view},
        {.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(width))), .blocks = cut, .pairs = 1});
    ops->copy(out.view, result.view);
    std::vector<float> values(static_cast<std::size_t>(shape.product()));
    ops->download(result.view, TensorView(values.data(), DType::F32, shape));
    EXPECT_TRUE(ops->synchronize());
    return values;
}

// Boxes of every kind a kernel tells apart: whole and cut off at either end, in one tile, in several, in none.
TEST(CudaSparseBoxes, AreThoseOfTheProcessor) {
    const auto library = CudaLibrary::open();
    ASSERT_TRUE(library) << library.error().message;
    std::int32_t devices = 0;
    cuda::Message message{};
    if ((*library)->api().deviceCount(&devices, &message) != cuda::Code::Ok) {
        GTEST_SKIP() << message.text;
    }
    for (const TokenBlocks& cut :
         {TokenBlocks{.grid = {8, 4, 8}, .size = 0, .tile = {4, 4, 4}},
          TokenBlocks{.grid = {5, 6, 7}, .size = 0, .tile = {4, 4, 4}},
          TokenBlocks{.grid = {5, 7, 7}, .size = 0, .tile = {4, 4, 4}, .shift = {2, 0, 3}},
          TokenBlocks{.grid = {6, 9, 10}, .size = 0, .tile = {4, 8, 8}, .shift = {0, 5, 0}},
          TokenBlocks{.grid = {1, 20, 16}, .size = 0, .tile = {1, 16, 16}},
          TokenBlocks{.grid = {5, 6, 7}, .size = 0, .tile = {2, 3, 5}, .shift = {1, 2, 3}}}) {
        const std::int64_t width = cut.grid.tokens() % 2 == 0 ? 64 : 128;
        const std::vector<float> expected = attendBoxes("cpu", DType::F32, cut, width);
        const std::vector<float> got = attendBoxes("cuda:0", DType::BF16, cut, width);
        double difference = 0.0;
        double size = 0.0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const double error = static_cast<double>(got[i]) - static_cast<double>(expected[i]);
            difference += error * error;
            size += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
        }
        EXPECT_TRUE(difference <= 36e-6 * size)
            << "boxes of " << cut.tile[0] << " x " << cut.tile[1] << " x " << cut.tile[2] << ", width " << width
            << ": relative error " << std::sqrt(difference / size);
    }
}

std::string kernelName(const ::testing::TestParamInfo<AttentionKernel>& parameter) {
    constexpr std::array<const char*, 4> kNames{"Auto", "Simple", "Mma", "Wgmma"};
    return kNames[static_cast<std::size_t>(parameter.param)];
}
INSTANTIATE_TEST_SUITE_P(Kernels, CudaSparse,
                         ::testing::Values(AttentionKernel::Simple, AttentionKernel::Mma, AttentionKernel::Wgmma),
                         kernelName);

}  // namespace
}  // namespace fw::backend
