// Cooperative cancellation. A CancelSource owns the decision; CancelTokens are cheap copies that ask about it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/result.h"

namespace fw {

namespace detail {
struct CancelState {
    std::atomic<bool> cancelled{false};
    std::atomic<std::uint64_t> checks{0};
};
}  // namespace detail

// Thread-safe. A default-constructed token is never cancelled.
class CancelToken {
 public:
    CancelToken() = default;

    [[nodiscard]] bool isCancelled() const { return m_state && m_state->cancelled.load(std::memory_order_relaxed); }

    // ErrorCode::Cancelled once the source was cancelled. Long loops call this at least once per layer, which also
    // shows that they are alive (CancelSource::checks).
    [[nodiscard]] Status check() const {
        if (m_state) {
            m_state->checks.fetch_add(1, std::memory_order_relaxed);
        }
        if (isCancelled()) {
            return fail(ErrorCode::Cancelled, "cancelled");
        }
        return {};
    }

 private:
    friend class CancelSource;
    explicit CancelToken(std::shared_ptr<detail::CancelState> state) : m_state(std::move(state)) {}

    std::shared_ptr<detail::CancelState> m_state;
};

// cancel() may be called from any thread and, because it only stores to a lock-free atomic, from a signal handler.
class CancelSource {
 public:
    CancelSource() : m_state(std::make_shared<detail::CancelState>()) {}

    void cancel() noexcept { m_state->cancelled.store(true, std::memory_order_relaxed); }
    [[nodiscard]] CancelToken token() const { return CancelToken(m_state); }
    // How often tokens were asked: a number that stands still belongs to a loop that does.
    [[nodiscard]] std::uint64_t checks() const { return m_state->checks.load(std::memory_order_relaxed); }

 private:
    std::shared_ptr<detail::CancelState> m_state;
};

}  // namespace fw
