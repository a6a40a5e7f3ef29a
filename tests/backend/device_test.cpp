// Devices: what they say about themselves, memory, and the choice between them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/backend/arena.h"
#include "core/backend/cpu_memory.h"
#include "core/backend/device.h"
#include "core/backend/device_choice.h"
#include "core/backend/ops.h"

namespace fw::backend {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Devices, TheCpuIsAlwaysThere) {
    const auto backends = createBackends();
    bool found = false;
    for (const BackendEntry& backend : backends) {
        if (backend.name == "cpu") {
            ASSERT_EQ(backend.devices.size(), 1U);
            EXPECT_EQ(backend.status, "ok");
            const DeviceInfo info = backend.devices[0]->info();
            EXPECT_EQ(info.id, "cpu");
            EXPECT_EQ(info.kind, DeviceKind::Cpu);
            EXPECT_GT(info.totalBytes, 0);
            EXPECT_GT(info.freeBytes, 0);
            EXPECT_LE(info.freeBytes, info.totalBytes);
            EXPECT_THAT(info.computeDTypes, Contains(DType::F32));
            EXPECT_THAT(info.computeDTypes, Contains(info.preferredDType));
            EXPECT_THAT(info.name, Not(HasSubstr("thread"))) << "how many compute is the run's choice";
            EXPECT_FALSE(info.features.empty());
            found = true;
        }
    }
    EXPECT_TRUE(found);
}

TEST(Devices, AnUnknownChoiceNamesWhatThereIs) {
    EXPECT_TRUE(createDevice("auto"));
    EXPECT_TRUE(createDevice("cpu"));
    const auto unknown = createDevice("cuda:77");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(unknown.error().message, HasSubstr("cuda:77"));
    EXPECT_THAT(unknown.error().message, HasSubstr("cpu"));
}

// A GPU that is there, and computes or says why not.
class ClaimedGpu final : public Device {
 public:
    explicit ClaimedGpu(std::string complaint) : m_complaint(std::move(complaint)) {}
    [[nodiscard]] DeviceInfo info() const override {
        DeviceInfo info;
        info.kind = DeviceKind::Cuda;
        info.id = "cuda:0";
        return info;
    }
    [[nodiscard]] Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes) override {
        return fail(ErrorCode::OutOfMemory, "{} bytes", bytes);
    }
    [[nodiscard]] Result<std::unique_ptr<Ops>> createOps(const OpsOptions& options) override {
        if (!m_complaint.empty()) {
            return fail(ErrorCode::Unsupported, "{}", m_complaint);
        }
        return (*createDevice("cpu"))->createOps(options);
    }

 private:
    std::string m_complaint;
};

std::vector<BackendEntry> machine(const std::string& status, std::unique_ptr<Device> gpu) {
    std::vector<BackendEntry> backends(2);
    backends[0].name = "cuda";
    backends[0].status = status;
    if (gpu) {
        backends[0].devices.push_back(std::move(gpu));
    }
    backends[1].name = "cpu";
    backends[1].status = "ok";
    backends[1].devices.push_back(*createDevice("cpu"));
    return backends;
}

TEST(Devices, AutoTakesTheCpuWhereTheGpuCannotComputeAndSaysWhy) {
    const auto without = chooseDevice("auto", machine("no NVIDIA driver is installed", nullptr));
    ASSERT_TRUE(without) << without.error().message;
    EXPECT_EQ(without->device->info().id, "cpu");
    EXPECT_EQ(without->note, "cuda: no NVIDIA driver is installed");
    const auto strange =
        chooseDevice("auto", machine("ok", std::make_unique<ClaimedGpu>("no code for this device")));
    ASSERT_TRUE(strange);
    EXPECT_EQ(strange->device->info().id, "cpu");
    EXPECT_EQ(strange->note, "cuda:0: no code for this device");
    const auto good = chooseDevice("auto", machine("ok", std::make_unique<ClaimedGpu>("")));
    ASSERT_TRUE(good);
    EXPECT_EQ(good->device->info().id, "cuda:0");
    EXPECT_EQ(good->note, "");
}

TEST(Devices, AChosenGpuIsNeverReplaced) {
    const auto asked =
        chooseDevice("cuda:0", machine("ok", std::make_unique<ClaimedGpu>("no code for this device")));
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->device->info().id, "cuda:0") << "what is wrong with it shows when it is used";
    const auto missing = chooseDevice("cuda", machine("the driver is too old", nullptr));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(missing.error().message, HasSubstr("the driver is too old"));
    EXPECT_THAT(missing.error().message, HasSubstr("choose one of auto, cpu"));
    const auto second = chooseDevice("cuda:1", machine("ok", std::make_unique<ClaimedGpu>("")));
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("choose one of auto, cuda:0, cpu"));
    auto none = machine("no NVIDIA driver is installed", nullptr);
    none.pop_back();
    EXPECT_THAT(chooseDevice("auto", std::move(none)).error().message, HasSubstr("no NVIDIA driver"));
}

TEST(Devices, AllocationsAreAlignedAndRefusedWhenTooLarge) {
    auto device = *createDevice("cpu");
    for (const std::int64_t bytes : {0, 1, 255, 4097}) {
        auto buffer = device->allocate(bytes);
        ASSERT_TRUE(buffer);
        EXPECT_EQ((*buffer)->bytes(), bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>((*buffer)->data()) % 256, 0U);
    }
    const std::int64_t tooMuch = device->info().totalBytes + 1;
    const auto refused = device->allocate(tooMuch);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
    EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(tooMuch)));
    EXPECT_FALSE(device->allocate(std::int64_t{1} << 62));
}

// Untouched pages still look free to the system: what was handed out must be remembered, and forgotten when freed.
TEST(Devices, PromisedMemoryCounts) {
    auto device = *createDevice("cpu");
    const DeviceInfo info = device->info();
    const std::int64_t most = info.freeBytes / 4 * 3;
    if (most * 2 <= info.totalBytes) {
        GTEST_SKIP() << "two large allocations fit this machine";
    }
    auto first = device->allocate(most);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_FALSE(device->allocate(most));
    first->reset();
    EXPECT_TRUE(device->allocate(most));
}

TEST(Devices, NegativeThreadCountsAreRefused) {
    auto device = *createDevice("cpu");
    const auto ops = device->createOps({.threads = -1});
    ASSERT_FALSE(ops);
    EXPECT_EQ(ops.error().code, ErrorCode::InvalidArgument);
}

TEST(Devices, WeightsOfAnUnsupportedTypeAreAnError) {
    auto device = *createDevice("cpu");
    auto ops = *device->createOps({});
    const float values[4] = {1, 2, 3, 4};
    const ConstTensorView weight(values, DType::F32, {2, 2});
    const auto packed = ops->packLinear({{&weight, 1}, {}}, DType::F16);
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(packed.error().message, HasSubstr("f16"));
}

TEST(Devices, ShapeMistakesEndTheProgramWithTheShapes) {
    auto device = *createDevice("cpu");
    auto ops = *device->createOps({});
    const auto x = createTensor(*device, DType::F32, {1, 2, 4}).value().view;
    const auto weight = createTensor(*device, DType::F32, {5}).value();
    EXPECT_DEATH(ops->rmsNorm(x, weight.view, 1e-6F, x), "shape \\[4\\] expected");
    const TensorView meta(nullptr, DType::F32, {1, 2, 4}, DeviceKind::Meta);
    EXPECT_DEATH(ops->copy(meta, meta), "another device");
    const auto heads = createTensor(*device, DType::F32, {1, 2, 1, 16}).value();
    const auto out = createTensor(*device, DType::F32, {1, 2, 1, 16}).value();
    const auto rows = createTensor(*device, DType::F32, {1, 1, 2}).value();
    const auto entropies = createTensor(*device, DType::F32, {1, 1}).value();
    const std::int32_t wanted[] = {0};
    for (const float refused : {0.0F, 0.99F, -2.0F, INFINITY, NAN}) {
        EXPECT_DEATH(
            ops->attention(heads.view, heads.view, heads.view, out.view, {.bias = {}, .firstKeyWeight = refused}),
            "at least 1 expected");
        EXPECT_DEATH(ops->attentionRows(heads.view, heads.view, wanted, {.firstKeyWeight = refused}, rows.view,
                                        entropies.view),
                     "at least 1 expected");
    }
    EXPECT_DEATH(ops->attention(heads.view, heads.view, heads.view, out.view,
                                {.scale = 0.0F, .bias = {}, .firstKeyWeight = 2.0F}),
                 "with scale 0");
}

TEST(Meta, MeasuresAnArenaWithoutMemory) {
    const auto device = createMetaDevice(DType::BF16);
    EXPECT_EQ(device->info().preferredDType, DType::BF16);
    auto tensor = createTensor(*device, DType::F32, {std::int64_t{1} << 40});
    ASSERT_TRUE(tensor);
    EXPECT_EQ(tensor->view.data(), nullptr);
    EXPECT_FALSE(tensor->view.isNone());
    const auto arena = Arena::createMeta();
    {
        const ArenaScope scope(*arena);
        EXPECT_EQ(arena->take(DType::F32, {1000}).device(), DeviceKind::Meta);
    }
    EXPECT_EQ(arena->mark(), 0);
    EXPECT_EQ(arena->highWater(), 4096);
    auto real = createDevice("cpu");
    const auto backed = Arena::create(**real, arena->highWater());
    ASSERT_TRUE(backed);
    EXPECT_NE((*backed)->take(DType::F32, {1000}).data(), nullptr);
    EXPECT_DEATH(static_cast<void>((*backed)->take(DType::U8, {1})), "plan was too small");
}

// CUDA's driver rounds every large allocation up to 2 MiB, so a forecast for it must, too.
TEST(Meta, TakesAsMuchAsTheDeviceItStandsFor) {
    constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
    const auto host = createMetaDevice(DType::BF16);
    const auto gpu = createMetaDevice(DType::BF16, DeviceKind::Cuda);
    for (const std::int64_t bytes : {std::int64_t{0}, std::int64_t{1}, kMebibyte - 1, 5 * kMebibyte / 2}) {
        EXPECT_EQ(host->footprint(bytes), bytes);
    }
    EXPECT_EQ(gpu->footprint(0), 0);
    EXPECT_EQ(gpu->footprint(kMebibyte), kMebibyte);
    EXPECT_EQ(gpu->footprint(kMebibyte + 1), 2 * kMebibyte);
    EXPECT_EQ(gpu->footprint(2 * kMebibyte), 2 * kMebibyte);
    EXPECT_EQ(gpu->footprint(2 * kMebibyte + 1), 4 * kMebibyte);
}

// A made-up system tree: files of /proc and of the control groups.
class HostMemoryTest : public ::testing::Test {
 protected:
    void SetUp() override {
        m_root = std::filesystem::temp_directory_path() /
                 ("fw_memory_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(m_root);
        write("proc/meminfo", "MemTotal:       8000 kB\nMemFree:        1000 kB\nMemAvailable:   6000 kB\n");
    }
    void TearDown() override { std::filesystem::remove_all(m_root); }
    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((m_root / file).parent_path());
        std::ofstream(m_root / file) << text;
    }
    std::filesystem::path m_root;
};

constexpr std::int64_t kKibi = 1024;

TEST_F(HostMemoryTest, WithoutGroupsTheMachineCounts) {
    const HostMemory memory = readHostMemory(m_root);
    EXPECT_EQ(memory.totalBytes, 8000 * kKibi);
    EXPECT_EQ(memory.availableBytes, 6000 * kKibi);
}

TEST_F(HostMemoryTest, AGroupOfVersion2Limits) {
    write("proc/self/cgroup", "0::/user/job\n");
    write("sys/fs/cgroup/user/job/memory.max", "max\n");
    write("sys/fs/cgroup/user/job/memory.current", "100\n");
    write("sys/fs/cgroup/user/memory.max", std::to_string(4000 * kKibi));
    write("sys/fs/cgroup/user/memory.current", std::to_string(3000 * kKibi));
    write("sys/fs/cgroup/user/memory.stat", "anon 5\ninactive_file " + std::to_string(500 * kKibi) + "\n");
    const HostMemory memory = readHostMemory(m_root);
    EXPECT_EQ(memory.totalBytes, 4000 * kKibi);
    EXPECT_EQ(memory.availableBytes, 1500 * kKibi);
}

TEST_F(HostMemoryTest, AGroupOfVersion1Limits) {
    write("proc/self/cgroup", "12:cpu,cpuacct:/\n4:memory:/job\n0::/\n");
    write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(2000 * kKibi));
    write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(2500 * kKibi));
    const HostMemory memory = readHostMemory(m_root);
    EXPECT_EQ(memory.totalBytes, 2000 * kKibi);
    EXPECT_EQ(memory.availableBytes, 0);
}

}  // namespace
}  // namespace fw::backend
