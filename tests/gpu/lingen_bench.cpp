#include "lingen_bench.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>

#include "core/backend/token_scan.h"
#include "core/pipeline/forward_runner.h"

namespace fw::gpu {

namespace {

using pipeline::ForwardCost;
using pipeline::ForwardRunner;

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

double medianOf(std::vector<double> values) {
    FW_CHECK(!values.empty());
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double gibInUse(Bench& bench) {
    const backend::DeviceInfo info = bench.device().info();
    return static_cast<double>(info.totalBytes - info.freeBytes) / kGiB;
}

// --- whole passes

// A model of the pair; its weight file is gone again once it is loaded.
Result<ForwardRunner> loadModel(Bench& bench, const Json& config) {
    FW_ASSIGN(const auto folder, pipeline::PairFolders::writeOne(config, pipeline::PairWeights::Repeated));
    FW_ASSIGN(auto dense, method::createAttentionMethod("dense", Json::object()));
    return ForwardRunner::load(folder.one(), bench.device(), bench.ops(), DType::BF16, std::move(dense));
}

struct PairRow {
    pipeline::LinearSize size;
    ForwardCost denseCost, linearCost;
    std::vector<double> dense, linear;  // seconds

    [[nodiscard]] double linearNanosecondsPerToken() const {
        return medianOf(linear) * 1e9 / static_cast<double>(linearCost.tokens);
    }
    [[nodiscard]] Json json() const {
        return {{"size", size.name},
                {"tokens", linearCost.tokens},
                {"dense_seconds", dense},
                {"linear_seconds", linear},
                {"ratio", medianOf(dense) / medianOf(linear)},
                {"dense_tflop", static_cast<double>(denseCost.flops) * 1e-12},
                {"linear_tflop", static_cast<double>(linearCost.flops) * 1e-12},
                {"dense_bytes", denseCost.bytes()},
                {"linear_bytes", linearCost.bytes()},
                {"linear_ns_per_token", linearNanosecondsPerToken()},
                {"published_dense_seconds_of_50_steps", size.publishedDense},
                {"published_linear_seconds_of_50_steps", size.publishedLinear}};
    }
};

// The first pass of a size is not counted: products are planned in it. Where dense attention takes longest its
// first pass is the only one and counts.
Status measurePair(Bench& bench, ForwardRunner& dense, ForwardRunner& linear, std::int64_t words, int rounds,
                   PairRow& row) {
    FW_ASSIGN(const auto arena,
              backend::Arena::create(bench.device(), std::max(row.denseCost.scratch, row.linearCost.scratch)));
    FW_TRY(dense.prepare(row.size.latents, words));
    FW_TRY(linear.prepare(row.size.latents, words));
    FW_TRY(linear.run(*arena));
    if (rounds > 1) {
        FW_TRY(dense.run(*arena));
    }
    for (int round = 0; round < rounds; ++round) {
        FW_ASSIGN(const double a, linear.run(*arena));
        FW_ASSIGN(const double b, dense.run(*arena));
        row.linear.push_back(a);
        row.dense.push_back(b);
    }
    FW_ASSIGN(const double last, linear.run(*arena));
    row.linear.push_back(last);
    dense.clear();
    linear.clear();
    return {};
}

Result<std::vector<PairRow>> forecastRows(const pipeline::LinearPair& pair) {
    FW_ASSIGN(const auto folders, pipeline::PairFolders::write(pair, pipeline::PairWeights::Hollow));
    std::vector<PairRow> rows;
    for (const pipeline::LinearSize& size : pair.sizes) {
        PairRow row{size, {}, {}, {}, {}};
        FW_ASSIGN(row.denseCost,
                  pipeline::forecastForward(folders.dense(), DType::BF16, size.latents, pair.textRows));
        FW_ASSIGN(row.linearCost,
                  pipeline::forecastForward(folders.linear(), DType::BF16, size.latents, pair.textRows));
        rows.push_back(std::move(row));
    }
    return rows;
}

void printPairs(const std::string& name, const std::vector<PairRow>& rows) {
    fmt::print("\n{}, one pass, bf16, random weights, a prompt of {} tokens at most, medians of turns\n", name,
               pipeline::kBenchPromptTokens);
    fmt::print("{:<16} {:>7} {:>9} {:>9} {:>6} {:>9} {:>9} {:>9} {:>10} {:>12}   published, 50 steps\n", "",
               "tokens", "dense s", "LinGen s", "ratio", "ns/token", "dense TF", "LinGen TF", "dense GiB",
               "LinGen GiB");
    for (const PairRow& row : rows) {
        fmt::print(
            "{:<16} {:>7} {:>9.3f} {:>9.3f} {:>5.2f}x {:>9.1f} {:>9.0f} {:>9.0f} {:>10.1f} {:>12.1f}"
            "   {}\n",
            row.size.name, row.linearCost.tokens, medianOf(row.dense), medianOf(row.linear),
            medianOf(row.dense) / medianOf(row.linear), row.linearNanosecondsPerToken(),
            static_cast<double>(row.denseCost.flops) * 1e-12, static_cast<double>(row.linearCost.flops) * 1e-12,
            static_cast<double>(row.denseCost.bytes()) / kGiB, static_cast<double>(row.linearCost.bytes()) / kGiB,
            row.size.publishedLinear > 0
                ? fmt::format("{:.0f} s / {:.0f} s = {:.1f}x", row.size.publishedDense, row.size.publishedLinear,
                              row.size.publishedDense / row.size.publishedLinear)
                : "-");
    }
    double least = rows.front().linearNanosecondsPerToken(), most = least;
    for (const PairRow& row : rows) {
        least = std::min(least, row.linearNanosecondsPerToken());
        most = std::max(most, row.linearNanosecondsPerToken());
    }
    fmt::print("LinGen's time per token differs by {:.1f} % between sizes. The paper tells no token counts.\n",
               (most / least - 1.0) * 100.0);
}

}  // namespace

Status benchLinGen(Bench& bench, const pipeline::LinearPair& pair) {
    FW_ASSIGN(std::vector<PairRow> rows, forecastRows(pair));
    FW_ASSIGN(ForwardRunner linear, loadModel(bench, pair.linear));
    std::cout << Json{{"loaded", "LinGen"}, {"in_use_gib", gibInUse(bench)}} << std::endl;
    std::optional<ForwardRunner> dense;
    FW_ASSIGN(dense, loadModel(bench, pair.dense));
    std::cout << Json{{"loaded", "dense"}, {"in_use_gib", gibInUse(bench)}} << std::endl;
    constexpr double kLongDensePass = 5e15;  // FLOPs: about eight seconds
    std::vector<PairRow> measured;
    for (PairRow& row : rows) {
        const int rounds = static_cast<double>(row.denseCost.flops) > kLongDensePass ? 1 : measured.empty() ? 3 : 2;
        FW_TRY(measurePair(bench, *dense, linear, pair.textRows, rounds, row));
        std::cout << row.json() << std::endl;
        measured.push_back(row);
    }
    dense.reset();
    // The longest clip by LinGen alone: what a GPU must have for it.
    const PairRow& longest = *std::max_element(rows.begin(), rows.end(), [](const PairRow& a, const PairRow& b) {
        return a.linearCost.tokens < b.linearCost.tokens;
    });
    FW_ASSIGN(const auto arena, backend::Arena::create(bench.device(), longest.linearCost.scratch));
    FW_TRY(linear.prepare(longest.size.latents, pair.textRows));
    FW_ASSIGN(const double seconds, linear.run(*arena));
    std::cout << Json{{"alone", longest.size.name}, {"seconds", seconds}, {"in_use_gib", gibInUse(bench)}}
              << std::endl;
    printPairs(pair.name, measured);
    fmt::print("{} by LinGen alone: {:.3f} s, {:.1f} GiB of the device in use, CUDA's own included\n",
               longest.size.name, seconds, gibInUse(bench));
    return {};
}

// --- the scan

namespace {

struct ScanVariant {
    std::string name;
    std::string words;  // of the command "scan": order and directions
    std::unique_ptr<Workload> work;
    std::vector<double> cool;
    double sustained = 0.0;
};

double secondsNow() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Result<double> millisecondsOf(Workload& work, int repeats) {
    FW_TRY(work.synchronize());
    const double begin = secondsNow();
    for (int i = 0; i < repeats; ++i) {
        FW_TRY(work.run());
    }
    FW_TRY(work.synchronize());
    return (secondsNow() - begin) * 1e3 / repeats;
}

Status measureVariants(std::vector<ScanVariant>& variants, std::int64_t tokens) {
    constexpr int kRounds = 5;
    const int repeats = static_cast<int>(std::max<std::int64_t>(3, (std::int64_t{1} << 21) / tokens));
    for (ScanVariant& variant : variants) {
        FW_TRY(variant.work->run());
    }
    for (int round = 0; round < kRounds; ++round) {
        for (ScanVariant& variant : variants) {
            FW_ASSIGN(const double ms, millisecondsOf(*variant.work, repeats));
            variant.cool.push_back(ms);
        }
    }
    for (ScanVariant& variant : variants) {  // a third of a second of the same, then as much that counts
        const int many = std::max(repeats, static_cast<int>(300.0 / variant.cool.back()));
        FW_TRY(millisecondsOf(*variant.work, many));
        FW_ASSIGN(variant.sustained, millisecondsOf(*variant.work, many));
    }
    return {};
}

}  // namespace

Status benchScans(Bench& bench) {
    constexpr std::int64_t kPlane = 32 * 32;
    constexpr std::int64_t kFirst = 32768;
    const std::vector<std::pair<std::string, std::string>> kinds{
        {"as they lie", "none one"},     {"s_row", "s_row one"}, {"s_col", "s_col one"},
        {"t_row", "t_row one"},          {"t_col", "t_col one"}, {"t_col, both ways", "t_col both"},
        {"long memory", "none one long"}};
    std::string table;
    double shortest = 0.0;
    for (const std::int64_t tokens : {kFirst, 2 * kFirst, 4 * kFirst, 8 * kFirst}) {
        bench.clear();
        std::vector<ScanVariant> variants;
        for (const auto& [name, words] : kinds) {
            std::istringstream command(fmt::format("scan {} 32 32 48 128 {}", tokens / kPlane, words));
            FW_ASSIGN(auto work, makeWorkload(bench, command));
            variants.push_back({name, words, std::move(work), {}, 0.0});
        }
        FW_TRY(measureVariants(variants, tokens));
        const double raster = medianOf(variants.front().cool);
        const double share = static_cast<double>(kFirst) / static_cast<double>(tokens);
        shortest = shortest > 0 ? shortest : raster;
        for (const ScanVariant& variant : variants) {
            const double ms = medianOf(variant.cool);
            std::cout << Json{{"scan", tokens},
                              {"order", variant.name},
                              {"ms", ms},
                              {"sustained_ms", variant.sustained},
                              {"over_raster", ms / raster}}
                      << std::endl;
            table += fmt::format("{:>8} {:<18} {:>9.3f} {:>10.3f} {:>13.3f} {:>12.3f}\n", tokens, variant.name, ms,
                                 variant.sustained, ms / raster, ms * share / shortest);
        }
    }
    fmt::print("\nscan of 48 heads of 64, state 128, bf16, ms\n{:>8} {:<18} {:>9} {:>10} {:>13} {:>12}\n{}",
               "tokens", "order", "rested", "sustained", "over raster", "linearity", table);
    return {};
}

}  // namespace fw::gpu
