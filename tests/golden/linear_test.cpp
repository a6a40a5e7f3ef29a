// One layer and what adapters add beside its matrix, against sums in float64.
#include "core/model/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/model/adapter.h"
#include "golden_support.h"
#include "recipe.h"

namespace fw::golden {
namespace {

using backend::Activation;

// Numbers that bf16 holds exactly, so that only what a layer does is measured.
std::vector<float> numbers(const std::string& name, std::int64_t count, float scale) {
    std::vector<float> result = values(name, 21, count);
    for (float& value : result) {
        value = static_cast<float>(BFloat16(value * scale));
    }
    return result;
}

constexpr std::int64_t kChangeRank = 5;
const std::string kQuery = "blocks.0.attn1.to_q", kValue = "blocks.0.attn1.to_v";

class BesideAMatrix : public testing::Test {
 protected:
    BesideAMatrix() {
        const Fixture fixture{"salad"};
        const auto config = require(weights::parseWanTransformerConfig(fixture.metadata("config")));
        m_width = config.width();
        writePart(m_folder.path(), "transformer", fixture.metadata("config"), weights::tensorTable(config), 7);
    }
    // Changes of two matrices, every number of A · B about `size`.
    [[nodiscard]] model::AdapterSet changes(double strength) {
        std::vector<std::pair<std::string, ConstTensorView>> tensors;
        for (const std::string& matrix : {kQuery, kValue}) {
            m_down[matrix] = numbers(matrix + ".A", kChangeRank * m_width, 1.0F);
            m_up[matrix] = numbers(matrix + ".B", m_width * kChangeRank, 1.0F);
            tensors.emplace_back(matrix + ".lora_A.weight",
                                 ConstTensorView(m_down[matrix].data(), DType::F32, {kChangeRank, m_width}));
            tensors.emplace_back(matrix + ".lora_B.weight",
                                 ConstTensorView(m_up[matrix].data(), DType::F32, {m_width, kChangeRank}));
        }
        const auto file = m_folder.path() / "adapter.safetensors";
        require(weights::writeSafetensors(file, tensors, {}));
        const job::Adapter adapter{file.string(), strength};
        return require(model::AdapterSet::open({&adapter, 1}, m_folder.path()));
    }
    // A layer of W with these matrices in it.
    [[nodiscard]] model::Linear layer(const std::vector<float>& weight, std::int64_t out, std::int64_t in,
                                      std::vector<model::Linear::Source> sources, DType compute) {
        const ConstTensorView matrix(weight.data(), DType::F32, {out, in});
        return {require(m_engine.ops->packLinear({{&matrix, 1}, {}}, compute)), std::move(sources)};
    }
    // Of a layer's result: x [rows, in] → f32 [rows, out].
    [[nodiscard]] std::vector<float> apply(const model::Linear& linear, const std::vector<float>& x, DType compute,
                                           Activation activation = Activation::None) {
        const std::int64_t in = linear.matrix().inFeatures, rows = static_cast<std::int64_t>(x.size()) / in;
        const std::int64_t out = linear.matrix().outFeatures;
        std::vector<BFloat16> rounded(x.begin(), x.end());
        const void* data = compute == DType::BF16 ? static_cast<const void*>(rounded.data()) : x.data();
        std::vector<float> y(static_cast<std::size_t>(rows * out));
        method::RunContext context = m_engine.context();
        linear.apply(context, ConstTensorView(data, compute, {1, rows, in}),
                     TensorView(y.data(), DType::F32, {1, rows, out}), activation);
        require(m_engine.ops->synchronize());
        return y;
    }
    // W + strength · B A of `matrix` at a place of W.
    void addChange(std::vector<double>& weight, std::int64_t in, const model::Linear::Source& source,
                   double strength) {
        const auto &down = m_down[source.name], &up = m_up[source.name];
        for (std::int64_t row = 0; row < m_width; ++row) {
            for (std::int64_t column = 0; column < m_width; ++column) {
                double sum = 0.0;
                for (std::int64_t r = 0; r < kChangeRank; ++r) {
                    sum += static_cast<double>(up[static_cast<std::size_t>(row * kChangeRank + r)]) *
                           static_cast<double>(down[static_cast<std::size_t>(r * m_width + column)]);
                }
                weight[static_cast<std::size_t>((source.firstRow + row) * in + source.firstColumn + column)] +=
                    strength * sum;
            }
        }
    }
    static std::vector<double> product(const std::vector<float>& x, const std::vector<double>& weight,
                                       std::int64_t in) {
        const std::size_t width = static_cast<std::size_t>(in);
        std::vector<double> y;
        for (std::size_t row = 0; row < x.size(); row += width) {
            for (std::size_t out = 0; out < weight.size(); out += width) {
                double sum = 0.0;
                for (std::size_t i = 0; i < width; ++i) {
                    sum += static_cast<double>(x[row + i]) * weight[out + i];
                }
                y.push_back(sum);
            }
        }
        return y;
    }
    static double distance(const std::vector<float>& a, const std::vector<double>& b) {
        FW_CHECK(a.size() == b.size(), "{} and {}", a.size(), b.size());
        double error = 0.0, size = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            error += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
            size += b[i] * b[i];
        }
        return std::sqrt(error / size);
    }

    TemporaryFolder m_folder;
    Engine m_engine;
    std::int64_t m_width = 0;
    std::map<std::string, std::vector<float>> m_down, m_up;
};

// Rows below one another ([q; k; v], one of them unchanged), and columns side by side.
TEST_F(BesideAMatrix, ChangesLieWhereTheirMatricesDo) {
    const double strength = 0.5;
    const model::AdapterSet set = changes(strength);
    const std::int64_t d = m_width;
    const std::vector<model::Linear::Source> below{
        {kQuery, 0, d, 0, d}, {"blocks.0.attn1.to_k", d, d, 0, d}, {kValue, 2 * d, d, 0, d}};
    const std::vector<model::Linear::Source> beside{{"elsewhere", 0, d, 0, 3}, {kValue, 0, d, 3, d}};
    for (const auto& [sources, out, in] : {std::tuple{below, 3 * d, d}, std::tuple{beside, d, d + 3}}) {
        const std::vector<float> weight = numbers("W", out * in, 0.1F), x = numbers("x", 7 * in, 1.0F);
        std::vector<double> changed(weight.begin(), weight.end());
        for (const model::Linear::Source& source : sources) {
            if (set.changes(source.name)) {
                addChange(changed, in, source, strength);
            }
        }
        model::Linear linear = layer(weight, out, in, sources, DType::F32);
        require(linear.setBeside(set, *m_engine.device, *m_engine.ops));
        EXPECT_LE(distance(apply(linear, x, DType::F32), product(x, changed, in)), 1e-6);
        EXPECT_GT(
            distance(apply(layer(weight, out, in, sources, DType::F32), x, DType::F32), product(x, changed, in)),
            0.1)
            << "the change is a large one";
    }
}

// What is smaller than half a unit in the last place of bf16 is lost by merging, and is there beside the matrix.
TEST_F(BesideAMatrix, KeepsChangesThatBf16RoundsAway) {
    if (!m_engine.supports(DType::BF16)) {
        GTEST_SKIP() << "no bf16 here";
    }
    const double strength = 1e-4;
    const model::AdapterSet set = changes(strength);
    const model::Linear::Source source{kQuery, 0, m_width, 0, m_width};
    const std::vector<float> weight = numbers("W", m_width * m_width, 1.0F), x = numbers("x", 16 * m_width, 1.0F);
    std::vector<double> changed(weight.begin(), weight.end());
    addChange(changed, m_width, source, strength);
    const std::vector<double> expected = product(x, changed, m_width);
    std::vector<float> sum = weight;
    set.merge(kQuery, sum);
    const double merged =
        distance(apply(layer(sum, m_width, m_width, {source}, DType::BF16), x, DType::BF16), expected);
    model::Linear linear = layer(weight, m_width, m_width, {source}, DType::BF16);
    const double lost = distance(apply(linear, x, DType::BF16), expected);
    require(linear.setBeside(set, *m_engine.device, *m_engine.ops));
    const double beside = distance(apply(linear, x, DType::BF16), expected);
    EXPECT_LE(beside, merged / 10.0) << "merged " << merged << ", left out " << lost;
    EXPECT_LE(beside, lost / 10.0);
}

// More rows than are computed at a time, and activations, which come after the sum.
TEST_F(BesideAMatrix, ActivatesTheSumOfLongInputs) {
    const double strength = 0.25;
    const model::AdapterSet set = changes(strength);
    const model::Linear::Source source{kQuery, 0, m_width, 0, m_width};
    const std::vector<float> weight = numbers("W", m_width * m_width, 0.1F);
    const std::vector<float> x = numbers("x", (model::Linear::kBlockRows + 1) * m_width, 1.0F);
    std::vector<double> changed(weight.begin(), weight.end());
    addChange(changed, m_width, source, strength);
    const std::vector<double> sums = product(x, changed, m_width);
    model::Linear linear = layer(weight, m_width, m_width, {source}, DType::F32);
    require(linear.setBeside(set, *m_engine.device, *m_engine.ops));
    const auto activated = [&](auto&& function) {
        std::vector<double> result = sums;
        std::transform(result.begin(), result.end(), result.begin(), function);
        return result;
    };
    EXPECT_LE(distance(apply(linear, x, DType::F32), sums), 1e-6);
    EXPECT_LE(distance(apply(linear, x, DType::F32, Activation::Silu),
                       activated([](double v) { return v / (1.0 + std::exp(-v)); })),
              1e-5);
    EXPECT_LE(distance(apply(linear, x, DType::F32, Activation::GeluTanh), activated([](double v) {
                           return 0.5 * v * (1.0 + std::tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
                       })),
              1e-5);
}

}  // namespace
}  // namespace fw::golden
