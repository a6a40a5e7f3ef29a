// Splits [batch, rows] of a row-wise kernel into tasks for the threads.
#pragma once

#include <algorithm>

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

namespace fw::kernels::cpu {

// Calls body(batch, firstRow, lastRow) so that a task touches about 16k elements.
template <class Body>
void forRows(const RowExtents& extents, int threads, const Body& body) {
    constexpr std::int64_t kElementsPerTask = 16384;
    const std::int64_t perTask =
        std::max<std::int64_t>(1, kElementsPerTask / std::max<std::int64_t>(1, extents.channels));
    const std::int64_t tasksPerBatch = (extents.rows + perTask - 1) / perTask;
    parallelFor(extents.batch * tasksPerBatch, threads, [&](std::int64_t task, int) {
        const std::int64_t batch = task / tasksPerBatch;
        const std::int64_t first = task % tasksPerBatch * perTask;
        body(batch, first, std::min(first + perTask, extents.rows));
    });
}

// Calls body(first, last) over [0, count) in spans of 16k elements.
template <class Body>
void forSpans(std::int64_t count, int threads, const Body& body) {
    constexpr std::int64_t kSpan = 16384;
    parallelFor((count + kSpan - 1) / kSpan, threads,
                [&](std::int64_t task, int) { body(task * kSpan, std::min((task + 1) * kSpan, count)); });
}

template <class T>
const T* rowOf(const ConstRows& rows, std::int64_t batch, std::int64_t row) {
    return static_cast<const T*>(rows.data) + batch * rows.batchStride + row * rows.rowStride;
}
template <class T>
T* rowOf(const Rows& rows, std::int64_t batch, std::int64_t row) {
    return static_cast<T*>(rows.data) + batch * rows.batchStride + row * rows.rowStride;
}

}  // namespace fw::kernels::cpu
