#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "bench_options.h"
#include "clip_bench.h"
#include "core/method/attention_method.h"
#include "core/pipeline/generator.h"
#include "core/pipeline/philox.h"
#include "core/pipeline/planner.h"

namespace fw::gpu {

namespace {

constexpr double kGibibytes = 1.0 / (1024.0 * 1024.0 * 1024.0);

struct MemoryRow {
    std::string what;
    double seconds = 0.0;
    std::int64_t measured = 0, forecast = 0;
    std::string note;
};

Status noFrames(const ConstTensorView&) {
    return {};
}

// The auto-encoder alone on the device.
Result<MemoryRow> decodeRow(const ClipSetup& setup, std::int64_t frames) {
    Meter meter;
    FW_ASSIGN(auto device, createMeteredDevice(setup.base.device, meter));
    FW_ASSIGN(const DType dtype, pipeline::chooseDType(setup.base.dtype, device->info()));
    FW_ASSIGN(auto meta, pipeline::loadParts(setup.model, backend::createMetaDevice(dtype, device->info().kind),
                                             dtype, 1, {}));
    FW_ASSIGN(auto parts, pipeline::openParts(meta, std::move(device), setup.base.threads));
    FW_ASSIGN(const model::ModelInfo info, model::inspectModel(setup.model));
    job::GenerationRequest wanted = setup.request({"dense"});
    wanted.frames = frames;
    FW_ASSIGN(const job::GenerationRequest request, job::resolve(wanted, info.defaults));
    FW_ASSIGN(const auto ids, pipeline::tokenize(*parts.tokenizer, request));
    FW_ASSIGN(const job::Plan plan, pipeline::dryRun(meta, request, ids, pipeline::PreviewKind::Off));
    FW_TRY(pipeline::bringParts(parts, {false, false, true}, {}));
    const std::int64_t scratch = plan.phases.back().scratchBytes;
    FW_ASSIGN(const auto arena, backend::Arena::create(*parts.device, scratch));
    FW_ASSIGN(const auto latents,
              backend::createTensor(*parts.device, DType::F32, pipeline::latentShape(parts, request)));
    FW_ASSIGN(const auto dense, method::createAttentionMethod("dense", Json::object()));
    std::vector<float> noise(static_cast<std::size_t>(latents.view.count()));
    pipeline::fillNormal(1, pipeline::NoiseStream::InitialLatents, 0, noise);
    parts.ops->upload(ConstTensorView(noise.data(), DType::F32, latents.view.shape()), latents.view);
    FW_TRY(parts.ops->synchronize());
    MemoryRow row;
    row.what = fmt::format("decode {} frames", frames);
    for (int i = 0; i < 2; ++i) {  // the first loads kernels
        method::RunContext context{.ops = *parts.ops, .arena = *arena, .selfAttention = *dense, .cancel = {}};
        const double begin = clockSeconds();
        FW_TRY(pipeline::decodeFrames(context, parts, latents.view, pipeline::tilingOf(plan), noFrames));
        FW_TRY(parts.ops->synchronize());
        row.seconds = clockSeconds() - begin;
    }
    row.measured = meter.peakBytes();
    row.forecast = parts.weightBytes() + scratch + latents.view.bytes();
    row.note = plan.memory.tile == 0 ? "whole frames" : fmt::format("tiles of {}", plan.memory.tile);
    return row;
}

// Two steps and the decoder: without a budget, then with one that two blocks of the transformer and what surrounds
// them fit into.
Result<std::vector<MemoryRow>> streamingRows(const ClipSetup& setup) {
    constexpr std::int64_t kRoom = std::int64_t{276} << 20;  // what the libraries are left, and a little
    std::vector<MemoryRow> rows;
    job::GenerationRequest request = setup.request({"dense"});
    request.steps = 2;
    for (const bool streams : {false, true}) {
        Meter meter;
        FW_ASSIGN(auto device, createMeteredDevice(setup.base.device, meter));
        FW_ASSIGN(const auto generator, pipeline::Generator::create(setup.model, std::move(device),
                                                                    setup.base.dtype, setup.base.threads));
        FW_ASSIGN(const pipeline::GenerationReport report, generator->generate(request, {}, {}, noFrames, {}));
        const job::Plan& plan = report.plan;
        MemoryRow row;
        row.what = streams ? "clip, blocks visit the device" : "clip, all on the device";
        row.seconds = report.stepSeconds.back();
        row.measured = meter.peakBytes();
        row.forecast = plan.peakBytes;
        row.note = fmt::format("second step; {:.2f} GiB wait in host memory",
                               static_cast<double>(plan.memory.streamedBytes) * kGibibytes);
        if (request.memoryBudget) {
            row.note += fmt::format("; budget {:.2f} GiB", static_cast<double>(*request.memoryBudget) * kGibibytes);
        }
        rows.push_back(row);
        if (streams && !plan.memory.streamBlocks) {
            rows.back().note += "; nothing had to be streamed";
        }
        request.memoryBudget = plan.phases[1].scratchBytes + plan.stateBytes + kRoom + kRoom;
    }
    return rows;
}

double percentAbove(std::int64_t value, std::int64_t base) {
    constexpr double kPercent = 100.0;
    return base == 0 ? 0.0 : kPercent * (static_cast<double>(value) / static_cast<double>(base) - 1.0);
}

Status memoryBench(std::span<char*> arguments) {
    auto known = sharedOptions();
    known.insert({{"lengths", "33,81,161"}, {"json", ""}});
    FW_ASSIGN(const BenchOptions options, BenchOptions::parse(arguments, known));
    FW_ASSIGN(const RandomFolder folder, RandomFolder::create(options));
    FW_ASSIGN(const ClipSetup setup, clipSetup(options, folder));
    std::vector<MemoryRow> rows;
    for (const std::string& length : options.list("lengths")) {
        FW_ASSIGN(MemoryRow row, decodeRow(setup, std::strtol(length.c_str(), nullptr, 10)));
        row.note += fmt::format("; {:+.1f} % to the first",
                                percentAbove(row.measured, rows.empty() ? row.measured : rows[0].measured));
        rows.push_back(std::move(row));
    }
    const auto streaming = streamingRows(setup);
    if (streaming) {
        rows.insert(rows.end(), streaming->begin(), streaming->end());
    }
    OrderedJson list = OrderedJson::array();
    fmt::print("{} {}, {}; memory as in gpu_bench clip\n\n", options.text("config"), options.text("size"),
               setup.base.dtype);
    fmt::print("{:32}{:>10}{:>14}{:>14}{:>8}\n", "what", "seconds", "measured GiB", "forecast GiB", "diff");
    for (const MemoryRow& row : rows) {
        fmt::print("{:32}{:10.3f}{:14.3f}{:14.3f}{:+7.1f}%  {}\n", row.what, row.seconds,
                   static_cast<double>(row.measured) * kGibibytes, static_cast<double>(row.forecast) * kGibibytes,
                   percentAbove(row.measured, row.forecast), row.note);
        list.push_back({{"what", row.what},
                        {"seconds", row.seconds},
                        {"measured_bytes", row.measured},
                        {"forecast_bytes", row.forecast},
                        {"note", row.note}});
    }
    FW_TRY(writeReport(options, {{"size", options.text("size")}, {"rows", std::move(list)}}));
    return streaming ? Status() : tl::unexpected(streaming.error());
}

}  // namespace

int runMemoryBench(std::span<char*> arguments) {
    const Status status = memoryBench(arguments);
    if (!status) {
        fmt::print(stderr, "{}\n", status.error().message);
    }
    return status ? 0 : 1;
}

}  // namespace fw::gpu
