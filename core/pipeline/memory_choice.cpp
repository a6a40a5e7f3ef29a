#include "core/pipeline/memory_choice.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/job/memory_size.h"

namespace fw::pipeline {

namespace {

using job::ModelPartSet;

constexpr std::size_t kPhases = 3;
constexpr std::array<const char*, kPhases> kDoing{"encoding the prompt", "denoising", "decoding"};

// Workspaces of a GPU's libraries, which no forecast knows.
constexpr std::int64_t kLibraryBytes = std::int64_t{256} << 20;

// What a phase cannot do without, and what may stay when there is room.
struct Wish {
    ModelPartSet needed, welcome;
    std::int64_t beside = 0;  // gathered in the same memory
};

std::array<Wish, kPhases> wishes(const job::Plan& plan, const MemoryLimit& limit, bool lookWhileDenoising) {
    const bool keepsText = limit.onHost;
    const std::int64_t probes = probeBytes(plan, limit);
    return {{{{true, false, false}, {true, true, true}, 0},
             {{false, true, lookWhileDenoising}, {keepsText, true, true}, probes},
             {{false, false, true}, {keepsText, true, true}, probes + (limit.onHost ? plan.hostBytes : 0)}}};
}

// Gives up, one after the other, what the phase does not need: the text encoder, then the auto-encoder, then the
// transformer.
ModelPartSet fitting(const Wish& wish, const PartBytes& weights, std::int64_t room) {
    ModelPartSet parts = wish.welcome;
    for (bool ModelPartSet::*part :
         {&ModelPartSet::textEncoder, &ModelPartSet::autoEncoder, &ModelPartSet::transformer}) {
        if (weights.of(parts) > room && !(wish.needed.*part)) {
            parts.*part = false;
        }
    }
    return parts;
}

std::string shortageOf(const job::Plan& plan, std::size_t phase, const MemoryLimit& limit) {
    const std::string state = plan.cache.bytes == 0
                                  ? std::string()
                                  : fmt::format(" with the {} of the step cache '{}'",
                                                job::memorySizeText(plan.cache.bytes), plan.cache.id);
    const std::string asked = job::memorySizeText(plan.phases[phase].memoryBytes);
    if (limit.budget > 0 && limit.budget <= limit.bytes + kLibraryBytes) {
        return fmt::format(
            "{} this clip{} needs {} of memory, but the budget is {}; raise it, or choose a smaller "
            "size or fewer frames",
            kDoing[phase], state, asked, job::memorySizeText(limit.budget));
    }
    return fmt::format(
        "{} this clip{} needs {} of memory, but {} has {} free; choose a smaller size or fewer frames",
        kDoing[phase], state, asked, limit.device, job::memorySizeText(std::max<std::int64_t>(0, limit.bytes)));
}

}  // namespace

MemoryLimit memoryLimit(const backend::DeviceInfo& info, std::int64_t budget, std::int64_t held) {
    MemoryLimit limit;
    limit.budget = budget;
    limit.onHost = info.kind == DeviceKind::Cpu;
    limit.device = info.id;
    limit.bytes = info.freeBytes + held;
    if (budget > 0) {
        limit.bytes = std::min(limit.bytes, budget);
    }
    limit.bytes -= limit.onHost ? 0 : kLibraryBytes;
    return limit;
}

std::int64_t probeBytes(const job::Plan& plan, const MemoryLimit& limit) {
    return plan.probes.memoryBytes - (limit.onHost ? 0 : plan.probes.bytes);
}

void chooseMemory(const PartBytes& weights, const MemoryLimit& limit, bool lookWhileDenoising, job::Plan& plan) {
    FW_CHECK(plan.phases.size() == kPhases, "{} phases", plan.phases.size());
    const auto all = wishes(plan, limit, lookWhileDenoising);
    std::int64_t largest = 0;
    for (const job::PhaseCost& phase : plan.phases) {
        largest = std::max(largest, phase.scratchBytes);
    }
    // Memory to work in is quicker to get again than weights.
    plan.memory.oneArena = true;
    for (const Wish& wish : all) {
        plan.memory.oneArena = plan.memory.oneArena &&
                               weights.of(wish.welcome) + plan.stateBytes + wish.beside <= limit.bytes - largest;
    }
    plan.memory.budgetBytes = limit.budget;
    plan.memory.limitBytes = limit.bytes == MemoryLimit{}.bytes ? 0 : limit.bytes;
    plan.memory.shortage.clear();
    plan.peakBytes = 0;
    for (std::size_t i = 0; i < kPhases; ++i) {
        job::PhaseCost& phase = plan.phases[i];
        const std::int64_t scratch = plan.memory.oneArena ? largest : phase.scratchBytes;
        const std::int64_t fixed = plan.stateBytes + scratch + all[i].beside;
        phase.parts = fitting(all[i], weights, limit.bytes - fixed);
        phase.memoryBytes = weights.of(phase.parts) + fixed;
        plan.peakBytes = std::max(plan.peakBytes, phase.memoryBytes);
        if (phase.memoryBytes > limit.bytes && plan.memory.shortage.empty()) {
            plan.memory.shortage = shortageOf(plan, i, limit);
        }
    }
}

}  // namespace fw::pipeline
