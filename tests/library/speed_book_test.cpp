// What is learned from clips about the time of the next ones, and what is not.
#include "app/library/speed_book.h"

#include <gtest/gtest.h>

namespace fw::app {
namespace {

job::GenerationRequest asked(const std::string& device, const std::string& dtype) {
    job::GenerationRequest request;
    request.prompt = "a fox";
    request.device = device;
    request.dtype = dtype;
    return request;
}

Json report(const job::GenerationRequest& request, double seconds, const std::string& dtype = "bf16") {
    return {{"request", Json::parse(job::toJson(request).dump())},
            {"plan", {{"total_flops", 1000.0}}},
            {"dtype", dtype},
            {"total_seconds", seconds + 1.0},
            {"load_seconds", 1.0}};
}

TEST(SpeedBook, OneDeviceAndPrecisionSayNothingOfAnother) {
    SpeedBook book;
    EXPECT_EQ(book.flopsPerSecond(asked("cpu", "f32")), 0.0);
    book.learn(report(asked("cpu", "f32"), 10.0, "f32").dump());
    EXPECT_EQ(book.flopsPerSecond(asked("cpu", "f32")), 100.0);
    EXPECT_EQ(book.flopsPerSecond(asked("cuda:0", "f32")), 0.0);
    EXPECT_EQ(book.flopsPerSecond(asked("cpu", "bf16")), 0.0);
    job::GenerationRequest other = asked("cpu", "f32");
    other.model = "another";
    EXPECT_EQ(book.flopsPerSecond(other), 0.0);
    other = asked("cpu", "f32");
    other.threads = 1;
    EXPECT_EQ(book.flopsPerSecond(other), 0.0);
    other = asked("cpu", "f32");
    other.prompt = "a crow";
    other.steps = 7;
    other.seed = 9;
    other.width = 64;
    EXPECT_EQ(book.flopsPerSecond(other), 100.0) << "only how many FLOPs there are differs";
}

TEST(SpeedBook, AutomaticPrecisionIsTheOneItCameTo) {
    SpeedBook book;
    book.learn(report(asked("auto", "auto"), 10.0).dump());
    EXPECT_EQ(book.flopsPerSecond(asked("auto", "auto")), 100.0);
    EXPECT_EQ(book.flopsPerSecond(asked("auto", "bf16")), 100.0);
    EXPECT_EQ(book.flopsPerSecond(asked("auto", "f32")), 0.0);
}

TEST(SpeedBook, TheMostAlikeClipTells) {
    SpeedBook book;
    job::GenerationRequest salad = asked("auto", "auto");
    salad.method = "salad";
    salad.methodParameters = {{"sparsity", 0.9}};
    job::GenerationRequest made = salad;
    made.adapters = {{"models/mini/adapters/salad.safetensors", 1.0}};  // as a report has it
    book.learn(report(made, 20.0).dump());
    EXPECT_EQ(book.flopsPerSecond(salad), 50.0) << "the model's own adapter is no difference";
    EXPECT_EQ(book.flopsPerSecond(asked("auto", "auto")), 50.0) << "the same model at least";
    book.learn(report(asked("auto", "auto"), 10.0).dump());
    EXPECT_EQ(book.flopsPerSecond(salad), 50.0);
    salad.methodParameters["sparsity"] = 0.5;
    EXPECT_EQ(book.flopsPerSecond(salad), 50.0) << "the same method rather than the last clip";
    salad.cache = "pab";
    EXPECT_EQ(book.flopsPerSecond(salad), 100.0) << "neither method nor cache alike: the last clip";
    book.learn(report(asked("auto", "auto"), 5.0).dump());
    EXPECT_EQ(book.flopsPerSecond(asked("auto", "auto")), 200.0) << "the newest counts";
    job::GenerationRequest beside = asked("auto", "auto");
    beside.lora = job::LoraUse::Apart;
    book.learn(report(beside, 20.0).dump());
    book.learn(report(asked("auto", "auto"), 5.0).dump());
    EXPECT_EQ(book.flopsPerSecond(beside), 50.0) << "how LoRA is used is a difference";
}

TEST(SpeedBook, PartsOfClipsAndOtherTextsTeachNothing) {
    SpeedBook book;
    const job::GenerationRequest request = asked("auto", "auto");
    Json resumed = report(request, 10.0), early = resumed, wrong = resumed, instant = report(request, 0.0);
    resumed["resumed_steps"] = 3;
    early["finished_early"] = true;
    wrong["request"] = 7;
    for (const std::string& text : {resumed.dump(), early.dump(), wrong.dump(), instant.dump(), std::string("{"),
                                    std::string("[]"), std::string(), std::string("{\"plan\":{}}")}) {
        book.learn(text);
        EXPECT_EQ(book.flopsPerSecond(request), 0.0) << text;
    }
}

}  // namespace
}  // namespace fw::app
