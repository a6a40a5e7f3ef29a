#include "core/pipeline/attention_summary.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace fw::pipeline {

namespace {

double meanDistance(std::span<const float> mass, std::int64_t from) {
    double sum = 0.0;
    for (std::size_t i = 0; i < mass.size(); ++i) {
        sum += static_cast<double>(mass[i]) * static_cast<double>(std::abs(static_cast<std::int64_t>(i) - from));
    }
    return sum;
}

float ratio(double sum, std::int64_t count) {
    return count == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(count));
}

}  // namespace

AttentionSummary::AttentionSummary(const trace::ProbeInfo& info)
    : m_info(info),
      m_map(static_cast<std::size_t>(info.blockCount() * info.blockCount())),
      m_asked(static_cast<std::size_t>(info.blockCount())) {}

std::int64_t AttentionSummary::sumCount(const trace::ProbeInfo& info) {
    return info.blockCount() + info.grid[0] + info.grid[1] + info.grid[2];
}

void AttentionSummary::add(std::int64_t query, std::span<const float> sums, float entropy) {
    FW_CHECK(static_cast<std::int64_t>(sums.size()) == sumCount(m_info), "{} sums", sums.size());
    const auto [frames, height, width] = m_info.grid;
    const auto part = [&](std::int64_t first, std::int64_t count) {
        return sums.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    };
    const std::int64_t block = m_info.blockOf(query), blocks = m_info.blockCount();
    double* map = m_map.data() + block * blocks;
    for (std::int64_t i = 0; i < blocks; ++i) {
        map[i] += static_cast<double>(sums[static_cast<std::size_t>(i)]);
    }
    ++m_asked[static_cast<std::size_t>(block)];
    ++m_rows;
    const std::int64_t t = query / (height * width);
    const auto byFrame = part(blocks, frames);
    m_sums[trace::kEntropy] += static_cast<double>(entropy);
    m_sums[trace::kTimeDistance] += meanDistance(byFrame, t);
    m_sums[trace::kHeightDistance] += meanDistance(part(blocks + frames, height), query / width % height);
    m_sums[trace::kWidthDistance] += meanDistance(part(blocks + frames + height, width), query % width);
    m_sums[trace::kOwnFrame] += static_cast<double>(byFrame[static_cast<std::size_t>(t)]);
}

void AttentionSummary::setColumns(std::span<const float> columns) {
    FW_CHECK(static_cast<std::int64_t>(columns.size()) == m_info.tokens(), "{} keys, {} tokens", columns.size(),
             m_info.tokens());
    m_sink = static_cast<double>(*std::max_element(columns.begin(), columns.end()));
}

void AttentionSummary::addKept(const ExecutedMask& mask, std::int64_t head, std::int64_t query, float mass) {
    const auto tiles = static_cast<std::size_t>(mask.tileCount());
    m_kept.resize(tiles);
    m_keptRows.resize(tiles);
    const auto tile = static_cast<std::size_t>(mask.tileOf(head, query));
    m_kept[tile] += static_cast<double>(mass);
    ++m_keptRows[tile];
}

std::vector<float> AttentionSummary::map() const {
    std::vector<float> map(m_map.size());
    const std::size_t blocks = m_asked.size();
    for (std::size_t i = 0; i < map.size(); ++i) {
        map[i] = ratio(m_map[i], m_asked[i / blocks]);
    }
    return map;
}

std::array<float, trace::kHeadStatistics> AttentionSummary::statistics() const {
    std::array<float, trace::kHeadStatistics> means{};
    for (std::size_t i = 0; i < means.size(); ++i) {
        means[i] = ratio(m_sums[i], m_rows);
    }
    means[trace::kSink] = ratio(m_sink, m_rows);
    return means;
}

std::vector<float> AttentionSummary::keptMass() const {
    std::vector<float> kept(m_kept.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
        kept[i] = ratio(m_kept[i], m_keptRows[i]);
    }
    return kept;
}

}  // namespace fw::pipeline
