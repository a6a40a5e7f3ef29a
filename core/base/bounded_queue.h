// A bounded queue between one stage of a pipeline and the next.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace fw {

// Many producers, many consumers. Two ways to end it:
//   close(): no more items will come; consumers drain what is left, then pop() returns nothing.
//   abort(): drop everything; blocked producers and consumers return at once.
template <class T>
class BoundedQueue {
 public:
    explicit BoundedQueue(std::size_t capacity) : m_capacity(capacity) {}

    // Waits for room. False when the queue was closed or aborted; the item is then dropped.
    bool push(T item) {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_closed || m_items.size() < m_capacity; });
        if (m_closed) {
            return false;
        }
        m_items.push_back(std::move(item));
        m_changed.notify_all();
        return true;
    }

    // Waits for an item. Nothing once the queue is closed and empty, or aborted.
    std::optional<T> pop() {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_closed || !m_items.empty(); });
        if (m_items.empty()) {
            return std::nullopt;
        }
        T item = std::move(m_items.front());
        m_items.pop_front();
        m_changed.notify_all();
        return item;
    }

    void close() {
        const std::scoped_lock lock(m_mutex);
        m_closed = true;
        m_changed.notify_all();
    }

    void abort() {
        const std::scoped_lock lock(m_mutex);
        m_closed = true;
        m_items.clear();
        m_changed.notify_all();
    }

 private:
    const std::size_t m_capacity;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<T> m_items;
    bool m_closed = false;
};

}  // namespace fw
