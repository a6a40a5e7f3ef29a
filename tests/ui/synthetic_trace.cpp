#include "synthetic_trace.h"

#include <cmath>
#include <filesystem>
#include <vector>

#include "core/trace/trace_file.h"

namespace fw::ui::test {
namespace {

using trace::Module;
using trace::ProbeKind;
using trace::ProbeTable;
using trace::Row;

void addRows(trace::Trace& result, const SyntheticRun& run) {
    std::int64_t now = 0;
    const auto add = [&](int step, int branch, int layer, Module module, std::int64_t us, std::int64_t flops,
                         trace::Source source) {
        result.add({.step = step,
                    .branch = branch,
                    .layer = layer,
                    .module = module,
                    .startUs = now,
                    .durationUs = us,
                    .flops = flops,
                    .bytes = flops / 50 + 1000,
                    .source = source});
        now += us;
    };
    add(-1, 0, -1, Module::TextEncoder, 5000, 3'000'000, trace::Source::Computed);
    for (int step = 0; step < run.steps; ++step) {
        for (int branch = 0; branch < 2; ++branch) {
            for (int layer = 0; layer < run.layers; ++layer) {
                add(step, branch, layer, Module::AttentionCore, 700, 50'000'000, trace::Source::Computed);
                add(step, branch, layer, Module::SelfAttention, 1000, 60'000'000, trace::Source::Computed);
                const bool reused = run.cached && step % 2 == 1;
                add(step, branch, layer, Module::CrossAttention, reused ? 10 : 400, reused ? 0 : 9'000'000,
                    reused ? trace::Source::Reused : trace::Source::Computed);
                add(step, branch, layer, Module::FeedForward, 500, 30'000'000, trace::Source::Computed);
            }
        }
        add(step, 0, -1, Module::Sampler, 50, 1'000'000, trace::Source::Computed);
    }
    add(-1, 0, -1, Module::VaeDecode, 90000, 200'000'000, trace::Source::Computed);
}

// Attention that falls off with the distance in time (even heads) or in space (odd heads).
double weight(const std::array<std::int64_t, 3>& a, const std::array<std::int64_t, 3>& b, int head) {
    const auto far = [&](std::size_t i) { return std::abs(static_cast<double>(a[i] - b[i])); };
    return head % 2 == 0 ? std::exp(-4.0 * far(0) - 0.3 * (far(1) + far(2)))
                         : std::exp(-0.1 * far(0) - 2.0 * (far(1) + far(2)));
}

std::array<std::int64_t, 3> place(std::int64_t i, const std::array<std::int64_t, 3>& grid) {
    return {i / (grid[1] * grid[2]), i / grid[2] % grid[1], i % grid[2]};
}

std::vector<float> row(std::int64_t query, const std::array<std::int64_t, 3>& grid, int head) {
    const std::int64_t count = grid[0] * grid[1] * grid[2];
    std::vector<float> values(static_cast<std::size_t>(count));
    double sum = 0.0;
    for (std::int64_t k = 0; k < count; ++k) {
        const double w = weight(place(query, grid), place(k, grid), head);
        values[static_cast<std::size_t>(k)] = static_cast<float>(w);
        sum += w;
    }
    for (float& value : values) {
        value /= static_cast<float>(sum);
    }
    return values;
}

std::vector<float> blockMap(const std::array<std::int64_t, 3>& blocks, int head) {
    std::vector<float> values;
    const std::int64_t count = blocks[0] * blocks[1] * blocks[2];
    for (std::int64_t q = 0; q < count; ++q) {
        const auto line = row(q, blocks, head);
        values.insert(values.end(), line.begin(), line.end());
    }
    return values;
}

void addTables(trace::Trace& result, const SyntheticRun& run) {
    trace::ProbeInfo& info = result.probes.info;
    const auto table = [&](ProbeKind kind) -> ProbeTable& {
        return result.probes.tables.try_emplace(kind, probeType(kind), probeRecordShape(kind, info)).first->second;
    };
    const std::int64_t tiles = info.maskTileCount();
    std::vector<std::uint8_t> mask(static_cast<std::size_t>((tiles * tiles + 7) / 8), 0);
    for (std::int64_t q = 0; q < tiles; ++q) {
        for (std::int64_t k = 0; k < tiles; ++k) {
            if (syntheticMask(run, q, k)) {
                const std::int64_t bit = q * tiles + k;
                mask[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(1U << (bit % 8));
            }
        }
    }
    std::vector<std::vector<float>> maps;
    for (int kind = 0; kind < 2; ++kind) {
        maps.push_back(blockMap(info.blocks(), kind));
    }
    std::vector<float> gate(static_cast<std::size_t>(info.tokens()));
    std::vector<float> heat;
    for (std::size_t i = 0; i < gate.size(); ++i) {
        gate[i] = 0.5F + 0.5F * std::sin(static_cast<float>(i) * 0.3F);
    }
    for (std::size_t word = 0; word < info.words.size(); ++word) {
        for (std::size_t i = 0; i < gate.size(); ++i) {
            heat.push_back(i % info.words.size() == word ? 0.8F : 0.1F);
        }
    }
    const auto frames = static_cast<float>(run.grid[0]);
    for (int step = 0; step < run.steps; ++step) {
        for (int layer = 0; layer < run.layers; ++layer) {
            for (int head = 0; head < run.heads; ++head) {
                const trace::ProbeSite site{step, 0, layer, head};
                table(ProbeKind::AttentionMap).append(site, 0, maps[static_cast<std::size_t>(head % 2)]);
                const float own = head % 2 == 0 ? 0.95F : 1.0F / frames;
                table(ProbeKind::HeadStats)
                    .append(site, 0,
                            std::vector<float>{2.5F, head % 2 == 0 ? 0.1F : 1.0F, head % 2 == 0 ? 1.0F : 0.1F,
                                               head % 2 == 0 ? 1.0F : 0.1F, 0.05F, own});
                if (step < run.maskSteps) {
                    if (!run.sharedMasks || head == 0) {
                        table(ProbeKind::Mask).appendBytes({step, 0, layer, run.sharedMasks ? -1 : head}, 0, mask);
                    }
                    table(ProbeKind::KeptMass)
                        .append(site, 0, std::vector<float>(static_cast<std::size_t>(tiles), 0.9F));
                }
                if (layer == 0 && step == 0) {
                    for (const std::int32_t query : info.queries) {
                        table(ProbeKind::AttentionRow).append(site, query, row(query, run.grid, head));
                    }
                }
            }
            const trace::ProbeSite all{step, 0, layer, -1};
            table(ProbeKind::LinearShare).append(all, 0, std::vector<float>{1.0F, 0.25F, 0.4F});
            if (layer == 0) {
                table(ProbeKind::Gate).append(all, 0, gate);
                table(ProbeKind::WordHeat).append(all, 0, heat);
            }
            const bool stoodIn = run.cached && step % 2 == 1;
            if (stoodIn) {
                table(ProbeKind::CacheError)
                    .append(all, static_cast<int>(Module::CrossAttention), std::vector<float>{0.125F, 0.25F});
            }
            // Heads of the scan remember ever longer, the backward direction twice as long.
            std::vector<float> lives, shares;
            for (int direction = 0; direction < 2; ++direction) {
                for (int head = 0; head < 4; ++head) {
                    for (std::int64_t block = 0; block < info.blockCount(); ++block) {
                        lives.push_back(static_cast<float>((direction + 1) * std::pow(10.0, head)));
                    }
                    for (int token = 0; token < 4; ++token) {
                        shares.push_back(direction == 0 ? static_cast<float>(token + 1) / 10.0F : 0.0F);
                    }
                }
            }
            table(ProbeKind::ScanMemory).append(all, layer % 4, lives);
            table(ProbeKind::ReviewWeight).append(all, 0, shares);
            const float bend = static_cast<float>(step) / static_cast<float>(run.steps) - 0.5F;
            table(ProbeKind::Change)
                .append(all, static_cast<int>(Module::SelfAttention),
                        std::vector<float>{0.05F + bend * bend, 0.1F});
        }
    }
}

// Keys along a circle: a query looks at those that lie near its own angle.
void addOperands(trace::Trace& result, const SyntheticRun& run) {
    trace::ProbeInfo& info = result.probes.info;
    const auto width = static_cast<std::size_t>(info.headDim), tokens = static_cast<std::size_t>(info.tokens());
    for (int head = 0; head < run.heads; ++head) {
        std::vector<float> values(tokens * width);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double angle = static_cast<double>(i / width) * 6.28 / static_cast<double>(tokens);
            const double size = static_cast<double>(head + 2);
            values[i] = static_cast<float>(i % width % 2 == 0 ? size * std::cos(angle) : size * std::sin(angle));
        }
        for (const ProbeKind kind : {ProbeKind::AttentionQuery, ProbeKind::AttentionKey}) {
            result.probes.tables.try_emplace(kind, probeType(kind), probeRecordShape(kind, info))
                .first->second.append({0, 0, 0, head}, 0, values);
        }
    }
}

}  // namespace

bool syntheticMask(const SyntheticRun& run, std::int64_t query, std::int64_t key) {
    return std::abs(query - key) <= 1 || (key + run.maskShift) % 5 == 0;
}

trace::Trace syntheticTrace(const SyntheticRun& run) {
    trace::Trace result;
    addRows(result, run);
    result.metadata["request"] = {{"prompt", "a red fox runs"}, {"method", "salad"}, {"cache", "pab"}, {"seed", 7}};
    result.metadata["model"] = {{"name", "mini"}};
    result.metadata["plan"] = {{"total_flops", 1'000'000'000.0}};
    if (run.probes) {
        trace::ProbeInfo& info = result.probes.info;
        info.grid = run.grid;
        info.pool = run.pool;
        info.heads = run.heads;
        info.layers = run.layers;
        info.words = {{"a", 0, 1}, {"red", 1, 1}, {"fox", 2, 1}, {"runs", 3, 1}};
        info.queries = {0, static_cast<std::int32_t>(info.tokens() / 2)};
        info.mask.size = info.tokens() > 1024 ? 64 : 8;
        info.headDim = info.tokens() > 1024 ? 128 : 8;
        info.scan = {4, 2, {1, 2, 2}};
        addTables(result, run);
        if (run.operands) {
            addOperands(result, run);
        }
    }
    return result;
}

Status writeSyntheticTrace(const SyntheticRun& run, const QString& file) {
    return trace::writeTrace(std::filesystem::path(file.toStdU16String()), syntheticTrace(run));
}

}  // namespace fw::ui::test
