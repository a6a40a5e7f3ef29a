// The CUDA engine's library: opened where it is, and a sentence where it is not. Holds with and without a GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/backend/cuda_ops.h"
#include "core/backend/device.h"
#include "core/backend/ops.h"

namespace fw::backend {
namespace {

using ::testing::HasSubstr;

// Points the loader at a file for the length of a test.
class ChosenLibrary {
 public:
    explicit ChosenLibrary(const char* file) {
        if (const char* before = std::getenv(kVariable)) {
            m_before = before;
        }
        setenv(kVariable, file, 1);
    }
    ~ChosenLibrary() {
        if (m_before.empty()) {
            unsetenv(kVariable);
        } else {
            setenv(kVariable, m_before.c_str(), 1);
        }
    }
    ChosenLibrary(const ChosenLibrary&) = delete;
    ChosenLibrary& operator=(const ChosenLibrary&) = delete;

 private:
    static constexpr const char* kVariable = "FW_CUDA_LIBRARY";
    std::string m_before;
};

BackendEntry cudaEntry() {
    for (BackendEntry& entry : createBackends()) {
        if (entry.name == "cuda") {
            return std::move(entry);
        }
    }
    return {};
}

TEST(CudaBackend, ThereAreDevicesOrASentence) {
    const BackendEntry entry = cudaEntry();
    ASSERT_EQ(entry.name, "cuda");
    ASSERT_FALSE(entry.status.empty());
    if (entry.devices.empty()) {
        EXPECT_NE(entry.status, "ok");
        const auto refused = createDevice("cuda:0");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
        EXPECT_THAT(refused.error().message, HasSubstr(entry.status));
        EXPECT_EQ(createDevice("auto").value()->info().kind, DeviceKind::Cpu);
        return;
    }
    const DeviceInfo info = entry.devices[0]->info();
    EXPECT_EQ(info.kind, DeviceKind::Cuda);
    EXPECT_EQ(info.id, "cuda:0");
    EXPECT_GT(info.freeBytes, 0);
    EXPECT_EQ(createDevice("auto").value()->info().id, "cuda:0");
    const auto tooMuch = entry.devices[0]->allocate(std::int64_t{1} << 50);
    ASSERT_FALSE(tooMuch);
    EXPECT_EQ(tooMuch.error().code, ErrorCode::OutOfMemory);
    EXPECT_THAT(tooMuch.error().message, HasSubstr(std::to_string(std::int64_t{1} << 50)));
}

TEST(CudaBackend, AMissingLibraryIsNamed) {
    const ChosenLibrary library("/nowhere/libfw_cuda.so");
    const BackendEntry entry = cudaEntry();
    EXPECT_TRUE(entry.devices.empty());
    EXPECT_THAT(entry.status, HasSubstr("/nowhere/libfw_cuda.so"));
    EXPECT_EQ(createDevice("auto").value()->info().kind, DeviceKind::Cpu);
}

TEST(CudaBackend, ALibraryOfSomebodyElseIsRefused) {
    const ChosenLibrary library("libm.so.6");
    const BackendEntry entry = cudaEntry();
    EXPECT_TRUE(entry.devices.empty());
    EXPECT_THAT(entry.status, HasSubstr("not Framewright's"));
}

TEST(CudaBackend, WeightsOfAnUnsupportedTypeAreAnError) {
    BackendEntry entry = cudaEntry();
    if (entry.devices.empty()) {
        GTEST_SKIP() << entry.status;
    }
    auto ops = *entry.devices[0]->createOps({});
    const float values[4] = {1, 2, 3, 4};
    const ConstTensorView weight(values, DType::F32, {2, 2});
    const auto packed = ops->packLinear({{&weight, 1}, {}}, DType::F16);
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(packed.error().message, HasSubstr("f16"));
}

// More than one block of pinned memory each way, and a rest.
TEST(CudaBackend, LargeTransfersComeBackUnchanged) {
    BackendEntry entry = cudaEntry();
    if (entry.devices.empty()) {
        GTEST_SKIP() << entry.status;
    }
    auto ops = *entry.devices[0]->createOps({});
    std::vector<float> values((std::size_t{40} << 20) / sizeof(float) + 7);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(i % 65521);
    }
    const Shape shape{static_cast<std::int64_t>(values.size())};
    const auto tensor = createTensor(*entry.devices[0], DType::F32, shape).value();
    std::vector<float> back(values.size(), -1.0F);
    ops->upload(ConstTensorView(values.data(), DType::F32, shape), tensor.view);
    ops->download(tensor.view, TensorView(back.data(), DType::F32, shape));
    ASSERT_TRUE(ops->synchronize());
    EXPECT_EQ(values, back);
}

// What the device was busy with lies within what the clock shows, and grows with every stretch of work.
TEST(CudaBackend, BusyTimeIsMeasuredBetweenWaits) {
    BackendEntry entry = cudaEntry();
    if (entry.devices.empty()) {
        GTEST_SKIP() << entry.status;
    }
    const auto library = CudaLibrary::open().value();
    ASSERT_NE(library->timing(), nullptr);
    auto ops = *entry.devices[0]->createOps({});
    auto* queue = dynamic_cast<CudaOps&>(*ops).queue();
    ASSERT_EQ(library->timing()->start(queue), kernels::cuda::Code::Ok);
    const auto busy = [&] {
        double microseconds = -1.0;
        EXPECT_EQ(library->timing()->busyMicroseconds(queue, &microseconds), kernels::cuda::Code::Ok);
        return microseconds;
    };
    EXPECT_EQ(busy(), 0.0);
    const Shape shape{1 << 16};
    const auto tensor = createTensor(*entry.devices[0], DType::F32, shape).value();
    const std::vector<float> values(1 << 16, 1.0F);
    double before = 0.0;
    for (int i = 0; i < 3; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        ops->upload(ConstTensorView(values.data(), DType::F32, shape), tensor.view);
        ops->add(tensor.view, tensor.view, tensor.view);
        ASSERT_TRUE(ops->synchronize());
        const std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - begin;
        EXPECT_GT(busy(), before);
        EXPECT_LE(busy() - before, wall.count() + 1.0);
        before = busy();
        ASSERT_TRUE(ops->synchronize());  // nothing was queued
        EXPECT_EQ(busy(), before);
    }
}

}  // namespace
}  // namespace fw::backend
