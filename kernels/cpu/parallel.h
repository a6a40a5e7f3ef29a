// The one place where kernels start threads. OpenMP, because oneDNN uses it too: one pool of threads, not two.
#pragma once

#include <omp.h>

#include <cstdint>

#if defined(__SANITIZE_THREAD__)
// libgomp is not instrumented; these tell ThreadSanitizer about the fork and the join of a parallel region.
extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

namespace fw::kernels::cpu {

// Calls body(task, worker) for task in [0, tasks), dynamically scheduled; worker in [0, threads).
template <class Body>
void parallelFor(std::int64_t tasks, int threads, const Body& body) {
    if (tasks <= 1 || threads <= 1) {
        for (std::int64_t task = 0; task < tasks; ++task) {
            body(task, 0);
        }
        return;
    }
#if defined(__SANITIZE_THREAD__)
    char fork = 0;
    char join = 0;
    __tsan_release(&fork);
#endif
#pragma omp parallel num_threads(threads)
    {
#if defined(__SANITIZE_THREAD__)
        __tsan_acquire(&fork);
#endif
        const int worker = omp_get_thread_num();
#pragma omp for schedule(dynamic)
        for (std::int64_t task = 0; task < tasks; ++task) {
            body(task, worker);
        }
#if defined(__SANITIZE_THREAD__)
        __tsan_release(&join);
#endif
    }
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(&join);
#endif
}

}  // namespace fw::kernels::cpu
