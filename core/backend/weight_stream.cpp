#include "core/backend/weight_stream.h"

#include <algorithm>
#include <numeric>

#include "core/base/check.h"

namespace fw::backend {

Status WeightStream::park(PackedLinear& matrix, int group) {
    const int groups = static_cast<int>(m_groupBytes.size());
    FW_CHECK(group >= 0 && (group == groups || group == groups - 1), "group {} behind {}", group, groups);
    if (group == groups) {
        m_groupBytes.push_back(0);
    }
    std::int64_t& bytes = m_groupBytes.back();
    FW_ASSIGN(const std::int64_t taken, takeOut(matrix, group, bytes));
    bytes += (taken + kAlignment - 1) / kAlignment * kAlignment;
    return {};
}

Status WeightStream::settle() {
    FW_CHECK(!m_groupBytes.empty(), "a stream of no weights");
    return makePlaces(*std::max_element(m_groupBytes.begin(), m_groupBytes.end()));
}

void WeightStream::fetchIfAbsent(int group) {
    const int place = group % kPlaces;
    int& held = m_held[static_cast<std::size_t>(place)];
    if (held != group) {
        fetch(group, place);
        held = group;
        ++m_copies;
    }
}

Status WeightStream::begin(int group) {
    const int groups = static_cast<int>(m_groupBytes.size());
    FW_CHECK(m_begun == -1 && group >= 0 && group < groups, "group {} of {} while {} is in use", group, groups,
             m_begun);
    fetchIfAbsent(group);
    if (group + 1 < groups) {
        fetchIfAbsent(group + 1);
    }
    await(group % kPlaces);
    if (Status failed = takeFailure(); !failed) {
        m_held.fill(-1);
        return failed;
    }
    m_begun = group;
    return {};
}

void WeightStream::end(int group) {
    FW_CHECK(m_begun == group, "group {} ends while {} is in use", group, m_begun);
    m_begun = -1;
    leave(group % kPlaces);
}

std::int64_t WeightStream::deviceBytes() const {
    return m_groupBytes.empty() ? 0 : kPlaces * *std::max_element(m_groupBytes.begin(), m_groupBytes.end());
}

std::int64_t WeightStream::hostBytes() const {
    return std::accumulate(m_groupBytes.begin(), m_groupBytes.end(), std::int64_t{0});
}

}  // namespace fw::backend
