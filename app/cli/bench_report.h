// Repeated measurements and how they are told.
#pragma once

#include <functional>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::cli {

// Seconds of repeated runs, and what is said about them.
struct Samples {
    std::vector<double> seconds;

    [[nodiscard]] double median() const;
    [[nodiscard]] double fastest() const;
    [[nodiscard]] double slowest() const;
};

// Seconds `body` takes, by a monotonic clock.
[[nodiscard]] Result<double> timed(const std::function<Status()>& body);

// {"median_seconds", "fastest_seconds", "slowest_seconds", "repeats", "gflops_per_second"}; `flops` of one run.
[[nodiscard]] OrderedJson toJson(const Samples& samples, std::int64_t flops);

}  // namespace fw::cli
