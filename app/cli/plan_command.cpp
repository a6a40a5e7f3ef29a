// fw plan: what a clip will cost, before it runs.
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "app/cli/request_options.h"
#include "app/engine/clip_job.h"
#include "core/job/plan.h"

namespace fw::cli {

namespace {

double mebibytes(std::int64_t bytes) {
    return static_cast<double>(bytes) / kMebibyte;
}
double gigaflops(std::int64_t flops) {
    return static_cast<double>(flops) / kGiga;
}

std::string partNames(const job::ModelPartSet& parts) {
    std::vector<std::string> names;
    if (parts.textEncoder) {
        names.emplace_back("text encoder");
    }
    if (parts.transformer) {
        names.emplace_back("transformer");
    }
    if (parts.autoEncoder) {
        names.emplace_back("auto-encoder");
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

// What was chosen for the memory there is.
void printMemory(const job::MemoryPlan& memory) {
    if (memory.limitBytes != 0) {
        say("{:<12} of {:.1f} MiB {}\n", "", mebibytes(memory.limitBytes),
            memory.budgetBytes > 0 ? "within the budget" : "free");
    }
    if (memory.smallerPieces) {
        say("{:<12} decodes {}{} latent frame{} at a time to make do with it\n", "",
            memory.tile == 0 ? std::string() : fmt::format("tiles of {0} x {0} latent pixels, ", memory.tile),
            memory.pieceFrames, memory.pieceFrames == 1 ? "" : "s");
    }
    if (memory.streamBlocks) {
        say("{:<12} the transformer's blocks wait in host memory, {:.1f} MiB, and visit the device two at a time\n",
            "", mebibytes(memory.streamedBytes));
    }
    if (!memory.shortage.empty()) {
        say("\nDoes not fit: {}.\n", memory.shortage);
    }
}

void printTable(const job::Plan& plan) {
    say("latents      {} x {} x {} (frames, height, width)\n", plan.latentFrames, plan.latentHeight,
        plan.latentWidth);
    say("tokens       {} per self-attention, {} of the prompt, filled up to {}\n", plan.tokens, plan.promptTokens,
        plan.textTokens);
    say("steps        {} with {} forward pass{} each, {:.1f} GFLOP a pass\n", plan.steps, plan.forwardsPerStep,
        plan.forwardsPerStep == 1 ? "" : "es", gigaflops(plan.flopsPerForward));
    if (plan.attention.pairs != plan.attention.densePairs) {
        say("attention    {:.2f} % of the token pairs left out, {:.2f} % in tiles of 64 x 64\n",
            100.0 * plan.attention.sparsity(), 100.0 * plan.attention.tileSparsity());
    }
    say("\n{:<10} {:>14} {:>14} {:>14}  {}\n", "phase", "GFLOP", "scratch MiB", "memory MiB", "on the device");
    for (const job::PhaseCost& phase : plan.phases) {
        say("{:<10} {:>14.1f} {:>14.1f} {:>14.1f}  {}\n", phase.phase, gigaflops(phase.flops),
            mebibytes(phase.scratchBytes), mebibytes(phase.memoryBytes), partNames(phase.parts));
    }
    say("{:<10} {:>14.1f}\n", "all", gigaflops(plan.totalFlops()));
    say("\nmemory       {:.1f} MiB at most: weights {:.1f} in all, state {:.1f}, and scratch\n",
        mebibytes(plan.peakBytes), mebibytes(plan.weightBytes), mebibytes(plan.stateBytes));
    printMemory(plan.memory);
}

void printProbes(const job::ProbePlan& probes) {
    if (probes.bytes > 0) {
        say("\nprobes       {:.1f} MiB in the trace: {} steps, {} layers; {:.1f} MiB of memory\n",
            mebibytes(probes.bytes), probes.steps, probes.layers, mebibytes(probes.memoryBytes));
    }
}

// One line for each kind of module, one character for each step.
void printCache(const job::CachePlan& cache) {
    if (cache.id == "none") {
        return;
    }
    say("\ncache        {}, {:.1f} MiB\n", cache.id, mebibytes(cache.bytes));
    for (const job::CacheRow& row : cache.rows) {
        const auto computed = std::count(row.steps.begin(), row.steps.end(), 'c');
        std::string marks = row.steps;
        std::replace(marks.begin(), marks.end(), 'c', '.');
        say("{:<12} {}  {} of {} computed\n", row.what, marks, computed, row.steps.size());
    }
    if (cache.rows.empty()) {
        say("decides during the run; the work above is without any reuse\n");
    } else {
        say("{:<12} . computed, r reused, p predicted, from the first step to the last\n", "");
    }
    if (!cache.note.empty()) {
        say("{}\n", cache.note);
    }
}

class PlanCommand final : public Command {
 public:
    explicit PlanCommand(CLI::App& program)
        : Command(program, "plan", "Show what a clip will cost, without making it") {
        m_request.addTo(*m_app);
        m_whatIf.addTo(*m_app);
        m_probes.addTo(*m_app);
        m_app->add_flag("--json", m_json, "Print one JSON object instead of a table");
        m_app->footer(exitCodeHelp());
    }

    int run(const Session&) override {
        const auto plan = makePlan();
        if (!plan) {
            return reportError(plan.error(), m_json);
        }
        if (m_json) {
            say("{}\n", jsonText(job::toJson(*plan)));
        } else {
            printTable(*plan);
            printCache(plan->cache);
            printProbes(plan->probes);
        }
        return plan->memory.shortage.empty() ? kDone : kNoMemory;
    }

 private:
    [[nodiscard]] Result<job::Plan> makePlan() const {
        FW_ASSIGN(job::GenerationRequest request, m_request.request());
        FW_TRY(m_whatIf.apply(request));
        FW_TRY(m_probes.apply(request));
        FW_ASSIGN(const auto folder, app::modelFolder(request));
        request.model = folder.string();
        return pipeline::makePlan(request);
    }

    RequestOptions m_request;
    WhatIfOption m_whatIf;
    ProbeOptions m_probes;
    bool m_json = false;
};

}  // namespace

std::unique_ptr<Command> makePlanCommand(CLI::App& program) {
    return std::make_unique<PlanCommand>(program);
}

}  // namespace fw::cli
