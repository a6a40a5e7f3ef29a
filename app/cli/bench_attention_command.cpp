// fw bench attention: time and memory of one attention as the clip grows.
#include <sys/resource.h>

#include <fstream>
#include <string>

#include "app/cli/bench_report.h"
#include "app/cli/bench_salad.h"
#include "app/cli/bench_sparse.h"
#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/pipeline/model_parts.h"
#include "core/pipeline/philox.h"

namespace fw::cli {

namespace {

constexpr std::array<std::int64_t, 3> kTokens{2048, 4096, 8192};

// A value of /proc/self/status in bytes; 0 when it is not there.
std::int64_t statusBytes(const std::string& key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key + ":")) {
            return std::strtoll(line.c_str() + key.size() + 1, nullptr, 10) * 1024;
        }
    }
    return 0;
}

// Lets the kernel forget the highest resident size so far. Without permission the rows show growth from row to row.
void resetPeak() {
    std::ofstream clear("/proc/self/clear_refs");
    clear << "5";
}

struct Row {
    std::int64_t tokens = 0;
    std::int64_t tensorBytes = 0;   // q, k, v and the result
    std::int64_t scratchBytes = 0;  // resident memory the call took beyond them
    Samples samples;
    std::int64_t flops = 0;
};

Result<Row> measure(backend::Device& device, DType dtype, int threads, std::int64_t tokens) {
    // A fresh queue per size: scratch kept from a smaller call would hide what this one takes.
    FW_ASSIGN(const auto ops, device.createOps({.threads = threads}));
    const Shape shape{1, tokens, kHeads, kHeadDim};
    Row row;
    row.tokens = tokens;
    std::vector<backend::OwnedTensor> tensors;
    for (int i = 0; i < 4; ++i) {
        FW_ASSIGN(auto tensor, backend::createTensor(device, dtype, shape));
        std::vector<float> values(static_cast<std::size_t>(shape.product()));
        pipeline::fillNormal(static_cast<std::uint64_t>(i), pipeline::NoiseStream::InitialLatents, 0, values);
        FW_ASSIGN(const auto wide, backend::createTensor(device, DType::F32, shape));
        ops->upload(ConstTensorView(values.data(), DType::F32, shape), wide.view);
        ops->copy(wide.view, tensor.view);
        FW_TRY(ops->synchronize());
        row.tensorBytes += tensor.view.bytes();
        tensors.push_back(std::move(tensor));
    }
    const auto attend = [&]() -> Status {
        ops->attention(tensors[0].view, tensors[1].view, tensors[2].view, tensors[3].view,
                       {.scale = 0.125F, .bias = {}, .keyCount = -1});
        return ops->synchronize();
    };
    resetPeak();
    const std::int64_t before = statusBytes("VmRSS");
    const std::int64_t flopsBefore = ops->cost().flops;
    FW_TRY(attend());
    row.flops = ops->cost().flops - flopsBefore;
    row.scratchBytes = std::max<std::int64_t>(0, statusBytes("VmHWM") - before);
    for (int i = 0; i < 3; ++i) {
        FW_ASSIGN(const double seconds, timed(attend));
        row.samples.seconds.push_back(seconds);
    }
    return row;
}

class BenchAttentionCommand final : public Command {
 public:
    explicit BenchAttentionCommand(CLI::App& bench)
        : Command(bench, "attention",
                  "Time and memory of dense attention, of sparse beside it and of SALAD's passes, at 2 to 16 "
                  "thousand tokens") {
        m_app->add_option("--device", m_device, "auto, cpu, …")->capture_default_str();
        m_app->add_option("--threads", m_threads, "CPU threads; 0: all")
            ->check(CLI::Range(0, 1024))
            ->capture_default_str();
        m_app->add_option("--dtype", m_dtype, "auto, f32 or bf16")->capture_default_str();
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
        say("{} in {}, {} heads of {}\n", (*report)["device"].get<std::string>(),
            (*report)["dtype"].get<std::string>(), kHeads, kHeadDim);
        say("{:>7} {:>10} {:>12} {:>13} {:>22}\n", "tokens", "ms", "GFLOP/s", "scratch MiB",
            "a whole matrix's MiB");
        for (const OrderedJson& row : (*report)["rows"]) {
            say("{:>7} {:>10.1f} {:>12.1f} {:>13.2f} {:>22.1f}\n", row["tokens"].get<int>(),
                row["median_seconds"].get<double>() * 1e3, row["gflops_per_second"].get<double>(),
                row["scratch_bytes"].get<double>() / kMebibyte, row["matrix_bytes"].get<double>() / kMebibyte);
        }
        if (report->contains("sparse")) {
            printSparseAttention((*report)["sparse"]);
            printSaladPasses((*report)["salad"]);
        }
        return kDone;
    }

 private:
    [[nodiscard]] Result<OrderedJson> makeReport(const Session& session) const {
        FW_ASSIGN(const auto device, backend::createDevice(m_device));
        FW_ASSIGN(const DType dtype, pipeline::chooseDType(m_dtype, device->info()));
        if (dtype == DType::F8E4M3) {
            return fail(ErrorCode::InvalidArgument, "this benchmark compares methods in f32 or bf16, not in fp8");
        }
        FW_TRY(measure(*device, dtype, m_threads, 64));  // threads started, code loaded
        OrderedJson rows = OrderedJson::array();
        for (const std::int64_t tokens : kTokens) {
            FW_TRY(session.cancel.check());
            FW_ASSIGN(const Row row, measure(*device, dtype, m_threads, tokens));
            OrderedJson json{{"tokens", row.tokens},
                             {"tensor_bytes", row.tensorBytes},
                             {"scratch_bytes", row.scratchBytes},
                             {"matrix_bytes", kHeads * tokens * tokens * dtypeSize(dtype)}};
            json.update(toJson(row.samples, row.flops));
            rows.push_back(std::move(json));
        }
        OrderedJson report{{"device", device->info().name}, {"dtype", dtypeName(dtype)}, {"rows", std::move(rows)}};
        FW_ASSIGN(const auto ops, device->createOps({.threads = m_threads}));
        if (ops->supportsSparseAttention()) {
            FW_ASSIGN(report["sparse"], measureSparseAttention(*device, dtype, m_threads, session.cancel));
            FW_ASSIGN(report["salad"], measureSaladPasses(*device, dtype, m_threads, session.cancel));
        }
        return report;
    }

    std::string m_device = "auto";
    std::string m_dtype = "auto";
    int m_threads = 0;
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makeBenchAttentionCommand(CLI::App& bench) {
    return std::make_unique<BenchAttentionCommand>(bench);
}

}  // namespace fw::cli
