// A trace as the inspector asks it: opened once, indexed, and then only read.
#pragma once

#include <QString>
#include <QStringList>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/job/what_if.h"
#include "core/trace/trace.h"

namespace fw::ui {

// Where the views look. Every view shows this place, and a click in one moves all.
struct Selection {
    int step = 0, branch = 0, layer = 0, head = 0;
    int token = -1;  // -1: none chosen yet
    int word = -1;   // of the prompt; -1: none

    bool operator==(const Selection&) const = default;
};

// What one module cost in one step (or outside the steps), without the modules inside it.
struct ModuleCost {
    qint64 durationUs = 0, flops = 0, bytes = 0;
    int calls = 0, stoodIn = 0;  // of the calls, those a step cache answered

    void operator+=(const ModuleCost& other);
};

class RunModel {
 public:
    explicit RunModel(trace::Trace trace, QString file);
    // Reads and checks the file; blocking. Errors name it and say what is wrong.
    [[nodiscard]] static Result<std::shared_ptr<const RunModel>> open(const QString& file);

    [[nodiscard]] const QString& file() const { return m_file; }
    [[nodiscard]] const trace::Trace& trace() const { return m_trace; }
    [[nodiscard]] const trace::ProbeInfo& probes() const { return m_trace.probes.info; }
    [[nodiscard]] bool hasProbes() const { return m_trace.probes.isPresent(); }
    // nullptr: none were kept.
    [[nodiscard]] const trace::ProbeTable* table(trace::ProbeKind kind) const;

    // --- sizes, from the rows and from the probes; at least 1
    [[nodiscard]] int steps() const { return m_steps; }
    [[nodiscard]] int branches() const { return m_branches; }
    [[nodiscard]] int layers() const { return m_layers; }
    [[nodiscard]] int heads() const { return m_heads; }
    // Tokens of the latent: frames, rows, columns; zeros when the file does not say.
    [[nodiscard]] std::array<int, 3> grid() const { return m_grid; }
    [[nodiscard]] int tokens() const { return m_grid[0] * m_grid[1] * m_grid[2]; }

    // --- what the run was
    [[nodiscard]] QString prompt() const;
    [[nodiscard]] QString method() const;  // "salad"
    [[nodiscard]] QString cache() const;   // "none"
    // "salad, cache pab, 12 steps, seed 7, mini": for captions.
    [[nodiscard]] QString settings() const;
    [[nodiscard]] QString device() const;
    // The first step this trace holds calls of; above 0 where a run went on from another's steps.
    [[nodiscard]] int firstStep() const { return m_firstStep; }
    // A sentence that says so; empty: it holds them all.
    [[nodiscard]] QString beginning() const;
    // Of the steps that this run took, and of one of them; 0: unknown.
    [[nodiscard]] double planFlops() const { return m_planFlops; }
    [[nodiscard]] double planFlops(int step) const;
    // The request as the worker got it; nothing in traces that lack it.
    [[nodiscard]] std::optional<Json> request() const;
    // What was changed by hand; nothing: it cannot be read.
    [[nodiscard]] const std::optional<job::WhatIf>& whatIf() const { return m_whatIf; }
    // The settings of the attention method as this step had them.
    [[nodiscard]] Json methodParameters(int step) const;
    // The mask that was painted over the head `at` and held at its step, bits as in records of masks; nullptr: none
    // was. Empty: its tiles are not those of this trace's masks.
    [[nodiscard]] const std::vector<std::uint8_t>* paintedMask(const Selection& at) const;

    // --- records: -1 when there is none
    // Of the head `at`, or of all heads together where there is none of its own or not `perHead`.
    [[nodiscard]] qint64 find(trace::ProbeKind kind, const Selection& at, bool perHead = true) const;
    [[nodiscard]] qint64 findItem(trace::ProbeKind kind, const trace::ProbeSite& site, int item) const;
    // The step that has records of `kind` and lies nearest to `at`, likewise layer, branch and head: the views show
    // what there is and say where it was taken. Nothing without records.
    [[nodiscard]] std::optional<Selection> nearest(trace::ProbeKind kind, const Selection& at) const;
    // `at` where there is a record of one head, else the nearest place that has one; `at` again when none has.
    [[nodiscard]] Selection kept(trace::ProbeKind kind, const Selection& at) const;
    // Distinct values of the records' steps and layers, ascending.
    [[nodiscard]] const std::vector<int>& stepsOf(trace::ProbeKind kind) const;
    [[nodiscard]] const std::vector<int>& layersOf(trace::ProbeKind kind) const;

    // --- cost: [step + 1][module], the first of what lies outside the steps
    [[nodiscard]] const std::vector<std::map<trace::Module, ModuleCost>>& cost() const { return m_cost; }
    [[nodiscard]] ModuleCost total(std::optional<trace::Module> module) const;

    // --- cache: what a module of (step, branch, layer) did; nothing where it has no row
    struct Call {
        trace::Source source = trace::Source::Computed;
        qint64 durationUs = 0;
    };
    [[nodiscard]] std::optional<Call> call(trace::Module module, int step, int branch, int layer) const;
    [[nodiscard]] bool hasStandIns() const { return m_standIns; }

 private:
    struct Key {
        int step, branch, layer, head, item;
        auto operator<=>(const Key&) const = default;
    };

    // Of one kind of probe.
    struct Index {
        std::map<Key, qint64> records;
        std::vector<int> steps, layers;
    };

    void measure();
    void indexProbes();
    void readGrid();
    void readPlan();
    void readWhatIf();
    void addCost();

    QString m_file;
    trace::Trace m_trace;
    int m_firstStep = 0;
    double m_planFlops = 0.0;
    std::vector<double> m_stepFlops;
    int m_steps = 1, m_branches = 1, m_layers = 1, m_heads = 1;
    std::array<int, 3> m_grid{};
    bool m_standIns = false;
    std::vector<std::map<trace::Module, ModuleCost>> m_cost;
    std::map<std::array<int, 4>, Call> m_calls;  // module, step, branch, layer
    std::map<trace::ProbeKind, Index> m_records;
    Index m_none;
    std::optional<job::WhatIf> m_whatIf;
    struct Painted {
        int fromStep = 0, layer = 0, head = 0;
        std::vector<std::uint8_t> bits;
    };
    std::vector<Painted> m_painted;  // by rising step
};

// A module in the user's language: "Self-attention".
[[nodiscard]] QString moduleTitle(trace::Module module);

}  // namespace fw::ui
