#include "app/cli/bench_salad.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/bench_report.h"
#include "app/cli/output.h"
#include "core/backend/arena.h"
#include "core/method/attention_method.h"
#include "core/pipeline/bench_pair.h"
#include "core/pipeline/forward_runner.h"
#include "core/pipeline/philox.h"

namespace fw::cli {

namespace {

constexpr double kPairsLeftOut = 0.9;
constexpr int kTurns = 3;
// Latent frames, height and width of 2, 4, 8 and 16 thousand tokens; 256 x 256 x 33 and four times that among them.
constexpr std::array<std::array<std::int64_t, 3>, 4> kClips{{{9, 32, 32}, {16, 32, 32}, {9, 64, 64}, {16, 64, 64}}};

// Projection and gate of every layer, as an adapter would bring them.
Result<std::unique_ptr<method::MethodWeights>> randomBranches(backend::Ops& ops, std::int64_t layers,
                                                              std::int64_t width, DType dtype) {
    auto weights = std::make_unique<method::MethodWeights>();
    std::uint64_t seed = 1;
    const auto linear = [&](std::int64_t rows) {
        std::vector<float> values(static_cast<std::size_t>(rows * (width + 1)));
        pipeline::fillNormal(seed++, pipeline::NoiseStream::InitialLatents, 0, values);
        std::for_each(values.begin(), values.end(), [](float& value) { value *= 0.02F; });
        const ConstTensorView matrix(values.data(), DType::F32, {rows, width});
        const ConstTensorView bias(values.data() + rows * width, DType::F32, {rows});
        return ops.packLinear({{&matrix, 1}, {&bias, 1}}, dtype);
    };
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        auto& target = weights->layers.emplace_back();
        FW_ASSIGN(target.linears["salad_proj"], linear(width));
        FW_ASSIGN(target.linears["salad_gate"], linear(1));
    }
    return weights;
}

struct Contestant {
    const char* key;
    const char* method;
    Json parameters;
};

std::vector<Contestant> contestants() {
    return {{"dense_seconds", "dense", Json::object()},
            {"window_seconds", "salad", {{"sparse", "window"}, {"sparsity", kPairsLeftOut}}},
            {"top_k_seconds", "salad", {{"sparse", "top_k"}, {"sparsity", kPairsLeftOut}}}};
}

// One transformer with one method on one device.
struct SaladRunner {
    std::unique_ptr<backend::Ops> ops;
    std::unique_ptr<method::MethodWeights> weights;
    std::unique_ptr<pipeline::ForwardRunner> runner;
};

Result<SaladRunner> makeRunner(backend::Device& device, DType dtype, int threads, const Contestant& contestant,
                               const pipeline::LinearPair& pair, const std::filesystem::path& folder) {
    SaladRunner made;
    FW_ASSIGN(made.ops, device.createOps({.threads = threads}));
    const auto width = pair.dense.at("num_attention_heads").get<std::int64_t>() *
                       pair.dense.at("attention_head_dim").get<std::int64_t>();
    FW_ASSIGN(made.weights,
              randomBranches(*made.ops, pair.dense.at("num_layers").get<std::int64_t>(), width, dtype));
    FW_ASSIGN(auto attention,
              method::createAttentionMethod(contestant.method, contestant.parameters, made.weights.get()));
    FW_ASSIGN(auto runner, pipeline::ForwardRunner::load(folder, device, *made.ops, dtype, std::move(attention)));
    made.runner = std::make_unique<pipeline::ForwardRunner>(std::move(runner));
    return made;
}

}  // namespace

Result<OrderedJson> measureSaladPasses(backend::Device& device, DType dtype, int threads,
                                       const CancelToken& cancel) {
    const pipeline::LinearPair pair = pipeline::smallPair(0);
    FW_ASSIGN(const auto folders, pipeline::PairFolders::write(pair, pipeline::PairWeights::Random));
    const std::vector<Contestant> all = contestants();
    const auto meta = backend::createMetaDevice(dtype);
    std::vector<SaladRunner> runners, dryRunners;
    for (const Contestant& contestant : all) {
        FW_ASSIGN(auto runner, makeRunner(device, dtype, threads, contestant, pair, folders.dense()));
        FW_ASSIGN(auto dry, makeRunner(*meta, dtype, threads, contestant, pair, folders.dense()));
        runners.push_back(std::move(runner));
        dryRunners.push_back(std::move(dry));
    }
    OrderedJson rows = OrderedJson::array();
    for (const auto& [frames, height, width] : kClips) {
        const Shape latents{16, frames, height, width};
        std::int64_t scratch = 0, tokens = 0;
        for (SaladRunner& dry : dryRunners) {
            FW_ASSIGN(const auto cost, dry.runner->forecast(latents, pair.textRows));
            scratch = std::max(scratch, cost.scratch);
            tokens = cost.tokens;
        }
        FW_ASSIGN(const auto arena, backend::Arena::create(device, scratch));
        std::vector<Samples> samples(all.size());
        for (int turn = -1; turn < kTurns; ++turn) {  // the first one warms up
            for (std::size_t i = 0; i < all.size(); ++i) {
                FW_TRY(cancel.check());
                if (turn < 0) {
                    FW_TRY(runners[i].runner->prepare(latents, pair.textRows));
                }
                FW_ASSIGN(const double seconds, runners[i].runner->run(*arena));
                if (turn >= 0) {
                    samples[i].seconds.push_back(seconds);
                }
            }
        }
        OrderedJson row{{"tokens", tokens}};
        for (std::size_t i = 0; i < all.size(); ++i) {
            row[all[i].key] = samples[i].median();
        }
        rows.push_back(std::move(row));
    }
    return OrderedJson{{"sparsity", kPairsLeftOut}, {"rows", std::move(rows)}};
}

void printSaladPasses(const OrderedJson& report) {
    say("\na whole pass of mini's size, SALAD with {:.0f} % of the pairs left out, ms (times as fast as dense)\n",
        100.0 * report["sparsity"].get<double>());
    say("{:>7} {:>9} {:>17} {:>17}\n", "tokens", "dense", "SALAD, window", "SALAD, top-k");
    for (const OrderedJson& row : report["rows"]) {
        const double dense = row["dense_seconds"].get<double>();
        say("{:>7} {:>9.1f}", row["tokens"].get<int>(), 1e3 * dense);
        for (const char* key : {"window_seconds", "top_k_seconds"}) {
            const double value = row[key].get<double>();
            say(" {:>9.1f} ({:>4.1f}x)", 1e3 * value, dense / value);
        }
        say("\n");
    }
}

}  // namespace fw::cli
