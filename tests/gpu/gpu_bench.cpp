// gpu_bench clip … and gpu_bench memory …: the whole engine at published sizes, see clip_bench.h.
//
// Without arguments it times work on the first GPU, on request: a script keeps this program and a peer in one
// process each and measures them in turns (tests/gpu/peers.py). One command a line, one JSON object a line as the
// answer:
//
//   attention <auto|simple|mma|wgmma|cudnn|fp8|onetile> <heads> <queries> <keys> <width>
//   linear <rows> <in> <out> <none|gelu> <bf16|f32> [fp8]    the result's type; weights and rows in e4m3
//   norm <layer|rms_rope> <rows> <channels>
//   conv <frames> <height> <width> <in> <out>                 3 x 3 x 3, `frames` of the result
//   scan <frames> <height> <width> <heads> <state> <none|order> <one|both> [long]
//   transformer <folder> <inputs.safetensors> <dtype> [SALAD's adapter]    latents, text, tokens, timestep
//   vae <folder> <inputs.safetensors> <dtype> <tiled|whole>    latents
//   encode, text <folder> <inputs.safetensors> <dtype>         part_workloads.h
//   sparse <operation> …                                     sparse_workloads.h
//   time <repeats>      milliseconds of one run: the mean of `repeats` queued together, after one to warm up
//   save <file>         the result of the last run, as safetensors
//   quit
//
// With an argument it does one thing and ends: `gpu_bench lingen` (LinGen-4B against DiT-4B), `gpu_bench
// lingen-mini`, `gpu_bench scans` (lingen_bench.h).
#include <chrono>
#include <iostream>
#include <map>
#include <span>
#include <string>

#include "clip_bench.h"
#include "core/base/json.h"
#include "core/weights/safetensors.h"
#include "lingen_bench.h"
#include "workloads.h"

namespace {

using namespace fw;

constexpr std::int64_t kMiniFrames = 129;

// What the paper tells latencies of, but for its smallest size.
pipeline::LinearPair paperSizes() {
    pipeline::LinearPair pair = pipeline::largePair();
    std::erase_if(pair.sizes, [](const pipeline::LinearSize& size) {
        return size.publishedDense <= 0 || size.name.rfind("256x256", 0) == 0;
    });
    return pair;
}

double secondsNow() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Result<Json> timed(gpu::Workload& workload, int repeats) {
    FW_TRY(workload.run());
    FW_TRY(workload.synchronize());
    const double begin = secondsNow();
    for (int i = 0; i < repeats; ++i) {
        FW_TRY(workload.run());
    }
    FW_TRY(workload.synchronize());
    constexpr double kMilliseconds = 1000.0;
    return Json{{"ms", (secondsNow() - begin) * kMilliseconds / repeats}};
}

Result<Json> saved(gpu::Workload& workload, const std::string& file) {
    Shape shape;
    FW_ASSIGN(const std::vector<float> values, workload.result(shape));
    FW_TRY(weights::writeSafetensors(file, {{"result", ConstTensorView(values.data(), DType::F32, shape)}}, {}));
    return Json{{"saved", file}};
}

Result<Json> answer(gpu::Bench& bench, std::unique_ptr<gpu::Workload>& workload, const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "time" || command == "save") {
        if (workload == nullptr) {
            return fail(ErrorCode::InvalidArgument, "nothing to {} yet", command);
        }
        if (command == "time") {
            int repeats = 0;
            words >> repeats;
            return timed(*workload, std::max(1, repeats));
        }
        std::string file;
        words >> file;
        return saved(*workload, file);
    }
    workload.reset();
    bench.clear();
    words.seekg(0);
    FW_ASSIGN(workload, gpu::makeWorkload(bench, words));
    return Json{{"ready", true}};
}

}  // namespace

int main(int argc, char** argv) {
    using Run = int (*)(std::span<char*>);
    const std::map<std::string, Run> withOptions{{"clip", gpu::runClipBench}, {"memory", gpu::runMemoryBench}};
    const std::span<char*> words(argv, static_cast<std::size_t>(argc));
    if (words.size() > 1) {
        if (const auto chosen = withOptions.find(words[1]); chosen != withOptions.end()) {
            return chosen->second(words.subspan(2));
        }
    }
    const std::map<std::string, Status (*)(gpu::Bench&)> whole{
        {"lingen", [](gpu::Bench& bench) { return gpu::benchLinGen(bench, paperSizes()); }},
        {"lingen-mini",
         [](gpu::Bench& bench) { return gpu::benchLinGen(bench, pipeline::smallPair(kMiniFrames)); }},
        {"scans", gpu::benchScans}};
    if (argc > 2 || (argc == 2 && !whole.contains(argv[1]))) {
        std::cerr << "gpu_bench [clip …|memory …|lingen|lingen-mini|scans]\n";
        return 2;
    }
    auto bench = gpu::Bench::create();
    if (!bench) {
        std::cout << Json{{"error", bench.error().message}} << std::endl;
        return 1;
    }
    std::cout << Json{{"device", (*bench)->device().info().name}, {"features", (*bench)->device().info().features}}
              << std::endl;
    if (argc == 2) {
        const Status done = whole.at(argv[1])(**bench);
        if (!done) {
            std::cout << Json{{"error", done.error().message}} << std::endl;
        }
        return done ? 0 : 1;
    }
    std::unique_ptr<gpu::Workload> workload;
    std::string line;
    while (std::getline(std::cin, line) && line != "quit") {
        const auto reply = answer(**bench, workload, line);
        std::cout << (reply ? *reply : Json{{"error", reply.error().message}}) << std::endl;
    }
    return 0;
}
