#include "app/cli/bench_linear_command.h"

#include <cmath>
#include <string>

#include "app/cli/bench_report.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "core/method/attention_method.h"
#include "core/pipeline/bench_pair.h"
#include "core/pipeline/forward_runner.h"
#include "core/pipeline/model_parts.h"

namespace fw::cli {

namespace {

using pipeline::ForwardCost;
using pipeline::LinearPair;
using pipeline::LinearSize;
using pipeline::PairFolders;

OrderedJson passJson(const pipeline::ForwardCost& cost) {
    return {{"flops", cost.flops}, {"bytes", cost.bytes()}};
}

// How much of the variance of y a straight line through (x, y) explains.
double straightness(const std::vector<double>& x, const std::vector<double>& y) {
    const auto n = static_cast<double>(x.size());
    double sx = 0, sy = 0, xx = 0, xy = 0, yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        sx += x[i], sy += y[i];
        xx += x[i] * x[i], xy += x[i] * y[i], yy += y[i] * y[i];
    }
    const double covariance = xy - sx * sy / n, vx = xx - sx * sx / n, vy = yy - sy * sy / n;
    return vx > 0 && vy > 0 ? covariance * covariance / (vx * vy) : 0.0;
}

// Tokens from which the linear model is faster, between the sizes where the faster one changes; 0: at every size;
// below 0: at none.
double crossing(const std::vector<double>& tokens, const std::vector<double>& dense,
                const std::vector<double>& linear) {
    std::size_t last = tokens.size();
    for (std::size_t i = tokens.size(); i-- > 0 && linear[i] < dense[i];) {
        last = i;
    }
    if (last == tokens.size()) {
        return -1.0;
    }
    if (last == 0) {
        return 0.0;
    }
    const double before = linear[last - 1] - dense[last - 1], after = linear[last] - dense[last];
    return tokens[last - 1] + (tokens[last] - tokens[last - 1]) * before / (before - after);
}

class BenchLinearCommand final : public Command {
 public:
    explicit BenchLinearCommand(CLI::App& bench)
        : Command(bench, "linear", "Dense attention against LinGen's blocks as clips grow: forecast and measured") {
        m_app->add_option("--device", m_device, "auto, cpu, …")->capture_default_str();
        m_app->add_option("--threads", m_threads, "CPU threads; 0: all")
            ->check(CLI::Range(0, 1024))
            ->capture_default_str();
        m_app->add_option("--dtype", m_dtype, "auto, f32 or bf16")->capture_default_str();
        m_app->add_option("--frames", m_frames, "Longest clip measured; 0: forecast only")
            ->check(CLI::Range(0, 4097))
            ->capture_default_str();
        m_app->add_option("--repeats", m_repeats, "Measurements of each")
            ->check(CLI::Range(1, 100))
            ->capture_default_str();
        m_app->add_flag("--json", m_json, "Print one JSON object instead of text");
    }

    int run(const Session& session) override {
        const auto report = makeReport(session);
        if (!report) {
            return reportError(report.error(), m_json);
        }
        if (m_json) {
            say("{}\n", jsonText(*report));
            return kDone;
        }
        printForecast((*report)["forecast"]);
        if (report->contains("measured")) {
            printMeasured((*report)["measured"]);
        }
        return kDone;
    }

 private:
    [[nodiscard]] Result<OrderedJson> makeReport(const Session& session) const {
        OrderedJson report;
        FW_ASSIGN(report["forecast"], forecastLarge());
        if (m_frames > 0) {
            FW_ASSIGN(report["measured"], measureSmall(session.cancel));
        }
        return report;
    }

    static Result<OrderedJson> forecastLarge() {
        const LinearPair pair = pipeline::largePair();
        FW_ASSIGN(const auto folders, PairFolders::write(pair, pipeline::PairWeights::Hollow));
        OrderedJson rows = OrderedJson::array();
        for (const LinearSize& size : pair.sizes) {
            FW_ASSIGN(const ForwardCost a,
                      pipeline::forecastForward(folders.dense(), DType::BF16, size.latents, pair.textRows));
            FW_ASSIGN(const ForwardCost b,
                      pipeline::forecastForward(folders.linear(), DType::BF16, size.latents, pair.textRows));
            rows.push_back({{"size", size.name},
                            {"tokens", a.tokens},
                            {"dense", passJson(a)},
                            {"linear", passJson(b)},
                            {"published",
                             {{"dense_seconds", size.publishedDense},
                              {"linear_seconds", size.publishedLinear},
                              {"dense_tflop", size.publishedDenseTflop},
                              {"linear_tflop", size.publishedLinearTflop}}}});
        }
        return OrderedJson{{"pair", pair.name}, {"dtype", "bf16"}, {"rows", std::move(rows)}};
    }

    [[nodiscard]] Result<OrderedJson> measureSmall(const CancelToken& cancel) const {
        FW_ASSIGN(const auto device, backend::createDevice(m_device));
        const backend::DeviceInfo info = device->info();
        FW_ASSIGN(const DType dtype, pipeline::chooseDType(m_dtype, info));
        const LinearPair pair = pipeline::smallPair(m_frames);
        FW_ASSIGN(const auto folders, PairFolders::write(pair, pipeline::PairWeights::Random));
        OrderedJson rows = OrderedJson::array();
        std::vector<double> tokens, bytes, seconds[2];
        for (const LinearSize& size : pair.sizes) {
            OrderedJson row{{"size", size.name}};
            for (const bool isLinear : {false, true}) {
                const auto folder = isLinear ? folders.linear() : folders.dense();
                FW_ASSIGN(const ForwardCost cost,
                          pipeline::forecastForward(folder, dtype, size.latents, pair.textRows));
                FW_ASSIGN(const auto ops, device->createOps({.threads = m_threads}));
                FW_ASSIGN(auto dense, method::createAttentionMethod("dense", Json::object()));
                FW_ASSIGN(auto runner,
                          pipeline::ForwardRunner::load(folder, *device, *ops, dtype, std::move(dense)));
                FW_TRY(runner.prepare(size.latents, pair.textRows));
                FW_ASSIGN(const Samples samples, measure(runner, *device, cost.scratch, cancel));
                OrderedJson json = passJson(cost);
                json.update(cli::toJson(samples, cost.flops));
                row["tokens"] = cost.tokens;
                row[isLinear ? "linear" : "dense"] = std::move(json);
                seconds[isLinear ? 1 : 0].push_back(samples.fastest());
                if (isLinear) {
                    tokens.push_back(static_cast<double>(cost.tokens));
                    bytes.push_back(static_cast<double>(cost.bytes()));
                }
            }
            rows.push_back(std::move(row));
        }
        return OrderedJson{{"pair", pair.name},
                           {"device", info.name},
                           {"dtype", dtypeName(dtype)},
                           {"rows", std::move(rows)},
                           {"time_r2", straightness(tokens, seconds[1])},
                           {"memory_r2", straightness(tokens, bytes)},
                           {"crossing_tokens", crossing(tokens, seconds[0], seconds[1])}};
    }

    // Seconds of every pass, after one that is not counted.
    [[nodiscard]] Result<Samples> measure(pipeline::ForwardRunner& runner, backend::Device& device,
                                          std::int64_t scratch, const CancelToken& cancel) const {
        FW_ASSIGN(const auto arena, backend::Arena::create(device, scratch));
        FW_TRY(runner.run(*arena));
        Samples samples;
        for (int i = 0; i < m_repeats; ++i) {
            FW_TRY(cancel.check());
            FW_ASSIGN(const double seconds, runner.run(*arena));
            samples.seconds.push_back(seconds);
        }
        return samples;
    }

    static void printForecast(const OrderedJson& forecast) {
        say("{}, one pass in {}, by forecast\n", forecast["pair"].get<std::string>(),
            forecast["dtype"].get<std::string>());
        say("{:<16} {:>7} {:>10} {:>10} {:>6} {:>9} {:>9}   {:>24}\n", "", "tokens", "dense TF", "LinGen TF",
            "ratio", "dense GiB", "LinGen GiB", "published: FLOPs, seconds");
        for (const OrderedJson& row : forecast["rows"]) {
            const double dense = row["dense"]["flops"].get<double>(), linear = row["linear"]["flops"].get<double>();
            const auto ratio = [&](const char* a, const char* b) -> std::string {
                const double below = row["published"][b].get<double>();
                return below > 0 ? fmt::format("{:.1f}x", row["published"][a].get<double>() / below) : "-";
            };
            say("{:<16} {:>7} {:>10.1f} {:>10.1f} {:>5.2f}x {:>9.1f} {:>9.1f}   {:>12} {:>11}\n",
                row["size"].get<std::string>(), row["tokens"].get<int>(), dense / kTera, linear / kTera,
                dense / linear, row["dense"]["bytes"].get<double>() / kGibibyte,
                row["linear"]["bytes"].get<double>() / kGibibyte, ratio("dense_tflop", "linear_tflop"),
                ratio("dense_seconds", "linear_seconds"));
        }
        say("The paper does not tell its token counts; compare ratios at equal tokens only (docs/lingen.md).\n");
    }

    static void printMeasured(const OrderedJson& measured) {
        say("\n{}, one pass in {} on {}\n", measured["pair"].get<std::string>(),
            measured["dtype"].get<std::string>(), measured["device"].get<std::string>());
        say("{:<20} {:>7} {:>10} {:>10} {:>7} {:>10} {:>10}\n", "", "tokens", "dense s", "LinGen s", "ratio",
            "dense MiB", "LinGen MiB");
        for (const OrderedJson& row : measured["rows"]) {
            const double dense = row["dense"]["fastest_seconds"].get<double>();
            const double linear = row["linear"]["fastest_seconds"].get<double>();
            say("{:<20} {:>7} {:>10.3f} {:>10.3f} {:>6.2f}x {:>10.0f} {:>10.0f}\n", row["size"].get<std::string>(),
                row["tokens"].get<int>(), dense, linear, dense / linear,
                row["dense"]["bytes"].get<double>() / kGibibyte * 1024.0,
                row["linear"]["bytes"].get<double>() / kGibibyte * 1024.0);
        }
        const double from = measured["crossing_tokens"].get<double>();
        say("LinGen against tokens: a straight line explains {:.4f} of time and {:.4f} of memory; ",
            measured["time_r2"].get<double>(), measured["memory_r2"].get<double>());
        if (from < 0) {
            say("dense is faster at every size measured\n");
        } else if (from == 0) {
            say("it is faster than dense at every size measured\n");
        } else {
            say("it is faster than dense from about {:.0f} tokens\n", from);
        }
    }

    std::string m_device = "auto";
    std::string m_dtype = "auto";
    int m_threads = 0;
    int m_repeats = 3;
    std::int64_t m_frames = 257;
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeBenchLinearCommand(CLI::App& bench) {
    return std::make_unique<BenchLinearCommand>(bench);
}

}  // namespace fw::cli
