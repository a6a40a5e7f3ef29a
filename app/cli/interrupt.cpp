#include "app/cli/interrupt.h"

#include <array>
#include <atomic>
#include <csignal>

#include "core/base/check.h"

namespace fw::cli {

namespace {

constexpr std::array<int, 3> kStopSignals{SIGINT, SIGTERM, SIGHUP};

// A handler gets no argument of ours, so this one address has to be static. Lock-free, hence safe in a handler.
std::atomic<CancelSource*> activeSource{nullptr};
static_assert(std::atomic<CancelSource*>::is_always_lock_free);

extern "C" void onStopSignal(int) {
    if (CancelSource* source = activeSource.load()) {
        source->cancel();
    }
}

void setHandler(int signal, void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
    CancelSource* none = nullptr;
    FW_CHECK(activeSource.compare_exchange_strong(none, &m_source), "a second Interrupt");
    for (const int signal : kStopSignals) {
        setHandler(signal, onStopSignal,
                   static_cast<int>(SA_RESETHAND | SA_RESTART));  // the second one is the default
    }
    setHandler(SIGPIPE, SIG_IGN, 0);
    setHandler(SIGXFSZ, SIG_IGN, 0);
}

Interrupt::~Interrupt() {
    for (const int signal : kStopSignals) {
        setHandler(signal, SIG_DFL, 0);
    }
    activeSource.store(nullptr);
}

}  // namespace fw::cli
