// What the CPU's products and convolutions share around oneDNN 2. Internal to the back-end: no other file may
// depend on oneDNN, whose interface changes with version 3.
#pragma once

#include <dnnl.hpp>
#include <mutex>
#include <new>
#include <type_traits>
#include <vector>

#include "core/base/result.h"
#include "core/tensor/dtype.h"

namespace fw::backend {

// Runs `call` and turns what oneDNN throws into an Error naming `what`.
template <class Call>
[[nodiscard]] auto guarded(const char* what, const Call& call) -> Result<decltype(call())> {
    try {
        if constexpr (std::is_void_v<decltype(call())>) {
            call();
            return {};
        } else {
            return call();
        }
    } catch (const dnnl::error& error) {
        const bool memory = error.status == dnnl_out_of_memory;
        const bool unsupported = error.status == dnnl_unimplemented;
        return fail(memory        ? ErrorCode::OutOfMemory
                    : unsupported ? ErrorCode::Unsupported
                                  : ErrorCode::Internal,
                    "{}: oneDNN reports \"{}\" (status {})", what, error.what(), static_cast<int>(error.status));
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "{}: no memory left", what);
    }
}

// Weights in the layouts primitives ask for. The first is made when packing; a primitive of another shape that
// wants another layout adds one. Thread-safe: one packed weight may serve several queues.
class WeightLayouts {
 public:
    void add(dnnl::memory memory) { m_variants.push_back(std::move(memory)); }
    // Throws dnnl::error.
    [[nodiscard]] dnnl::memory inLayout(const dnnl::memory::desc& layout, const dnnl::engine& engine,
                                        dnnl::stream& stream);
    [[nodiscard]] std::int64_t bytes();

 private:
    std::mutex m_mutex;
    std::vector<dnnl::memory> m_variants;
};

// Gives oneDNN the queue's number of threads and the caller its own back.
class ThreadScope {
 public:
    explicit ThreadScope(int threads);
    ~ThreadScope();
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;

 private:
    int m_before;
};

[[nodiscard]] dnnl::memory::data_type dnnlType(DType dtype);
// Scratchpads are supplied with every execution: primitives may be made and run in different threads.
[[nodiscard]] dnnl::primitive_attr userScratchpad();
// Whether this processor, under DNNL_MAX_CPU_ISA, multiplies bf16 faster than f32: only with AMX.
[[nodiscard]] bool hasFastBf16();
// Unsupported when weights cannot compute in this type here.
[[nodiscard]] Status checkCompute(const char* op, DType compute);
// OutOfMemory when weights of so many bytes cannot be packed: they exist twice for a moment.
[[nodiscard]] Status checkPacking(const char* what, std::int64_t bytes);

}  // namespace fw::backend
