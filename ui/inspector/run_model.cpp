#include "ui/inspector/run_model.h"

#include <QCoreApplication>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <numeric>
#include <set>
#include <utility>

#include "core/trace/trace_file.h"

namespace fw::ui {
namespace {

using trace::Module;
using trace::ProbeKind;
using trace::Row;

struct Modules {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Modules)
};

// More of anything than this is no run, and would only cost memory.
constexpr int kMost = 1 << 20;
constexpr double kMostFlops = 9.0e18;  // that a whole number of 64 bits holds

Json at(const Json& json, std::initializer_list<const char*> path) {
    const Json* here = &json;
    for (const char* name : path) {
        if (!here->is_object() || !here->contains(name)) {
            return {};
        }
        here = &(*here)[name];
    }
    return *here;
}

QString textAt(const Json& json, std::initializer_list<const char*> path) {
    const Json value = at(json, path);
    return value.is_string() ? QString::fromStdString(value.get<std::string>()) : QString();
}

int numberAt(const Json& json, std::initializer_list<const char*> path) {
    const Json value = at(json, path);
    return value.is_number_integer() && value.get<std::int64_t>() >= 0 && value.get<std::int64_t>() < kMost
               ? value.get<int>()
               : 0;
}

// The rows of a painted mask as a record of masks has them; empty: of other tiles.
std::vector<std::uint8_t> bitsOf(const job::PaintedMask& mask, const trace::ProbeInfo& info) {
    const std::int64_t tiles = info.maskTileCount();
    if (trace::MaskTiles{mask.size, mask.box} != info.mask || std::ssize(mask.rows) != tiles) {
        return {};
    }
    std::vector<std::uint8_t> bits(static_cast<std::size_t>((tiles * tiles + 7) / 8), 0);
    for (std::int64_t query = 0; query < tiles; ++query) {
        for (const std::int32_t key : mask.rows[static_cast<std::size_t>(query)]) {
            const std::int64_t bit = query * tiles + key;
            bits[static_cast<std::size_t>(bit / 8)] |=
                static_cast<std::uint8_t>(1U << static_cast<unsigned>(bit % 8));
        }
    }
    return bits;
}

bool isInside(Module inner, Module outer) {
    return inner == Module::AttentionCore && outer == Module::SelfAttention;
}

}  // namespace

void ModuleCost::operator+=(const ModuleCost& other) {
    durationUs += other.durationUs;
    flops += other.flops;
    bytes += other.bytes;
    calls += other.calls;
    stoodIn += other.stoodIn;
}

QString moduleTitle(Module module) {
    switch (module) {
        case Module::TextEncoder:
            return Modules::tr("Text encoder");
        case Module::Embeddings:
            return Modules::tr("Embeddings");
        case Module::SelfAttention:
            return Modules::tr("Self-attention, projections");
        case Module::AttentionCore:
            return Modules::tr("Self-attention, core");
        case Module::CrossAttention:
            return Modules::tr("Cross-attention");
        case Module::FeedForward:
            return Modules::tr("Feed-forward");
        case Module::Output:
            return Modules::tr("Output");
        case Module::Guidance:
            return Modules::tr("Guidance");
        case Module::Sampler:
            return Modules::tr("Sampler");
        case Module::Preview:
            return Modules::tr("Preview");
        case Module::VaeDecode:
            return Modules::tr("Decoder");
        case Module::VaeEncode:
            return Modules::tr("Encoder");
        case Module::Blocks:
            return Modules::tr("Blocks, from the cache");
        case Module::Probe:
            return Modules::tr("Probes");
    }
    return QString();
}

RunModel::RunModel(trace::Trace trace, QString file) : m_file(std::move(file)), m_trace(std::move(trace)) {
    readGrid();
    measure();
    indexProbes();
    readPlan();
    readWhatIf();
    addCost();
}

Result<std::shared_ptr<const RunModel>> RunModel::open(const QString& file) {
    FW_ASSIGN(trace::Trace trace, trace::readTrace(std::filesystem::path(file.toStdU16String())));
    for (const Row& row : trace.rows()) {
        if (row.step < -1 || row.step >= kMost || row.layer < -1 || row.layer >= kMost || row.branch < 0 ||
            row.branch > 1) {
            return fail(ErrorCode::BadModel, "{} is damaged: it has a row of step {}, branch {}, layer {}",
                        file.toStdString(), row.step, row.branch, row.layer);
        }
    }
    return std::make_shared<const RunModel>(std::move(trace), file);
}

const trace::ProbeTable* RunModel::table(ProbeKind kind) const {
    const trace::ProbeTable* table = m_trace.probes.find(kind);
    return table == nullptr || table->size() == 0 ? nullptr : table;
}

void RunModel::readGrid() {
    if (hasProbes()) {
        for (std::size_t i = 0; i < 3; ++i) {
            m_grid[i] = static_cast<int>(probes().grid[i]);
        }
        return;
    }
    // Without probes the plan says it: the tokens are the latent's patches, two by two in every model we know.
    const Json& about = m_trace.metadata;
    const int frames = numberAt(about, {"plan", "latent_frames"});
    const int height = numberAt(about, {"plan", "latent_height"}),
              width = numberAt(about, {"plan", "latent_width"});
    const qint64 tokens = numberAt(about, {"plan", "tokens"});
    for (const int patch : {2, 1}) {
        const qint64 product = qint64{frames} * (height / patch) * (width / patch);
        if (tokens > 0 && product == tokens) {
            m_grid = {frames, height / patch, width / patch};
            return;
        }
    }
}

void RunModel::measure() {
    int first = kMost;
    for (const Row& row : m_trace.rows()) {
        first = row.step >= 0 ? std::min(first, row.step) : first;
        m_steps = std::max(m_steps, row.step + 1);
        m_branches = std::max(m_branches, row.branch + 1);
        m_layers = std::max(m_layers, row.layer + 1);
        m_standIns = m_standIns || row.source != trace::Source::Computed;
        if (row.step >= 0) {
            m_calls[{static_cast<int>(row.module), row.step, row.branch, row.layer}] = {row.source, row.durationUs};
        }
    }
    m_firstStep = first == kMost ? 0 : first;
    if (hasProbes()) {
        m_layers = std::max(m_layers, static_cast<int>(probes().layers));
        m_heads = std::max(1, static_cast<int>(probes().heads));
    }
}

void RunModel::indexProbes() {
    for (const auto& [kind, table] : m_trace.probes.tables) {
        Index& index = m_records[kind];
        std::set<int> steps, layers;
        for (std::int64_t i = 0; i < table.size(); ++i) {
            const trace::ProbeSite& site = table.site(i);
            if (site.step < 0 || site.step >= kMost) {
                continue;  // no run has it
            }
            index.records.emplace(Key{site.step, site.branch, site.layer, site.head, table.item(i)}, i);
            steps.insert(site.step);
            layers.insert(site.layer);
            m_steps = std::max(m_steps, site.step + 1);
            m_branches = std::max(m_branches, site.branch + 1);
        }
        index.steps.assign(steps.begin(), steps.end());
        index.layers.assign(layers.begin(), layers.end());
    }
}

void RunModel::addCost() {
    m_cost.resize(static_cast<std::size_t>(m_steps) + 1);
    for (const Row& row : m_trace.rows()) {
        auto& step = m_cost[static_cast<std::size_t>(row.step + 1)];
        step[row.module] +=
            {row.durationUs, row.flops, row.bytes, 1, row.source != trace::Source::Computed ? 1 : 0};
        if (isInside(row.module, Module::SelfAttention)) {
            step[Module::SelfAttention] += {-row.durationUs, -row.flops, -row.bytes, 0, 0};
        }
    }
}

QString RunModel::prompt() const {
    return textAt(m_trace.metadata, {"request", "prompt"});
}

QString RunModel::method() const {
    return textAt(m_trace.metadata, {"request", "method"});
}

QString RunModel::cache() const {
    return textAt(m_trace.metadata, {"request", "cache"});
}

QString RunModel::beginning() const {
    return m_firstStep == 0 ? QString()
                            : Modules::tr(
                                  "This run went on from step %1 of an earlier one: its trace, and what probes "
                                  "saw, begins there.")
                                  .arg(m_firstStep + 1);
}

QString RunModel::device() const {
    return textAt(m_trace.metadata, {"device", "name"});
}

QString RunModel::settings() const {
    QStringList parts;
    const auto add = [&parts](const QString& part) {
        if (!part.isEmpty()) {
            parts.append(part);
        }
    };
    add(textAt(m_trace.metadata, {"model", "name"}));
    add(method());
    if (!cache().isEmpty() && cache() != QLatin1String("none")) {
        add(cache());
    }
    const Json request = at(m_trace.metadata, {"request"});
    if (request.is_object() && request.contains("seed") && request["seed"].is_number_integer()) {
        add(Modules::tr("seed %1").arg(QString::fromStdString(request["seed"].dump())));
    }
    add(Modules::tr("%n step(s)", nullptr, m_steps));
    return parts.join(QStringLiteral(", "));
}

double RunModel::planFlops(int step) const {
    return step >= 0 && static_cast<std::size_t>(step) < m_stepFlops.size()
               ? m_stepFlops[static_cast<std::size_t>(step)]
               : 0.0;
}

// A run that goes on leaves out the steps before, and computes the text's keys once more in its own first step.
void RunModel::readPlan() {
    const auto flops = [](const Json& value) {
        return value.is_number() ? std::clamp(value.get<double>(), 0.0, kMostFlops) : 0.0;
    };
    m_planFlops = flops(at(m_trace.metadata, {"plan", "total_flops"}));
    const Json steps = at(m_trace.metadata, {"plan", "step_flops"});
    for (std::size_t i = 0; steps.is_array() && i < steps.size(); ++i) {
        m_stepFlops.push_back(flops(steps[i]));
    }
    if (m_firstStep == 0 || m_planFlops <= 0.0) {
        return;
    }
    const auto first = static_cast<std::size_t>(m_firstStep);
    if (first >= m_stepFlops.size()) {
        m_planFlops = 0.0;
        return;
    }
    const double keys = flops(at(m_trace.metadata, {"plan", "text_key_flops"}));
    const auto own = m_stepFlops.begin() + static_cast<std::ptrdiff_t>(first);
    m_planFlops = std::max(0.0, std::accumulate(m_stepFlops.begin(), own, m_planFlops, std::minus<>()) + keys);
    *own = std::min(*own + keys, kMostFlops);
}

std::optional<Json> RunModel::request() const {
    Json request = at(m_trace.metadata, {"request"});
    return request.is_object() ? std::optional(std::move(request)) : std::nullopt;
}

void RunModel::readWhatIf() {
    const Json changes = at(m_trace.metadata, {"request", "what_if"});
    m_whatIf = job::WhatIf();
    if (!changes.is_null()) {
        auto read = job::whatIfFromJson(changes);
        m_whatIf = read ? std::optional(std::move(*read)) : std::nullopt;
    }
    for (std::size_t i = 0; m_whatIf && hasProbes() && i < m_whatIf->changes.size(); ++i) {
        const job::Change& change = m_whatIf->changes[i];
        for (const job::PaintedMask& mask : change.masks) {
            m_painted.push_back({change.fromStep, mask.layer, mask.head, bitsOf(mask, probes())});
        }
    }
}

Json RunModel::methodParameters(int step) const {
    const Json first = at(m_trace.metadata, {"request", "method_parameters"});
    return job::parametersAt(first.is_object() ? first : Json::object(), m_whatIf.value_or(job::WhatIf()), step);
}

const std::vector<std::uint8_t>* RunModel::paintedMask(const Selection& at) const {
    const auto last = std::find_if(m_painted.rbegin(), m_painted.rend(), [&](const Painted& painted) {
        return painted.fromStep <= at.step && painted.layer == at.layer && painted.head == at.head;
    });
    return last == m_painted.rend() ? nullptr : &last->bits;
}

qint64 RunModel::findItem(ProbeKind kind, const trace::ProbeSite& site, int item) const {
    const auto records = m_records.find(kind);
    if (records == m_records.end()) {
        return -1;
    }
    const auto found = records->second.records.find(Key{site.step, site.branch, site.layer, site.head, item});
    return found == records->second.records.end() ? -1 : found->second;
}

qint64 RunModel::find(ProbeKind kind, const Selection& at, bool perHead) const {
    const auto records = m_records.find(kind);
    if (records == m_records.end()) {
        return -1;
    }
    // The first record of this site, whatever its item.
    const auto first = [&](int head) -> qint64 {
        const Key key{at.step, at.branch, at.layer, head, -1};
        const auto found = records->second.records.lower_bound(key);
        if (found == records->second.records.end()) {
            return -1;
        }
        const Key& there = found->first;
        const bool same = there.step == key.step && there.branch == key.branch && there.layer == key.layer &&
                          there.head == key.head;
        return same ? found->second : -1;
    };
    const qint64 own = perHead ? first(at.head) : -1;
    return own >= 0 ? own : first(-1);
}

std::optional<Selection> RunModel::nearest(ProbeKind kind, const Selection& at) const {
    const auto records = m_records.find(kind);
    if (records == m_records.end() || records->second.records.empty()) {
        return std::nullopt;
    }
    std::optional<Selection> best;
    std::array<int, 4> least{};
    for (const auto& [key, record] : records->second.records) {
        const int head = key.head < 0 ? 0 : std::abs(key.head - at.head);
        const std::array<int, 4> distance{std::abs(key.step - at.step), std::abs(key.branch - at.branch),
                                          std::abs(key.layer - at.layer), head};
        if (!best || distance < least) {
            least = distance;
            best = at;
            best->step = key.step;
            best->branch = key.branch;
            best->layer = key.layer;
            best->head = key.head;
        }
    }
    return best;
}

Selection RunModel::kept(ProbeKind kind, const Selection& at) const {
    if (find(kind, at) >= 0) {
        return at;
    }
    const auto near = nearest(kind, at);
    if (!near || near->layer < 0) {
        return at;
    }
    Selection there = *near;
    there.head = there.head < 0 ? at.head : there.head;  // of all heads together
    return there;
}

const std::vector<int>& RunModel::stepsOf(ProbeKind kind) const {
    const auto index = m_records.find(kind);
    return index == m_records.end() ? m_none.steps : index->second.steps;
}

const std::vector<int>& RunModel::layersOf(ProbeKind kind) const {
    const auto index = m_records.find(kind);
    return index == m_records.end() ? m_none.layers : index->second.layers;
}

ModuleCost RunModel::total(std::optional<Module> module) const {
    ModuleCost sum;
    for (const auto& step : m_cost) {
        for (const auto& [which, cost] : step) {
            if (!module || which == *module) {
                sum += cost;
            }
        }
    }
    return sum;
}

std::optional<RunModel::Call> RunModel::call(Module module, int step, int branch, int layer) const {
    const auto found = m_calls.find({static_cast<int>(module), step, branch, layer});
    return found == m_calls.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace fw::ui
