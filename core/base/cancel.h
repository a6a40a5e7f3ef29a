// Cooperative cancellation. A CancelSource owns the decision; CancelTokens are cheap copies that ask about it.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "core/base/result.h"

namespace fw {

// Thread-safe. A default-constructed token is never cancelled.
class CancelToken {
 public:
    CancelToken() = default;

    [[nodiscard]] bool isCancelled() const { return m_flag && m_flag->load(std::memory_order_relaxed); }

    // ErrorCode::Cancelled once the source was cancelled. Long loops call this at least once per layer.
    [[nodiscard]] Status check() const {
        if (isCancelled()) {
            return fail(ErrorCode::Cancelled, "cancelled");
        }
        return {};
    }

 private:
    friend class CancelSource;
    explicit CancelToken(std::shared_ptr<const std::atomic<bool>> flag) : m_flag(std::move(flag)) {}

    std::shared_ptr<const std::atomic<bool>> m_flag;
};

// cancel() may be called from any thread and, because it only stores to a lock-free atomic, from a signal handler.
class CancelSource {
 public:
    CancelSource() : m_flag(std::make_shared<std::atomic<bool>>(false)) {}

    void cancel() noexcept { m_flag->store(true, std::memory_order_relaxed); }
    [[nodiscard]] CancelToken token() const { return CancelToken(m_flag); }

 private:
    std::shared_ptr<std::atomic<bool>> m_flag;
};

}  // namespace fw
