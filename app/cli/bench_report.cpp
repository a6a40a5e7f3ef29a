#include "app/cli/bench_report.h"

#include <algorithm>
#include <chrono>

#include "core/base/check.h"

namespace fw::cli {

double Samples::median() const {
    FW_CHECK(!seconds.empty());
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}

double Samples::fastest() const {
    return *std::min_element(seconds.begin(), seconds.end());
}
double Samples::slowest() const {
    return *std::max_element(seconds.begin(), seconds.end());
}

Result<double> timed(const std::function<Status()>& body) {
    const auto start = std::chrono::steady_clock::now();
    FW_TRY(body());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

OrderedJson toJson(const Samples& samples, std::int64_t flops) {
    return {{"median_seconds", samples.median()},
            {"fastest_seconds", samples.fastest()},
            {"slowest_seconds", samples.slowest()},
            {"repeats", samples.seconds.size()},
            {"gflops_per_second", static_cast<double>(flops) / samples.median() * 1e-9}};
}

}  // namespace fw::cli
