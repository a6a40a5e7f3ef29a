// Probe tables: values, the file, and files that lie.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>

#include "core/tensor/half.h"
#include "core/trace/trace_file.h"
#include "core/weights/safetensors.h"

namespace fw::trace {
namespace {

using testing::HasSubstr;

ProbeInfo smallInfo() {
    ProbeInfo info;
    info.grid = {3, 5, 7};
    info.pool = {2, 2, 7};
    info.heads = 2;
    info.layers = 4;
    info.words = {{"ein", 0, 1}, {"Bär", 1, 2}};
    info.steps = {0, 3};
    info.probedLayers = {0, 1, 2, 3};
    info.queries = {0, 104};
    info.samples = 4;
    info.headDim = 8;
    info.scan = {3, 2, {1, 2, 3}};
    return info;
}

// One record of every kind.
ProbeData oneOfEach(const ProbeInfo& info) {
    ProbeData probes;
    probes.info = info;
    for (const ProbeKind kind : kProbeKinds) {
        ProbeTable table(probeType(kind), probeRecordShape(kind, info));
        const auto count = static_cast<std::size_t>(table.recordShape().product());
        const ProbeSite site{3, 1, 2, kind == ProbeKind::Change ? -1 : 1};
        if (probeType(kind) == DType::U8) {
            table.appendBytes(site, 1, std::vector<std::uint8_t>(count, 0x05));
        } else {
            std::vector<float> values(count);
            for (std::size_t i = 0; i < count; ++i) {
                values[i] = static_cast<float>(i % 100) / 64.0F;
            }
            table.append(site, 1, values);
        }
        probes.tables.emplace(kind, std::move(table));
    }
    return probes;
}

class ProbeFile : public testing::Test {
 protected:
    void SetUp() override {
        m_folder = std::filesystem::temp_directory_path() / ("fw_probes_" + std::to_string(getpid()));
        std::filesystem::create_directories(m_folder);
        m_path = m_folder / "trace.safetensors";
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }

    // What readTrace says of a trace with this description and these further tensors.
    [[nodiscard]] std::string refusal(const Json& probes,
                                      const std::vector<std::pair<std::string, ConstTensorView>>& tensors) const {
        Trace trace;
        trace.metadata["probes"] = probes;
        const auto plain = m_folder / "plain.safetensors";
        EXPECT_TRUE(writeTrace(plain, trace));
        const auto file = weights::SafetensorsFile::open(plain);
        std::vector<std::pair<std::string, ConstTensorView>> all(tensors);
        for (const auto& [name, view] : (*file)->tensors()) {
            all.emplace_back(name, view);
        }
        EXPECT_TRUE(weights::writeSafetensors(m_path, all, (*file)->metadata()));
        const auto back = readTrace(m_path);
        if (back) {
            return "read";
        }
        EXPECT_EQ(back.error().code, ErrorCode::BadModel);
        return back.error().message;
    }

    std::filesystem::path m_folder, m_path;
};

TEST(HalfFloat, RoundsToNearestAndComesBack) {
    for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const float value = halfToFloat(half);
        if (std::isnan(value)) {
            EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(value))));
        } else {
            EXPECT_EQ(floatToHalf(value), half) << value;
        }
    }
    EXPECT_EQ(floatToHalf(65519.0F), 0x7bff);
    EXPECT_EQ(floatToHalf(65520.0F), 0x7c00);
    EXPECT_EQ(floatToHalf(-1e30F), 0xfc00);
    EXPECT_EQ(floatToHalf(1.0F + 1.0F / 2048.0F), 0x3c00) << "a tie goes to the even neighbour";
    EXPECT_EQ(floatToHalf(1.0F + 3.0F / 2048.0F), 0x3c02) << "a tie goes to the even neighbour";
    EXPECT_EQ(floatToHalf(std::ldexp(1.0F, -25)), 0);
    EXPECT_EQ(floatToHalf(std::ldexp(1.5F, -25)), 1);
}

TEST(HalfFloat, ManyAtOnceAreTheSame) {
    std::vector<std::uint16_t> halves(0x10000U);
    std::iota(halves.begin(), halves.end(), std::uint16_t{0});
    std::vector<float> floats(halves.size());
    halvesToFloats(halves, floats);
    for (std::size_t i = 0; i < halves.size(); ++i) {
        const float one = halfToFloat(halves[i]);
        EXPECT_TRUE(one == floats[i] || (std::isnan(one) && std::isnan(floats[i]))) << i;
    }
    // Every half, both sides of every tie, and what lies beyond them.
    floats.insert(floats.end(), {65519.0F, 65520.0F, -1e30F, std::ldexp(1.0F, -25), std::ldexp(1.5F, -25)});
    for (std::size_t i = 0; i < halves.size(); ++i) {
        for (const float step : {0.5F, 0.49F, 0.51F}) {
            const float next = halfToFloat(static_cast<std::uint16_t>(halves[i] + 1U));
            floats.push_back(floats[i] + step * (next - floats[i]));
        }
    }
    std::vector<std::uint16_t> back(floats.size());
    floatsToHalves(floats, back);
    for (std::size_t i = 0; i < floats.size(); ++i) {
        EXPECT_EQ(back[i], floatToHalf(floats[i])) << floats[i];
    }
}

TEST(ProbeInfo, PoolsTokensIntoBlocks) {
    const ProbeInfo info = smallInfo();
    EXPECT_EQ(info.blocks(), (std::array<std::int64_t, 3>{2, 3, 1}));
    EXPECT_EQ(info.blockOf(0), 0);
    EXPECT_EQ(info.blockOf(104), 5);
    EXPECT_EQ(info.blockOf(2 * 35 + 2 * 7 + 6), 4);
    EXPECT_EQ(info.maskTileCount(), 2);
    ProbeInfo boxes = info;
    boxes.mask.box = {4, 4, 4};
    EXPECT_EQ(boxes.maskTileCount(), 1 * 2 * 2);
}

TEST(ProbeInfo, RoundTripsThroughJson) {
    const auto back = probeInfoFromJson(toJson(smallInfo()));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, smallInfo());
}

TEST(ProbeInfo, RefusesWhatCannotBe) {
    const std::pair<const char*, Json> wrong[] = {
        {"grid", {0, 5, 7}},
        {"grid", {3, 5}},
        {"grid", {1000000, 1000000, 1000000}},
        {"pool", {1, 0, 1}},
        {"pool", "all"},
        {"heads", 0},
        {"heads", 18446744073709551615ULL},
        {"layers", -1},
        {"words", {{{"text", 3}}}},
        {"words", {{{"text", "a"}, {"first", -1}, {"count", 1}}}},
        {"steps", {1.5}},
        {"probed_layers", {4}},
        {"queries", {105}},
        {"samples", nullptr},
        {"mask", {{"size", 0}, {"box", {0, 0, 0}}}},
        {"mask", {{"size", 64}, {"box", {0, 4, 4}}}},
        {"head_dim", -1},
        {"scan", 3},
        {"scan", {{"heads", 3}, {"directions", 3}, {"review", {1, 2, 3}}}},
        {"scan", {{"heads", 3}, {"directions", 2}, {"review", {1000000, 1000000, 1000000}}}},
    };
    for (const auto& [key, value] : wrong) {
        Json json = toJson(smallInfo());
        json[key] = value;
        const auto back = probeInfoFromJson(json);
        ASSERT_FALSE(back) << key << " " << value.dump();
        EXPECT_THAT(back.error().message, HasSubstr(std::string("probes.") + key));
        json.erase(key);
        const bool isLater = key == std::string("head_dim") || key == std::string("scan");
        EXPECT_EQ(probeInfoFromJson(json).has_value(), isLater) << "without " << key << "; older files lack some";
    }
    EXPECT_FALSE(probeInfoFromJson(Json::array()));
}

TEST_F(ProbeFile, RoundTripsEveryKind) {
    Trace trace;
    trace.probes = oneOfEach(smallInfo());
    ASSERT_TRUE(writeTrace(m_path, trace));
    auto back = readTrace(m_path);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->probes.info, smallInfo());
    // A table outlives the trace it came from.
    const std::map<ProbeKind, ProbeTable> tables = std::move(back->probes.tables);
    back = Trace{};
    ASSERT_EQ(tables.size(), kProbeKinds.size());
    for (const auto& [kind, table] : tables) {
        const ProbeTable& written = *trace.probes.find(kind);
        ASSERT_EQ(table.size(), 1) << probeName(kind);
        EXPECT_EQ(table.site(0), written.site(0));
        EXPECT_EQ(table.item(0), probeItemName(kind).empty() ? 0 : 1);
        EXPECT_EQ(table.recordShape(), written.recordShape());
        EXPECT_EQ(table.find(written.site(0)), 0);
        EXPECT_EQ(table.find({0, 0, 0, 0}), -1);
        if (kind != ProbeKind::Mask) {
            EXPECT_EQ(table.values(0), written.values(0)) << probeName(kind);
        }
    }
    const ConstTensorView mask = tables.at(ProbeKind::Mask).record(0);
    EXPECT_TRUE(maskBit(mask, 2, 0, 0));
    EXPECT_FALSE(maskBit(mask, 2, 0, 1));
    EXPECT_TRUE(maskBit(mask, 2, 1, 0));
}

TEST_F(ProbeFile, KeepsADescriptionWithoutRecords) {
    Trace trace;
    trace.probes.info = smallInfo();
    ASSERT_TRUE(writeTrace(m_path, trace));
    const auto back = readTrace(m_path);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(back->probes.isPresent());
    EXPECT_EQ(back->probes.find(ProbeKind::Gate), nullptr);
}

TEST_F(ProbeFile, RefusesTensorsThatDisagreeWithTheDescription) {
    const std::vector<std::int32_t> one{1}, two{1, 1}, large{99};
    const std::vector<float> data(6);
    const auto column = [](const std::vector<std::int32_t>& values) {
        return ConstTensorView(values.data(), DType::I32, {static_cast<std::int64_t>(values.size())});
    };
    const Json info = toJson(smallInfo());
    const std::string name = "probe.head_stats.";
    const ConstTensorView values(data.data(), DType::F32, {1, 6});
    EXPECT_EQ(refusal(info, {{name + "step", column(one)},
                             {name + "branch", column(one)},
                             {name + "layer", column(one)},
                             {name + "head", column(one)},
                             {name + "data", values}}),
              "read");
    EXPECT_THAT(refusal(info, {{name + "data", values}}), HasSubstr("probe.head_stats.step"));
    EXPECT_THAT(refusal(info, {{name + "data", ConstTensorView(data.data(), DType::F32, {2, 3})}}),
                HasSubstr("expected"));
    EXPECT_THAT(refusal(info, {{name + "data", ConstTensorView(data.data(), DType::I32, {1, 6})}}),
                HasSubstr("expected"));
    EXPECT_THAT(refusal(info, {{name + "step", column(two)}, {name + "data", values}}), HasSubstr("shape"));
    EXPECT_THAT(
        refusal(info, {{name + "step", ConstTensorView(data.data(), DType::F32, {1})}, {name + "data", values}}),
        HasSubstr("i32 expected"));
    EXPECT_THAT(refusal(info, {{name + "step", column(one)},
                               {name + "branch", column(one)},
                               {name + "layer", column(large)},
                               {name + "head", column(one)},
                               {name + "data", values}}),
                HasSubstr("99"));
    EXPECT_THAT(refusal("none", {}), HasSubstr("not an object"));
}

TEST_F(ProbeFile, RefusesAFileCutShort) {
    Trace trace;
    trace.probes = oneOfEach(smallInfo());
    ASSERT_TRUE(writeTrace(m_path, trace));
    const auto bytes = std::filesystem::file_size(m_path);
    for (const std::uintmax_t left : {bytes - 1, bytes / 2, std::uintmax_t{9}, std::uintmax_t{0}}) {
        std::filesystem::resize_file(m_path, left);
        const auto back = readTrace(m_path);
        ASSERT_FALSE(back) << left;
        EXPECT_THAT(back.error().message, HasSubstr(m_path.string()));
    }
}

}  // namespace
}  // namespace fw::trace
