// What many rows of one head's attention come down to: a pooled map, statistics, kept mass. Plain arithmetic on the
// host.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/pipeline/executed_mask.h"
#include "core/trace/probe_data.h"

namespace fw::pipeline {

class AttentionSummary {
 public:
    // `info` outlives the object.
    explicit AttentionSummary(const trace::ProbeInfo& info);

    // The length of what add() takes.
    [[nodiscard]] static std::int64_t sumCount(const trace::ProbeInfo& info);
    // The sums of a query's softmax row as Ops::rowSums() makes them, and the row's entropy in nats.
    void add(std::int64_t query, std::span<const float> sums, float entropy);
    // Sums over all rows that were or will be added, by key [N].
    void setColumns(std::span<const float> columns);
    // The share of a query's row that `mask` kept for this head, as Ops::keptMass() sums it.
    void addKept(const ExecutedMask& mask, std::int64_t head, std::int64_t query, float mass);

    // [B, B]: mean of the rows added for each pooled block of queries. A block without any has zeros.
    [[nodiscard]] std::vector<float> map() const;
    // Means over the rows added, in the order of trace::HeadStatistic.
    [[nodiscard]] std::array<float, trace::kHeadStatistics> statistics() const;
    // [tiles]: means over the rows added for each tile.
    [[nodiscard]] std::vector<float> keptMass() const;

 private:
    const trace::ProbeInfo& m_info;
    std::vector<double> m_map;          // [B, B]
    std::vector<std::int64_t> m_asked;  // [B]
    double m_sink = 0.0;                // the largest mass on a key
    std::array<double, trace::kHeadStatistics> m_sums{};
    std::int64_t m_rows = 0;
    std::vector<double> m_kept;  // [tiles]
    std::vector<std::int64_t> m_keptRows;
};

}  // namespace fw::pipeline
