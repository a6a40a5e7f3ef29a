#include "clip_bench.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "bench_options.h"
#include "core/model/video_model.h"
#include "core/pipeline/random_model.h"

namespace fw::gpu {

namespace {

constexpr double kGibibyte = 1024.0 * 1024.0 * 1024.0;

double gibi(std::int64_t bytes) {
    return static_cast<double>(bytes) / kGibibyte;
}

double differencePercent(std::int64_t measured, std::int64_t forecast) {
    return forecast == 0 ? 0.0 : 100.0 * (static_cast<double>(measured) / static_cast<double>(forecast) - 1.0);
}

OrderedJson clipJson(const ClipTimes& times, const ClipTimes& first) {
    OrderedJson json{{"variant", times.name},
                     {"total_seconds", times.total},
                     {"denoise_seconds", times.denoise},
                     {"decode_seconds", times.decode},
                     {"median_step_seconds", times.medianStep},
                     {"load_seconds", times.load},
                     {"idle_share", times.idleShare},
                     {"peak_bytes_measured", times.peakBytes},
                     {"peak_bytes_forecast", times.forecastBytes},
                     {"cache_bytes", times.cacheBytes},
                     {"speedup_total", first.total / times.total},
                     {"speedup_denoise", first.denoise / times.denoise}};
    if (!times.steps.empty()) {
        json["step_seconds"] = times.steps;
    }
    if (!times.signatures.empty()) {
        json["signatures"] = times.signatures;
    }
    return json;
}

void printClips(const std::vector<ClipTimes>& all) {
    fmt::print("\n{:12}{:>9}{:>9}{:>8}{:>9}{:>7}{:>10}{:>10}{:>8}{:>9}{:>7}{:>7}\n", "variant", "total s",
               "steps s", "VAE s", "step s", "idle", "peak GiB", "forecast", "diff", "cache", "ratio", "steps");
    for (const ClipTimes& times : all) {
        fmt::print("{:12}{:9.2f}{:9.2f}{:8.2f}{:9.4f}{:6.2f}%{:10.2f}{:10.2f}{:+7.1f}%{:9.2f}{:7.3f}{:7.3f}\n",
                   times.name, times.total, times.denoise, times.decode, times.medianStep, 100.0 * times.idleShare,
                   gibi(times.peakBytes), gibi(times.forecastBytes),
                   differencePercent(times.peakBytes, times.forecastBytes), gibi(times.cacheBytes),
                   all.front().total / times.total, all.front().denoise / times.denoise);
    }
}

Status clipBench(std::span<char*> arguments) {
    auto known = sharedOptions();
    known.insert(
        {{"variants", "dense,pab,pab3,salad,salad+pab"}, {"by-signature", "no"}, {"repeats", "2"}, {"json", ""}});
    FW_ASSIGN(const BenchOptions options, BenchOptions::parse(arguments, known));
    std::vector<ClipVariant> variants;
    for (const std::string& name : options.list("variants")) {
        FW_ASSIGN(variants.emplace_back(), clipVariant(name));
    }
    FW_ASSIGN(const RandomFolder folder, RandomFolder::create(options));
    FW_ASSIGN(ClipSetup setup, clipSetup(options, folder));
    FW_ASSIGN(setup.repeats, options.number("repeats"));
    setup.repeats = std::max(setup.repeats, 1);
    if (std::any_of(variants.begin(), variants.end(), [](const auto& one) { return one.method == "salad"; })) {
        FW_TRY(pipeline::writeRandomSalad(setup.saladAdapter, setup.model));
    }
    Meter meter;
    const bool bySignature = options.flag("by-signature");
    FW_ASSIGN(const auto runner,
              bySignature ? createSignatureRunner(setup, meter) : createWholeClipRunner(setup, meter));
    const std::string how =
        bySignature ? fmt::format("every kind of step timed {} times and weighted by how often a run takes it",
                                  setup.repeats)
                    : "whole clips, prompt to frames in host memory";
    FW_ASSIGN(const auto tokenizer, model::loadTokenizer(setup.model));
    FW_ASSIGN(const auto ids, tokenizer->encode(setup.base.prompt));
    fmt::print("{} {} x {} frames, {} steps, {}, a prompt of {} tokens filled up to {}: {}\n",
               options.text("config"), options.text("size"), *setup.base.frames, *setup.base.steps,
               setup.base.dtype, ids.size(), tokenizer->maxTokens(), how);
    fmt::print(
        "memory: the least the driver called free, looked at every 10 ms, against what was free beside the "
        "context ({:.2f} GiB)\n",
        gibi(meter.totalBytes - meter.freeAtFirst));
    std::vector<ClipTimes> all;
    OrderedJson rows = OrderedJson::array();
    for (const ClipVariant& variant : variants) {
        auto times = runner->run(variant);
        if (!times) {
            fmt::print("{:12}{}\n", variant.name, times.error().message);
            std::fflush(stdout);
            rows.push_back({{"variant", variant.name}, {"error", times.error().message}});
            continue;
        }
        all.push_back(std::move(*times));
        rows.push_back(clipJson(all.back(), all.front()));
        fmt::print("{}\n", rows.back().dump());
        std::fflush(stdout);
    }
    FW_TRY(writeReport(options, {{"config", options.text("config")},
                                 {"size", options.text("size")},
                                 {"frames", *setup.base.frames},
                                 {"steps", *setup.base.steps},
                                 {"dtype", setup.base.dtype},
                                 {"prompt_tokens", ids.size()},
                                 {"how", how},
                                 {"context_bytes", meter.totalBytes - meter.freeAtFirst},
                                 {"variants", std::move(rows)}}));
    if (all.empty()) {
        return fail(ErrorCode::Internal, "no variant could be timed");
    }
    printClips(all);
    return all.size() == variants.size() ? Status() : fail(ErrorCode::Internal, "some variants failed");
}

}  // namespace

int runClipBench(std::span<char*> arguments) {
    const Status status = clipBench(arguments);
    if (!status) {
        fmt::print(stderr, "{}\n", status.error().message);
    }
    return status ? 0 : 1;
}

}  // namespace fw::gpu
