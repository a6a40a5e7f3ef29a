// fw bench step: one denoising step against the plainest large matrix product of the same library, side by side.
#include <chrono>
#include <optional>
#include <thread>

#include "app/cli/bench_model.h"
#include "app/cli/bench_modules.h"
#include "app/cli/bench_report.h"
#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/cli/request_options.h"
#include "app/engine/clip_job.h"
#include "core/method/attention_method.h"
#include "core/pipeline/philox.h"
#include "core/pipeline/planner.h"
#include "core/pipeline/run_stages.h"
#include "core/trace/trace.h"

namespace fw::cli {

namespace {

constexpr std::int64_t kProductSide = 2048;
constexpr int kProductsPerSample = 4;
constexpr int kWarmUps = 2;

// Everything one guided step needs, ready to run.
struct StepBench {
    pipeline::ModelParts meta;
    pipeline::ModelParts parts;
    job::GenerationRequest request;
    job::Plan plan;
    std::unique_ptr<method::AttentionMethod> method;
    std::unique_ptr<backend::Arena> arena;
    pipeline::RunState state;
};

Result<StepBench> prepareStep(const job::GenerationRequest& request, const std::filesystem::path& folder,
                              const CancelToken& cancel) {
    StepBench bench;
    FW_ASSIGN(const model::ModelInfo info, model::inspectModel(folder));
    if (!info.problems.empty()) {
        return fail(ErrorCode::BadModel, "{}: {}", folder.string(), info.problems.front());
    }
    FW_ASSIGN(bench.request, job::resolve(request, info.defaults));
    FW_ASSIGN(auto device, backend::createDevice(bench.request.device));
    FW_ASSIGN(const DType dtype, pipeline::chooseDType(bench.request.dtype, device->info()));
    const int threads = bench.request.threads;
    FW_ASSIGN(bench.meta, pipeline::loadParts(folder, backend::createMetaDevice(dtype), dtype, threads, cancel));
    FW_ASSIGN(bench.parts, pipeline::loadParts(folder, std::move(device), dtype, threads, cancel));
    FW_ASSIGN(const pipeline::PromptIds ids, pipeline::tokenize(*bench.parts.tokenizer, bench.request));
    FW_ASSIGN(bench.plan, pipeline::dryRun(bench.meta, bench.request, ids, pipeline::PreviewKind::Off));
    FW_ASSIGN(bench.method, method::createAttentionMethod(bench.request.method, bench.request.methodParameters));
    FW_ASSIGN(bench.arena, backend::Arena::create(*bench.parts.device, pipeline::arenaBytes(bench.plan)));
    FW_ASSIGN(bench.state, pipeline::createRunState(bench.parts, bench.request, ids));
    method::RunContext context{
        .ops = *bench.parts.ops, .arena = *bench.arena, .selfAttention = *bench.method, .cancel = cancel};
    FW_TRY(pipeline::encodeText(context, bench.parts, ids.prompt, bench.state.text));
    if (*bench.request.guidance > 1.0) {
        FW_TRY(pipeline::encodeText(context, bench.parts, ids.negative, bench.state.negative));
    }
    const TensorView sample = bench.state.sampler.sample;
    std::vector<float> noise(static_cast<std::size_t>(sample.count()));
    pipeline::fillNormal(*bench.request.seed, pipeline::NoiseStream::InitialLatents, 0, noise);
    bench.parts.ops->upload(ConstTensorView(noise.data(), DType::F32, sample.shape()), sample);
    FW_TRY(bench.parts.ops->synchronize());
    return bench;
}

// The first step of a run, sampler included, again and again: the work does not depend on the values.
Status runStep(StepBench& bench, const CancelToken& cancel, trace::Trace* trace = nullptr) {
    const pipeline::SigmaSchedule schedule = pipeline::makeSchedule(
        {.kind = bench.request.sampler, .steps = *bench.request.steps, .shift = *bench.request.shift});
    method::RunContext context{
        .ops = *bench.parts.ops, .arena = *bench.arena, .selfAttention = *bench.method, .cancel = cancel};
    context.trace = trace;
    context.step = 0;
    const method::SettledTrace settled(context);
    pipeline::SamplerState start = bench.state.sampler;
    FW_TRY(pipeline::predictVelocity(context, bench.parts, bench.state, schedule.timesteps.front(),
                                     *bench.request.guidance));
    pipeline::advance(context, schedule, bench.state);
    bench.state.sampler.step = start.step;
    bench.state.sampler.lastOrder = start.lastOrder;
    return context.ops.synchronize();
}

// y = x·Wᵀ of 2048 × 2048 × 2048 in the same type and with the same packed weights as the model's layers.
class Product {
 public:
    static Result<Product> create(pipeline::ModelParts& parts) {
        const Shape square{kProductSide, kProductSide};
        Product product;
        std::vector<float> values(static_cast<std::size_t>(square.product()));
        pipeline::fillNormal(1, pipeline::NoiseStream::InitialLatents, 0, values);
        const ConstTensorView host(values.data(), DType::F32, square);
        const std::vector<ConstTensorView> weights{host};
        FW_ASSIGN(product.m_weights, parts.ops->packLinear({weights, {}}, parts.dtype));
        FW_ASSIGN(auto wide, backend::createTensor(*parts.device, DType::F32, square));
        FW_ASSIGN(product.m_x, backend::createTensor(*parts.device, activationType(parts.dtype), square));
        FW_ASSIGN(product.m_y, backend::createTensor(*parts.device, activationType(parts.dtype), square));
        parts.ops->upload(host, wide.view);
        parts.ops->copy(wide.view, product.m_x.view);
        FW_TRY(parts.ops->synchronize());
        return product;
    }
    Status run(backend::Ops& ops) {
        for (int i = 0; i < kProductsPerSample; ++i) {
            ops.linear(m_x.view, *m_weights, m_y.view);
        }
        return ops.synchronize();
    }
    static std::int64_t flops() { return 2 * kProductSide * kProductSide * kProductSide * kProductsPerSample; }

 private:
    std::unique_ptr<backend::PackedLinear> m_weights;
    backend::OwnedTensor m_x, m_y;
};

struct Measured {
    Samples step, product;
    std::int64_t stepFlops = 0;
};

Result<Measured> measure(StepBench& bench, int repeats, const CancelToken& cancel) {
    FW_ASSIGN(Product product, Product::create(bench.parts));
    Measured measured;
    for (int i = -kWarmUps; i < repeats; ++i) {  // in turns, so that a busy moment of the machine meets both
        FW_TRY(cancel.check());
        const std::int64_t before = bench.parts.ops->cost().flops;
        FW_ASSIGN(const double step, timed([&] { return runStep(bench, cancel); }));
        measured.stepFlops = bench.parts.ops->cost().flops - before;
        FW_ASSIGN(const double products, timed([&] { return product.run(*bench.parts.ops); }));
        if (i >= 0) {
            measured.step.seconds.push_back(step);
            measured.product.seconds.push_back(products);
        }
    }
    return measured;
}

// A step and the decoder, module by module. Waiting for each module costs a little: the sum is more than a step.
Result<trace::Trace> traceModules(StepBench& bench, const CancelToken& cancel) {
    trace::Trace trace;
    trace.originUs = bench.parts.ops->timestampUs();
    FW_TRY(runStep(bench, cancel, &trace));
    method::RunContext context{.ops = *bench.parts.ops,
                               .arena = *bench.arena,
                               .selfAttention = *bench.method,
                               .cancel = cancel,
                               .trace = &trace};
    FW_TRY(pipeline::decodeFrames(context, bench.parts, bench.state.sampler.sample, pipeline::tilingOf(bench.plan),
                                  [](const ConstTensorView&) -> Status { return {}; }));
    context.untimed.settle(context.ops, trace);
    FW_TRY(context.ops.synchronize());
    return trace;
}

// After a rest, and after steps for `seconds`: a machine at its power limit is slower.
Result<OrderedJson> measureModules(StepBench& bench, double seconds, const CancelToken& cancel) {
    constexpr std::chrono::seconds kRest{2};
    FW_ASSIGN(Product product, Product::create(bench.parts));
    const auto rate = [&]() -> Result<double> {
        FW_ASSIGN(const double time, timed([&] { return product.run(*bench.parts.ops); }));
        return static_cast<double>(Product::flops()) / time;
    };
    FW_TRY(traceModules(bench, cancel));  // kernels are chosen and loaded
    FW_TRY(rate());
    std::this_thread::sleep_for(kRest);
    FW_ASSIGN(const double restedRate, rate());
    FW_ASSIGN(const trace::Trace rested, traceModules(bench, cancel));
    for (double spent = 0.0; spent < seconds;) {
        FW_TRY(cancel.check());
        FW_ASSIGN(const double step, timed([&] { return runStep(bench, cancel); }));
        spent += step;
    }
    FW_ASSIGN(const trace::Trace sustained, traceModules(bench, cancel));
    FW_ASSIGN(const double sustainedRate, rate());
    return moduleTable(rested, sustained, restedRate, sustainedRate);
}

class BenchStepCommand final : public Command {
 public:
    explicit BenchStepCommand(CLI::App& bench)
        : Command(bench, "step", "Time one denoising step against a 2048 x 2048 x 2048 product of the same type") {
        m_request.addTo(*m_app, "a red balloon rises over the city");
        m_app->add_option("--repeats", m_repeats, "Measurements of each, in turns")
            ->check(CLI::Range(1, 1000))
            ->capture_default_str();
        m_model.addTo(*m_app);
        m_app
            ->add_option("--modules", m_moduleSeconds,
                         "Also a table of every kind of module, decoding included: after a rest, and after so many "
                         "seconds of steps")
            ->check(CLI::Range(0.0, 600.0));
        m_app->add_flag("--json", m_json, "Print one JSON object instead of text");
    }

    int run(const Session& session) override {
        const auto report = makeReport(session);
        if (!report) {
            return reportError(report.error(), m_json);
        }
        if (m_json) {
            say("{}\n", jsonText(*report));
        } else {
            print(*report);
        }
        return kDone;
    }

 private:
    [[nodiscard]] Result<OrderedJson> makeReport(const Session& session) {
        FW_ASSIGN(job::GenerationRequest request, m_request.request());
        FW_TRY(m_model.apply(request));
        FW_ASSIGN(const auto folder, app::modelFolder(request));
        FW_ASSIGN(StepBench bench, prepareStep(request, folder, session.cancel));
        FW_ASSIGN(const Measured measured, measure(bench, m_repeats, session.cancel));
        const double stepRate = static_cast<double>(measured.stepFlops) / measured.step.median();
        const double productRate = static_cast<double>(Product::flops()) / measured.product.median();
        OrderedJson report{
            {"device", bench.parts.device->info().name},
            {"dtype", dtypeName(bench.parts.dtype)},
            {"width", *bench.request.width},
            {"height", *bench.request.height},
            {"frames", *bench.request.frames},
            {"guidance", *bench.request.guidance},
            {"tokens", bench.plan.tokens},
            {"step_gflop", static_cast<double>(measured.stepFlops) * 1e-9},
            {"step", cli::toJson(measured.step, measured.stepFlops)},
            {"product", cli::toJson(measured.product, Product::flops())},
            {"step_to_product", stepRate / productRate},
        };
        if (!m_model.config().empty()) {
            report["config"] = m_model.config();
        }
        if (m_moduleSeconds) {
            FW_ASSIGN(report["modules"], measureModules(bench, *m_moduleSeconds, session.cancel));
        }
        return report;
    }

    static void print(const OrderedJson& report) {
        const auto line = [&](const char* name, const OrderedJson& samples) {
            say("{:<8} {:>9.1f} GFLOP/s   median {:.1f} ms, {:.1f} to {:.1f} ms in {} runs\n", name,
                samples["gflops_per_second"].get<double>(), samples["median_seconds"].get<double>() * 1e3,
                samples["fastest_seconds"].get<double>() * 1e3, samples["slowest_seconds"].get<double>() * 1e3,
                samples["repeats"].get<int>());
        };
        say("{} in {}\n{}x{}, {} frames, {} tokens, {:.1f} GFLOP a step\n", report["device"].get<std::string>(),
            report["dtype"].get<std::string>(), report["width"].get<int>(), report["height"].get<int>(),
            report["frames"].get<int>(), report["tokens"].get<int>(), report["step_gflop"].get<double>());
        line("step", report["step"]);
        line("product", report["product"]);
        say("ratio    {:.2f}\n", report["step_to_product"].get<double>());
        if (report.contains("modules")) {
            printModuleTable(report["modules"]);
        }
    }

    RequestOptions m_request;
    BenchModel m_model;
    std::optional<double> m_moduleSeconds;
    int m_repeats = 5;
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeBenchStepCommand(CLI::App& bench) {
    return std::make_unique<BenchStepCommand>(bench);
}

}  // namespace fw::cli
