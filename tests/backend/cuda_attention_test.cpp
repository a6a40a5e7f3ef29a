// Every attention kernel of the CUDA engine by name, against sums in double precision: many tiles, ragged ends,
// strided operands. A kernel that a device has no instructions for is passed over, the one without tensor cores
// never.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "core/tensor/dtype.h"
#include "cuda_kernel_test.h"

namespace fw::backend {
namespace {

namespace cuda = kernels::cuda;
using cuda::AttentionKernel;

struct Case {
    std::int64_t queries, keys, width;
    std::int64_t heads = 2, batch = 1;
    float keyOffset = 0.0F;  // added to every key, which a softmax does not see
    double firstKeyWeight = 1.0;
};

class CudaAttention : public CudaKernelTest<AttentionKernel> {
 protected:
    std::vector<BFloat16> values(std::int64_t count, double spread) {
        std::normal_distribution<float> normal(0.0F, static_cast<float>(spread));
        std::vector<BFloat16> result;
        for (std::int64_t i = 0; i < count; ++i) {
            result.emplace_back(normal(m_random));
        }
        return result;
    }
    void run(const Case& c);
    void skipUnlessComputed() const {
        if (m_computed == 0 && !HasFailure()) {
            GTEST_SKIP() << "not on this device";
        }
    }

    std::mt19937 m_random{7};
    int m_computed = 0;  // cases the kernel took
};

double dot(const BFloat16* a, const BFloat16* b, std::int64_t count) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < count; ++i) {
        sum += static_cast<double>(static_cast<float>(a[i])) * static_cast<double>(static_cast<float>(b[i]));
    }
    return sum;
}

// One query's row of the result.
std::vector<double> expectedRow(const BFloat16* q, const BFloat16* k, const BFloat16* v, const Case& c,
                                std::int64_t token) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(c.width));
    std::vector<double> weights;
    double top = -INFINITY;
    for (std::int64_t key = 0; key < c.keys; ++key) {
        weights.push_back(dot(q, k + key * token, c.width) * scale);
        top = std::max(top, weights.back());
    }
    double sum = 0.0;
    std::vector<double> row(static_cast<std::size_t>(c.width));
    for (std::int64_t key = 0; key < c.keys; ++key) {
        const double weight =
            (key == 0 ? c.firstKeyWeight : 1.0) * std::exp(weights[static_cast<std::size_t>(key)] - top);
        sum += weight;
        for (std::int64_t i = 0; i < c.width; ++i) {
            row[static_cast<std::size_t>(i)] +=
                weight * static_cast<double>(static_cast<float>(v[key * token + i]));
        }
    }
    for (double& value : row) {
        value /= sum;
    }
    return row;
}

void CudaAttention::run(const Case& c) {
    SCOPED_TRACE(::testing::Message() << c.queries << " queries, " << c.keys << " keys, width " << c.width);
    // [batch, tokens, 3, heads, width]: queries, keys and values beside one another, as one product writes them.
    const std::int64_t tokens = std::max(c.queries, c.keys);
    const std::int64_t token = 3 * c.heads * c.width;
    std::vector<BFloat16> host = values(c.batch * tokens * token, 1.0);
    for (std::size_t i = 0; c.keyOffset != 0.0F && i < host.size(); ++i) {
        const auto within = static_cast<std::int64_t>(i) % token;
        if (within >= c.heads * c.width && within < 2 * c.heads * c.width) {
            host[i] = BFloat16(static_cast<float>(host[i]) + c.keyOffset);
        }
    }
    const std::vector<BFloat16> unwritten(static_cast<std::size_t>(c.batch * c.queries * c.heads * c.width),
                                          BFloat16(NAN));
    const auto* fused = static_cast<const BFloat16*>(onDevice(host));
    cuda::AttentionArgs args{};
    args.batch = c.batch, args.queries = c.queries, args.keys = c.keys, args.heads = c.heads,
    args.headDim = c.width;
    args.q = fused, args.k = fused + c.heads * c.width, args.v = fused + 2 * c.heads * c.width;
    args.out = onDevice(unwritten);
    args.qBatch = args.kBatch = args.vBatch = tokens * token;
    args.qToken = args.kToken = args.vToken = token;
    args.qHead = args.kHead = args.vHead = c.width;
    args.outBatch = c.queries * c.heads * c.width, args.outToken = c.heads * c.width, args.outHead = c.width;
    args.element = cuda::Element::Bf16;
    args.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.width)));
    args.firstKeyRaise = static_cast<float>(std::log(c.firstKeyWeight)) / args.scale;
    args.kernel = GetParam();
    const cuda::Code code = api().attention(m_queue, args);
    if (code == cuda::Code::Unsupported && args.kernel != AttentionKernel::Simple) {
        return;
    }
    ASSERT_EQ(code, cuda::Code::Ok);
    EXPECT_TRUE(c.firstKeyWeight == 1.0 ||
                (args.kernel != AttentionKernel::Fp8 && args.kernel != AttentionKernel::Cudnn))
        << "these two do not weigh keys";
    ++m_computed;
    std::vector<BFloat16> out(unwritten.size());
    ASSERT_EQ(api().download(m_queue, args.out, out.data(), static_cast<std::int64_t>(out.size() * 2)),
              cuda::Code::Ok);
    ASSERT_EQ(api().synchronize(m_queue, &m_message), cuda::Code::Ok) << m_message.text;

    double difference = 0.0;
    double size = 0.0;
    const std::int64_t step = c.queries > 64 ? 7 : 1;
    for (std::int64_t b = 0; b < c.batch; ++b) {
        for (std::int64_t query = 0; query < c.queries; query += step) {
            for (std::int64_t head = 0; head < c.heads; ++head) {
                const BFloat16* base = host.data() + b * tokens * token + head * c.width;
                const auto row = expectedRow(base + query * token, base + c.heads * c.width,
                                             base + 2 * c.heads * c.width, c, token);
                const BFloat16* got = out.data() + ((b * c.queries + query) * c.heads + head) * c.width;
                for (std::int64_t i = 0; i < c.width; ++i) {
                    const double expected = row[static_cast<std::size_t>(i)];
                    const double error = static_cast<double>(static_cast<float>(got[i])) - expected;
                    difference += error * error;
                    size += expected * expected;
                }
            }
        }
    }
    // Probabilities and results are rounded to bf16; everything to e4m3, whose steps are 2^-4 wide. Written so that
    // NaN fails.
    const double tolerance = args.kernel == AttentionKernel::Fp8 ? 7e-2 : 6e-3;
    EXPECT_TRUE(std::sqrt(difference / size) <= tolerance) << std::sqrt(difference / size);
}

TEST_P(CudaAttention, RaggedEnds) {
    for (const std::int64_t width : {64, 128, 384}) {
        for (const auto& [queries, keys] :
             {std::pair<std::int64_t, std::int64_t>{1, 1}, {63, 127}, {64, 128}, {65, 129}, {129, 31}}) {
            run({.queries = queries, .keys = keys, .width = width});
        }
    }
    skipUnlessComputed();
}

TEST_P(CudaAttention, ManyTiles) {
    for (const std::int64_t width : {64, 128}) {
        run({.queries = 130, .keys = 700, .width = width, .heads = 1, .batch = 2});
        run({.queries = 64, .keys = 640, .width = width, .heads = 1});
        run({.queries = 193, .keys = 4000, .width = width, .heads = 1});  // blocks share a tile's keys
    }
    skipUnlessComputed();
}

// Keys that are one tile: blocks walk over the queries, more of them than one has at a time, in heads of two
// samples.
TEST_P(CudaAttention, OneTileOfKeys) {
    for (const std::int64_t width : {64, 128}) {
        run({.queries = 2000, .keys = 121, .width = width, .heads = 2, .batch = 2, .firstKeyWeight = 392.0});
        run({.queries = 641, .keys = 128, .width = width, .heads = 1});
        run({.queries = 64 * 31, .keys = 7, .width = width, .heads = 3});
        if (GetParam() == AttentionKernel::OneTile || GetParam() == AttentionKernel::Auto) {
            // As many heads as an H100 has multiprocessors: each block walks over all queries.
            run({.queries = 643, .keys = 33, .width = width, .heads = 66, .batch = 2, .firstKeyWeight = 5.0});
        }
    }
    skipUnlessComputed();
}

// A prompt and its padding; the last case has blocks share a tile's keys.
TEST_P(CudaAttention, AFirstKeyThatCountsAsMany) {
    for (const std::int64_t width : {64, 128, 384}) {
        for (const std::int64_t keys : {1, 2, 31, 121, 128, 129, 257}) {
            run({.queries = 65, .keys = keys, .width = width, .firstKeyWeight = 392.0});
        }
    }
    run({.queries = 193, .keys = 4000, .width = 128, .heads = 1, .firstKeyWeight = 1e4});
    skipUnlessComputed();
}

// Without the mean of all keys taken away first e4m3 has steps of 2 here.
TEST_P(CudaAttention, KeysFarFromZero) {
    run({.queries = 65, .keys = 300, .width = 128, .heads = 1, .keyOffset = 24.0F});
    skipUnlessComputed();
}

std::string kernelName(const ::testing::TestParamInfo<AttentionKernel>& parameter) {
    constexpr std::array<const char*, 7> kNames{"Auto", "Simple", "Mma", "Wgmma", "Cudnn", "Fp8", "OneTile"};
    return kNames[static_cast<std::size_t>(parameter.param)];
}
INSTANTIATE_TEST_SUITE_P(Kernels, CudaAttention,
                         ::testing::Values(AttentionKernel::Simple, AttentionKernel::Mma, AttentionKernel::Wgmma,
                                           AttentionKernel::Cudnn, AttentionKernel::Fp8, AttentionKernel::OneTile,
                                           AttentionKernel::Auto),
                         kernelName);

}  // namespace
}  // namespace fw::backend
