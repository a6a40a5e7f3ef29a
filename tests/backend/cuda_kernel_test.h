// What tests of single kernels share: the CUDA library, a queue on its first device, memory that goes with the
// test.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/backend/cuda_library.h"

namespace fw::backend {

// Of one kernel by name, which a device may have no instructions for. Skipped without a device.
template <class Kernel>
class CudaKernelTest : public ::testing::TestWithParam<Kernel> {
 protected:
    void SetUp() override {
        auto library = CudaLibrary::open();
        ASSERT_TRUE(library) << library.error().message;
        m_library = *library;
        std::int32_t count = 0;
        if (api().deviceCount(&count, &m_message) != kernels::cuda::Code::Ok) {
            GTEST_SKIP() << m_message.text;
        }
        ASSERT_EQ(api().createQueue(0, &m_queue, &m_message), kernels::cuda::Code::Ok) << m_message.text;
    }
    void TearDown() override {
        for (void* data : m_memory) {
            api().release(0, data);
        }
        api().destroyQueue(m_queue);
    }

    const kernels::cuda::Api& api() const { return m_library->api(); }

    template <class T>
    T* onDevice(const std::vector<T>& host) {
        void* data = nullptr;
        const auto bytes = static_cast<std::int64_t>(host.size() * sizeof(T));
        EXPECT_EQ(api().allocate(0, bytes, &data, &m_message), kernels::cuda::Code::Ok) << m_message.text;
        EXPECT_EQ(api().upload(m_queue, host.data(), data, bytes), kernels::cuda::Code::Ok);
        m_memory.push_back(data);
        return static_cast<T*>(data);
    }

    std::shared_ptr<const CudaLibrary> m_library;
    kernels::cuda::Queue* m_queue = nullptr;
    kernels::cuda::Message m_message{};
    std::vector<void*> m_memory;
};

}  // namespace fw::backend
