#include "core/cache/site_store.h"

#include <algorithm>

namespace fw::cache {

namespace {

constexpr std::int64_t kMebibyte = 1LL << 20;
constexpr double kMaxLimitMebibytes = 1 << 20;

tl::unexpected<Error> foreignState() {
    return fail(ErrorCode::InvalidArgument, "the checkpoint holds the state of another step cache");
}

}  // namespace

Result<SiteStore> SiteStore::create(const SiteBudget& budget, const RunShape& shape, backend::Ops& ops,
                                    const KeptTensor::Allocate& allocate) {
    const Shape output{1, shape.tokens, shape.width};
    const std::int64_t siteBytes = KeptTensor::bytesOf(budget.dtype, output) * budget.depth * shape.branches;
    SiteStore store;
    store.m_limitBytes = budget.limitBytes;
    std::int64_t bytes = 0;
    for (const SiteKind kind : budget.kinds) {
        auto& layers = store.m_slots[static_cast<std::size_t>(kind)];
        const int count = std::min(budget.layers[static_cast<std::size_t>(kind)], shape.layers);
        for (int layer = 0; layer < count; ++layer) {
            ++store.m_wanted;
            if (budget.limitBytes > 0 && bytes + siteBytes > budget.limitBytes) {
                continue;
            }
            bytes += siteBytes;
            ++store.m_kept;
            auto& branches = layers.emplace_back(static_cast<std::size_t>(shape.branches));
            for (SiteSlot& slot : branches) {
                slot.steps.assign(static_cast<std::size_t>(budget.depth), -1);
                for (int i = 0; i < budget.depth; ++i) {
                    FW_ASSIGN(KeptTensor kept, KeptTensor::create(budget.dtype, output, ops, allocate));
                    slot.outputs.push_back(std::move(kept));
                }
            }
        }
    }
    return store;
}

SiteSlot* SiteStore::find(const Site& site, int branch) {
    auto& layers = m_slots[static_cast<std::size_t>(site.kind)];
    const auto layer = static_cast<std::size_t>(site.layer);
    return layer < layers.size() ? &layers[layer][static_cast<std::size_t>(branch)] : nullptr;
}

void SiteStore::push(method::RunContext& context, const Site& site, const ConstTensorView& output) {
    SiteSlot* slot = find(site, context.branch);
    FW_CHECK(slot != nullptr, "{} of layer {} is not kept", siteKindName(site.kind), site.layer);
    std::rotate(slot->outputs.rbegin(), slot->outputs.rbegin() + 1, slot->outputs.rend());
    std::rotate(slot->steps.rbegin(), slot->steps.rbegin() + 1, slot->steps.rend());
    slot->outputs.front().store(context, output);
    slot->steps.front() = context.step;
}

std::string SiteStore::note() const {
    if (m_kept == m_wanted) {
        return {};
    }
    return fmt::format("the memory limit of {} MiB keeps the outputs of {} of {} modules; the others are computed",
                       m_limitBytes / kMebibyte, m_kept, m_wanted);
}

void SiteStore::save(SavedState& state) {
    Json steps = Json::array();
    for (std::size_t kind = 0; kind < m_slots.size(); ++kind) {
        for (std::size_t layer = 0; layer < m_slots[kind].size(); ++layer) {
            for (std::size_t branch = 0; branch < m_slots[kind][layer].size(); ++branch) {
                const SiteSlot& slot = m_slots[kind][layer][branch];
                steps.push_back(slot.steps);
                for (std::size_t i = 0; i < slot.outputs.size(); ++i) {
                    if (slot.steps[i] >= 0) {
                        const auto name = siteKindName(static_cast<SiteKind>(kind));
                        slot.outputs[i].save(fmt::format("{}.{}.{}.{}", name, layer, branch, i), state);
                    }
                }
            }
        }
    }
    state.numbers["steps"] = std::move(steps);
}

Status SiteStore::restore(const Json& numbers) {
    const auto steps = numbers.is_object() ? numbers.find("steps") : numbers.end();
    if (!numbers.is_object() || steps == numbers.end() || !steps->is_array()) {
        return foreignState();
    }
    std::size_t next = 0;
    for (auto& kind : m_slots) {
        for (auto& layer : kind) {
            for (SiteSlot& slot : layer) {
                const Json* entry = next < steps->size() ? &(*steps)[next] : nullptr;
                ++next;
                if (entry == nullptr || !entry->is_array() || entry->size() != slot.steps.size()) {
                    return foreignState();
                }
                for (std::size_t i = 0; i < slot.steps.size(); ++i) {
                    if (!(*entry)[i].is_number_integer()) {
                        return foreignState();
                    }
                    slot.steps[i] = (*entry)[i].get<int>();
                }
            }
        }
    }
    return next == steps->size() ? Status() : foreignState();
}

std::vector<job::ParameterSchema> storeParameters() {
    job::ParameterSchema precision;
    precision.name = "precision";
    precision.type = job::ParameterType::Choice;
    precision.choices = {"bf16", "fp8", "f32"};
    precision.defaultValue = "bf16";
    precision.help =
        "Number type of what is kept: bf16 takes half the memory of f32, fp8 a quarter, with a scale for each "
        "token.";
    job::ParameterSchema limit;
    limit.name = "memory_limit";
    limit.type = job::ParameterType::Integer;
    limit.unit = "MiB";
    limit.maximum = kMaxLimitMebibytes;
    limit.defaultValue = 0;
    limit.help = "Keep no more than this, the most useful outputs first; 0 keeps all.";
    return {precision, limit};
}

DType storeType(const Json& parameters) {
    const auto precision = parameters.at("precision").get<std::string>();
    return precision == "f32" ? DType::F32 : precision == "fp8" ? DType::F8E4M3 : DType::BF16;
}

std::int64_t storeLimit(const Json& parameters) {
    return parameters.at("memory_limit").get<std::int64_t>() * kMebibyte;
}

}  // namespace fw::cache
