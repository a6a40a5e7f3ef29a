#include "app/cli/bench_modules.h"

#include <array>

#include "app/cli/output.h"
#include "core/trace/trace_file.h"

namespace fw::cli {

namespace {

struct ModuleSum {
    int calls = 0;
    std::int64_t us = 0, flops = 0;
};
using ModuleSums = std::array<ModuleSum, static_cast<std::size_t>(trace::Module::Probe) + 1>;

ModuleSums sumModules(const trace::Trace& trace) {
    ModuleSums sums;
    const auto at = [&](trace::Module module) -> ModuleSum& { return sums[static_cast<std::size_t>(module)]; };
    for (const trace::Row& row : trace.rows()) {
        ModuleSum& sum = at(row.module);
        ++sum.calls;
        sum.us += row.durationUs;
        sum.flops += row.flops;
    }
    ModuleSum& around = at(trace::Module::SelfAttention);
    const ModuleSum& inside = at(trace::Module::AttentionCore);
    if (around.calls > 0) {
        around.us -= inside.us;
        around.flops -= inside.flops;
    }
    return sums;
}

OrderedJson stateJson(const ModuleSum& sum, double rate) {
    constexpr double kMicro = 1e-6;
    const double seconds = static_cast<double>(sum.us) * kMicro;
    const double speed = sum.us > 0 ? static_cast<double>(sum.flops) / seconds : 0.0;
    return {{"seconds", seconds}, {"tflops_per_second", speed / kTera}, {"share_of_product", speed / rate}};
}

}  // namespace

OrderedJson moduleTable(const trace::Trace& rested, const trace::Trace& sustained, double restedRate,
                        double sustainedRate) {
    const ModuleSums cool = sumModules(rested), hot = sumModules(sustained);
    OrderedJson table = OrderedJson::array();
    for (std::size_t i = 0; i < cool.size(); ++i) {
        if (cool[i].calls > 0) {
            table.push_back({{"module", trace::moduleName(static_cast<trace::Module>(i))},
                             {"calls", cool[i].calls},
                             {"gflop", static_cast<double>(cool[i].flops) * 1e-9},
                             {"rested", stateJson(cool[i], restedRate)},
                             {"sustained", stateJson(hot[i], sustainedRate)}});
        }
    }
    return table;
}

void printModuleTable(const OrderedJson& table) {
    say("{:<18}{:>7}{:>12}{:>11}{:>9}{:>9}{:>13}{:>9}{:>9}\n", "module", "calls", "GFLOP", "rested ms", "TFLOP/s",
        "share", "sustained ms", "TFLOP/s", "share");
    for (const OrderedJson& row : table) {
        say("{:<18}{:>7}{:>12.1f}", row["module"].get<std::string>(), row["calls"].get<int>(),
            row["gflop"].get<double>());
        for (const char* state : {"rested", "sustained"}) {
            const OrderedJson& at = row[state];
            say("{:>{}.2f}{:>9.2f}{:>9.2f}", at["seconds"].get<double>() * 1e3, state[0] == 'r' ? 11 : 13,
                at["tflops_per_second"].get<double>(), at["share_of_product"].get<double>());
        }
        say("\n");
    }
}

}  // namespace fw::cli
