// The table of where a step's time goes.
#include "app/cli/bench_modules.h"

#include <gtest/gtest.h>

namespace fw::cli {
namespace {

trace::Row row(trace::Module module, std::int64_t us, std::int64_t flops) {
    trace::Row made;
    made.module = module;
    made.durationUs = us;
    made.flops = flops;
    return made;
}

trace::Trace traceOf(std::int64_t factor) {
    trace::Trace trace;
    for (int layer = 0; layer < 2; ++layer) {
        trace.add(row(trace::Module::AttentionCore, 300 * factor, 6'000'000));
        trace.add(row(trace::Module::SelfAttention, 500 * factor, 8'000'000));
    }
    trace.add(row(trace::Module::Sampler, 0, 0));
    return trace;
}

TEST(BenchModules, AttentionIsNotCountedTwice) {
    const OrderedJson table = moduleTable(traceOf(1), traceOf(2), 1e10, 5e9);
    ASSERT_EQ(table.size(), 3U);
    EXPECT_EQ(table[0]["module"], "self_attention");
    EXPECT_EQ(table[0]["calls"], 2);
    EXPECT_DOUBLE_EQ(table[0]["gflop"].get<double>(), 0.004);
    EXPECT_DOUBLE_EQ(table[0]["rested"]["seconds"].get<double>(), 400e-6);
    EXPECT_DOUBLE_EQ(table[0]["rested"]["tflops_per_second"].get<double>(), 0.01);
    EXPECT_DOUBLE_EQ(table[0]["rested"]["share_of_product"].get<double>(), 1.0);
    EXPECT_EQ(table[1]["module"], "attention_core");
    EXPECT_DOUBLE_EQ(table[1]["rested"]["seconds"].get<double>(), 600e-6);
    EXPECT_DOUBLE_EQ(table[1]["rested"]["share_of_product"].get<double>(), 2.0);
    // Twice as slow beside a product that is twice as slow.
    EXPECT_DOUBLE_EQ(table[1]["sustained"]["seconds"].get<double>(), 1200e-6);
    EXPECT_DOUBLE_EQ(table[1]["sustained"]["share_of_product"].get<double>(), 2.0);
}

TEST(BenchModules, WorkOfNoTimeHasNoRate) {
    const OrderedJson table = moduleTable(traceOf(1), traceOf(1), 1e10, 1e10);
    EXPECT_EQ(table[2]["module"], "sampler");
    EXPECT_EQ(table[2]["rested"]["tflops_per_second"], 0.0);
}

}  // namespace
}  // namespace fw::cli
