// What happened inside a run: one row per module call, and what its probes saw. Written as one safetensors file
// (trace_file.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/trace/probe_data.h"

namespace fw::trace {

// Modules timed inside a step. Names in files: the enumerators in snake_case.
enum class Module : std::uint8_t {
    TextEncoder,
    Embeddings,
    SelfAttention,
    AttentionCore,
    CrossAttention,
    FeedForward,
    Output,
    Guidance,
    Sampler,
    Preview,
    VaeDecode,
    VaeEncode,
    Blocks,  // a step cache standing in for all blocks or a whole pass, or keeping what they gave (Computed)
    Probe,   // the reading of probes; no part of the rows around it
};

// Where a module's result came from.
enum class Source : std::uint8_t { Computed, Reused, Predicted };

struct Row {
    std::int32_t step = -1;   // -1: outside the denoising loop
    std::int32_t branch = 0;  // 0 conditional, 1 unconditional
    std::int32_t layer = -1;  // -1: not in a layer
    Module module = Module::Embeddings;
    std::int64_t startUs = 0;  // since the trace began
    std::int64_t durationUs = 0;
    std::int64_t flops = 0;
    std::int64_t bytes = 0;
    // Self-attention inside the module: (query, key) pairs computed and those of dense attention, and the same in
    // tiles of 64 x 64; 0 where there is none.
    std::int64_t pairs = 0, densePairs = 0;
    std::int64_t tiles = 0, denseTiles = 0;
    Source source = Source::Computed;  // anything else: a step cache stood in
};

// Collects rows of one run. Used by one thread.
class Trace {
 public:
    void add(const Row& row) { m_rows.push_back(row); }
    [[nodiscard]] const std::vector<Row>& rows() const { return m_rows; }

    // Free-form description written into the file's metadata: request, plan, versions, device.
    Json metadata = Json::object();
    std::int64_t originUs = 0;  // Ops::timestampUs() when the trace began
    ProbeData probes;

 private:
    std::vector<Row> m_rows;
};

}  // namespace fw::trace
