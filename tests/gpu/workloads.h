// Pieces of work a benchmark asks for by name: operands on the GPU, ready to be queued again and again.
#pragma once

#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/backend/arena.h"
#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/method/attention_method.h"

namespace fw::gpu {

// The first GPU with its queue and what is allocated on it.
class Bench {
 public:
    [[nodiscard]] static Result<std::unique_ptr<Bench>> create();

    [[nodiscard]] backend::Device& device() { return *m_device; }
    [[nodiscard]] backend::Ops& ops() { return *m_ops; }
    // Random numbers of about unit variance, kept until the end of the workload.
    [[nodiscard]] Result<TensorView> random(DType dtype, const Shape& shape, double scale = 1.0);
    // Device memory for results, kept likewise.
    [[nodiscard]] Result<TensorView> empty(DType dtype, const Shape& shape);
    [[nodiscard]] Result<std::unique_ptr<backend::PackedLinear>> randomLinear(std::int64_t in, std::int64_t out,
                                                                              DType stored = DType::BF16);
    // Gives back everything since the last call. What follows draws the same numbers again.
    void clear() {
        m_tensors.clear();
        m_seed = 1;
    }

 private:
    std::unique_ptr<backend::Device> m_device;
    std::unique_ptr<backend::Ops> m_ops;
    std::vector<backend::OwnedTensor> m_tensors;
    std::uint64_t m_seed = 1;
};

class Workload {
 public:
    virtual ~Workload() = default;
    // Queues the work once.
    [[nodiscard]] virtual Status run() = 0;
    [[nodiscard]] virtual Status synchronize() = 0;
    // The result of the last run, on the host, f32; for comparisons.
    [[nodiscard]] virtual Result<std::vector<float>> result(Shape& shape) = 0;
};

// From the words of a command (see gpu_bench.cpp). InvalidArgument for a command nobody knows.
[[nodiscard]] Result<std::unique_ptr<Workload>> makeWorkload(Bench& bench, std::istringstream& words);

}  // namespace fw::gpu
