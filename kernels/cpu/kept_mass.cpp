#include "kernels/cpu/kept_mass.h"

#include <algorithm>

#include "kernels/cpu/parallel.h"

namespace fw::kernels::cpu {

namespace {

double massOfBlocks(const BlockSparseArgs& args, std::int64_t head, std::int64_t block, const float* row) {
    const std::int32_t* const tokens = args.sequences.tokens[0];
    const std::int32_t* const list = args.lists + head * args.listHead + block * args.listRow;
    const std::int32_t count = args.counts[head * args.countHead + block * args.countRow];
    double mass = 0.0;
    for (std::int32_t i = 0; i < count; ++i) {
        for (std::int32_t at = args.starts[list[i]]; at < args.starts[list[i] + 1]; ++at) {
            mass += static_cast<double>(row[tokens[at]]);
        }
    }
    return mass;
}

double massOfWindow(const WindowArgs& args, std::int64_t keys, std::int64_t head, std::int64_t token,
                    const float* row) {
    const std::uint8_t order = args.sequences.of == nullptr ? std::uint8_t{0} : args.sequences.of[head];
    const std::int32_t* const tokens = args.sequences.tokens[order];
    const std::int64_t step = args.sinkSteps[order], plane = keys / step;
    const std::int64_t position = token % plane * step + token / plane;
    const std::int64_t first = std::max<std::int64_t>(position - args.window, 0);
    const std::int64_t last = std::min(position + args.window, keys - 1);
    double mass = 0.0;
    for (std::int64_t at = first; at <= last; ++at) {
        mass += static_cast<double>(row[tokens[at]]);
    }
    for (std::int64_t sink = 0; sink < args.sinkTokens; ++sink) {
        if (sink * step < first || sink * step > last) {
            mass += static_cast<double>(row[sink]);
        }
    }
    return mass;
}

}  // namespace

void keptMass(const KeptMassArgs& args) {
    constexpr std::int64_t kRows = 8;  // of a task
    const std::int64_t rows = args.heads * args.count;
    parallelFor((rows + kRows - 1) / kRows, args.threads, [&](std::int64_t task, int) {
        for (std::int64_t at = task * kRows; at < std::min((task + 1) * kRows, rows); ++at) {
            const std::int64_t head = at / args.count, query = args.queries[at % args.count];
            const float* const row = args.rows + at * args.keys;
            args.masses[at] = static_cast<float>(args.blocks != nullptr
                                                     ? massOfBlocks(*args.blocks, head, query, row)
                                                     : massOfWindow(*args.window, args.keys, head, query, row));
        }
    });
}

}  // namespace fw::kernels::cpu
