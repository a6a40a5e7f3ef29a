#include "core/pipeline/attention_summary.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace fw::pipeline {

namespace {

double meanDistance(const std::vector<double>& mass, std::int64_t from) {
    double sum = 0.0;
    for (std::size_t i = 0; i < mass.size(); ++i) {
        sum += mass[i] * static_cast<double>(std::abs(static_cast<std::int64_t>(i) - from));
    }
    return sum;
}

float ratio(double sum, std::int64_t count) {
    return count == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(count));
}

}  // namespace

AttentionSummary::AttentionSummary(const trace::ProbeInfo& info)
    : m_info(info),
      m_blocks(info.blocks()),
      m_map(static_cast<std::size_t>(info.blockCount() * info.blockCount())),
      m_asked(static_cast<std::size_t>(info.blockCount())),
      m_columns(static_cast<std::size_t>(info.tokens())),
      m_byTime(static_cast<std::size_t>(info.grid[0])),
      m_byHeight(static_cast<std::size_t>(info.grid[1])),
      m_byWidth(static_cast<std::size_t>(info.grid[2])) {}

void AttentionSummary::add(std::int64_t query, std::span<const float> row, float entropy) {
    FW_CHECK(row.size() == m_columns.size(), "a row of {} keys, {} tokens", row.size(), m_columns.size());
    std::fill(m_byTime.begin(), m_byTime.end(), 0.0);
    std::fill(m_byHeight.begin(), m_byHeight.end(), 0.0);
    std::fill(m_byWidth.begin(), m_byWidth.end(), 0.0);
    const std::int64_t block = m_info.blockOf(query);
    double* map = m_map.data() + block * m_info.blockCount();
    const float* mass = row.data();
    double* column = m_columns.data();
    for (std::int64_t t = 0; t < m_info.grid[0]; ++t) {
        for (std::int64_t h = 0; h < m_info.grid[1]; ++h) {
            double* line = map + (t / m_info.pool[0] * m_blocks[1] + h / m_info.pool[1]) * m_blocks[2];
            double all = 0.0;
            for (std::int64_t w = 0; w < m_info.grid[2];) {
                const std::int64_t end = std::min(w + m_info.pool[2], m_info.grid[2]);
                double sum = 0.0;
                for (; w < end; ++w, ++mass, ++column) {
                    const auto value = static_cast<double>(*mass);
                    *column += value;
                    m_byWidth[static_cast<std::size_t>(w)] += value;
                    sum += value;
                }
                *line++ += sum;
                all += sum;
            }
            m_byTime[static_cast<std::size_t>(t)] += all;
            m_byHeight[static_cast<std::size_t>(h)] += all;
        }
    }
    ++m_asked[static_cast<std::size_t>(block)];
    ++m_rows;
    const std::int64_t t = query / (m_info.grid[1] * m_info.grid[2]);
    m_sums[trace::kEntropy] += static_cast<double>(entropy);
    m_sums[trace::kTimeDistance] += meanDistance(m_byTime, t);
    m_sums[trace::kHeightDistance] += meanDistance(m_byHeight, query / m_info.grid[2] % m_info.grid[1]);
    m_sums[trace::kWidthDistance] += meanDistance(m_byWidth, query % m_info.grid[2]);
    m_sums[trace::kOwnFrame] += m_byTime[static_cast<std::size_t>(t)];
}

void AttentionSummary::addKept(const ExecutedMask& mask, std::int64_t head, std::int64_t query,
                               std::span<const float> row) {
    const auto tiles = static_cast<std::size_t>(mask.tileCount());
    m_kept.resize(tiles);
    m_keptRows.resize(tiles);
    const auto tile = static_cast<std::size_t>(mask.tileOf(head, query));
    m_kept[tile] += mask.keptMass(head, query, row);
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
    means[trace::kSink] = ratio(*std::max_element(m_columns.begin(), m_columns.end()), m_rows);
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
