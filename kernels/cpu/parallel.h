// The one place where kernels start threads. OpenMP, because oneDNN uses it too: one pool of threads, not two.
#pragma once

#include <cstdint>

#if defined(__SANITIZE_THREAD__)
#include <atomic>
#include <thread>
#include <vector>
#else
#include <omp.h>
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
    // ThreadSanitizer cannot see into libgomp, whose every fork it takes for a race: threads it knows do the same
    // work.
    std::atomic<std::int64_t> next = 0;
    const auto work = [&](int worker) {
        for (std::int64_t task = next++; task < tasks; task = next++) {
            body(task, worker);
        }
    };
    std::vector<std::thread> team;
    for (int worker = 1; worker < threads; ++worker) {
        team.emplace_back(work, worker);
    }
    work(0);
    for (std::thread& thread : team) {
        thread.join();
    }
#else
#pragma omp parallel num_threads(threads)
    {
        const int worker = omp_get_thread_num();
#pragma omp for schedule(dynamic)
        for (std::int64_t task = 0; task < tasks; ++task) {
            body(task, worker);
        }
    }
#endif
}

}  // namespace fw::kernels::cpu
