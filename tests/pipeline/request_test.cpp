#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "core/job/generation_request.h"
#include "core/job/memory_size.h"
#include "core/job/plan.h"
#include "core/job/utf8.h"
#include "core/job/what_if.h"

namespace fw::job {
namespace {

using testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

GenerationRequest withPrompt() {
    GenerationRequest request;
    request.prompt = "a red balloon rises over the city";
    return request;
}

// Expects resolve() to refuse `request` with a message holding every part.
void expectRefused(const GenerationRequest& request, std::initializer_list<const char*> parts) {
    const auto result = resolve(request, ModelDefaults{});
    ASSERT_FALSE(result) << parts.begin()[0];
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    for (const char* part : parts) {
        EXPECT_THAT(result.error().message, HasSubstr(part));
    }
}

TEST(Resolve, FillsEveryFieldFromTheModel) {
    ModelDefaults defaults;
    defaults.width = 256;
    defaults.frames = 33;
    defaults.frameRate = {12, 1};
    const auto request = resolve(withPrompt(), defaults).value();
    EXPECT_EQ(*request.width, 256);
    EXPECT_EQ(*request.height, 480);
    EXPECT_EQ(*request.frames, 33);
    EXPECT_EQ(*request.frameRate, (FrameRate{12, 1}));
    EXPECT_EQ(*request.steps, 50);
    EXPECT_EQ(*request.guidance, 5.0);
    EXPECT_EQ(*request.shift, 3.0);
    EXPECT_TRUE(request.seed.has_value());
}

TEST(Resolve, KeepsWhatWasGiven) {
    auto request = withPrompt();
    request.seed = std::numeric_limits<std::uint64_t>::max();
    request.frames = 1;
    request.width = 16;
    request.guidance = 1.0;
    const auto resolved = resolve(request, ModelDefaults{}).value();
    EXPECT_EQ(*resolved.seed, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(*resolved.frames, 1);
    EXPECT_EQ(*resolved.width, 16);
    EXPECT_EQ(*resolved.guidance, 1.0);
}

TEST(Resolve, RefusesPrompts) {
    auto request = withPrompt();
    request.prompt = "";
    expectRefused(request, {"prompt is empty"});
    request.prompt = " \t\n";
    expectRefused(request, {"prompt is empty"});
    request.prompt = std::string(10'000, 'a');
    expectRefused(request, {"10000 characters", "5000"});
    request.prompt = "caf\xe9";
    expectRefused(request, {"prompt", "UTF-8"});
    request = withPrompt();
    request.negativePrompt = "\xc0\x80";
    expectRefused(request, {"negative prompt", "UTF-8"});
    request.prompt = std::string(5'000, 'a');
    request.negativePrompt = "";
    EXPECT_TRUE(resolve(request, ModelDefaults{}));
}

TEST(Resolve, RefusesSizes) {
    auto request = withPrompt();
    request.width = 250;
    expectRefused(request, {"width 250", "multiple of 16", "240 or 256"});
    request.width = 15;
    expectRefused(request, {"width 15", "use 16"});
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{-256}, std::int64_t{8208}, std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min()}) {
        request.width = value;
        expectRefused(request, {"width", std::to_string(value).c_str(), "8192"});
    }
    request = withPrompt();
    request.height = 100;
    expectRefused(request, {"height 100", "96 or 112"});
    request = withPrompt();
    request.frames = 32;
    expectRefused(request, {"frames 32", "4k + 1", "29 or 33"});
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{-3}, std::int64_t{4101}, std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min()}) {
        request.frames = value;
        expectRefused(request, {"frames", std::to_string(value).c_str()});
    }
}

TEST(Resolve, RefusesNumbers) {
    auto request = withPrompt();
    for (const int steps : {0, -1, 1001, std::numeric_limits<int>::max()}) {
        request.steps = steps;
        expectRefused(request, {"steps", std::to_string(steps).c_str(), "1000"});
    }
    for (const double value : {kNaN, kInfinity, -kInfinity, 0.0, -1.0, 1e30}) {
        request = withPrompt();
        request.guidance = value;
        expectRefused(request, {"guidance", "1 to 100"});
        request = withPrompt();
        request.shift = value;
        expectRefused(request, {"shift", "0.01 to 100"});
    }
    request = withPrompt();
    request.threads = -1;
    expectRefused(request, {"threads is -1"});
    request = withPrompt();
    request.dtype = "f64";
    expectRefused(request, {"dtype 'f64'", "bf16", "fp8"});
    for (const FrameRate rate : {FrameRate{0, 1}, FrameRate{12, 0}, FrameRate{-12, 1}, FrameRate{12, -1},
                                 FrameRate{1000, 1}, FrameRate{1, 3}}) {
        request = withPrompt();
        request.frameRate = rate;
        expectRefused(request, {"frame rate", frameRateText(rate).c_str()});
    }
}

TEST(FrameRate, ReadsTheUsualForms) {
    EXPECT_EQ(frameRateFromText("12").value(), (FrameRate{12, 1}));
    EXPECT_EQ(frameRateFromText("24/2").value(), (FrameRate{12, 1}));
    EXPECT_EQ(frameRateFromText("30000/1001").value(), (FrameRate{30000, 1001}));
    EXPECT_EQ(frameRateFromText("12.5").value(), (FrameRate{25, 2}));
    EXPECT_EQ(frameRateFromText("23.976").value(), (FrameRate{2997, 125}));
    for (const char* text : {"", "abc", "12/", "/1", "1e3", "nan", "-12", "0", "12.", "12.0001", "12.-5", "12/0",
                             "99999999999999999999", "9999999999999.5"}) {
        EXPECT_FALSE(frameRateFromText(text)) << text;
    }
}

TEST(RequestJson, RoundTripsEveryField) {
    GenerationRequest request = resolve(withPrompt(), ModelDefaults{}).value();
    request.prompt = "ein \"Bär\" 🐻";
    request.negativePrompt = "blurred";
    request.model = "/models/wan";
    request.seed = std::numeric_limits<std::uint64_t>::max();
    request.frameRate = FrameRate{30000, 1001};
    request.guidance = 0.1 + 0.2;  // not representable in few digits
    request.sampler = SamplerKind::Euler;
    request.device = "cuda:0";
    request.dtype = "bf16";
    request.threads = 7;
    request.method = "salad";
    request.methodParameters = {{"window", 3}};
    request.adapters = {{"/adapters/salad.safetensors", 1.0}, {"style @ home.safetensors", -0.5}};
    request.lora = LoraUse::Apart;
    request.cache = "pab";
    request.cacheParameters = {{"self_range", 3}};
    const std::string text = toJson(request).dump();
    EXPECT_EQ(requestFromJson(Json::parse(text)).value(), request);
    EXPECT_EQ(Json::parse(text).at("schema"), 1);
    request.lora = LoraUse::Merged;
    EXPECT_FALSE(toJson(request).contains("lora")) << "as it was before there was a choice";

    const GenerationRequest open = withPrompt();  // fields without values stay without
    EXPECT_EQ(requestFromJson(Json::parse(toJson(open).dump())).value(), open);
}

TEST(RequestJson, RefusesWhatItDoesNotUnderstand) {
    const auto message = [](const char* text) {
        const auto result = requestFromJson(Json::parse(text));
        return result ? std::string("accepted") : result.error().message;
    };
    EXPECT_THAT(message(R"({"prompt": "x", "colour": 1})"), HasSubstr("\"colour\" is not known"));
    EXPECT_THAT(message(R"({"schema": 2})"), HasSubstr("schema 2"));
    EXPECT_THAT(message(R"({"width": "wide"})"), HasSubstr("'width' is \"wide\""));
    EXPECT_THAT(message(R"({"width": 1.5})"), HasSubstr("whole number"));
    EXPECT_THAT(message(R"({"frames": 18446744073709551615})"), HasSubstr("'frames'"));
    EXPECT_THAT(message(R"({"steps": 5000000000})"), HasSubstr("'steps'"));
    EXPECT_THAT(message(R"({"seed": -1})"), HasSubstr("'seed'"));
    EXPECT_THAT(message(R"({"guidance": null})"), HasSubstr("'guidance' is null"));
    EXPECT_THAT(message(R"({"sampler": "magic"})"), HasSubstr("'magic'"));
    EXPECT_THAT(message(R"({"frame_rate": 12})"), HasSubstr("'frame_rate'"));
    EXPECT_THAT(message(R"({"method_parameters": []})"), HasSubstr("object"));
    EXPECT_THAT(message(R"({"adapters": "a"})"), HasSubstr("a list"));
    EXPECT_THAT(message(R"({"adapters": [{"file": "a"}]})"), HasSubstr("file and strength"));
    EXPECT_THAT(message(R"({"adapters": [{"file": "a", "strength": "much"}]})"), HasSubstr("adapters.strength"));
    EXPECT_THAT(message(R"({"lora": "beside"})"), HasSubstr("lora 'beside' is not known; use merged or apart"));
    EXPECT_THAT(message("[]"), HasSubstr("array"));
}

TEST(MemorySize, ReadsWhatPeopleWrite) {
    const std::pair<std::string, std::int64_t> amounts[] = {
        {"8G", 8LL << 30}, {"8 GiB", 8LL << 30}, {"7.5g", 15LL << 29}, {"800M", 800LL << 20},
        {"1k", 1024},      {"2TB", 2LL << 40},   {"123", 123},         {"1 B", 1}};
    for (const auto& [text, bytes] : amounts) {
        const auto size = memorySizeFromText(text);
        ASSERT_TRUE(size) << text;
        EXPECT_EQ(*size, bytes) << text;
    }
    for (const std::string text :
         {"", "G", "0", "-1G", "0.2", "8X", "8Gi", "8GBs", "inf", "nan", "1e300G", "9999999999G", "8 8"}) {
        const auto size = memorySizeFromText(text);
        ASSERT_FALSE(size) << text;
        EXPECT_THAT(size.error().message, HasSubstr("'" + text + "'"));
    }
    EXPECT_EQ(memorySizeText(3LL << 29), "1.50 GiB");
    EXPECT_EQ(memorySizeText(12LL << 20), "12.0 MiB");
}

TEST(MemorySize, ABudgetIsPartOfARequest) {
    auto request = withPrompt();
    EXPECT_FALSE(toJson(request).contains("memory_budget")) << "requests of before stay as they were";
    request.memoryBudget = 5LL << 30;
    const auto back = requestFromJson(Json::parse(toJson(request).dump()));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, request);
    request.memoryBudget = 0;
    EXPECT_FALSE(resolve(request, ModelDefaults{}));
}

TEST(Utf8, AcceptsOnlyWellFormedText) {
    EXPECT_EQ(utf8Length(""), 0);
    EXPECT_EQ(utf8Length("a\u00e9\u20ac\U0001F43B"), 4);
    EXPECT_EQ(utf8Length("\xf4\x8f\xbf\xbf"), 1);  // U+10FFFF
    for (const char* text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                             "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "a\xf0\x9f\x90"}) {
        EXPECT_FALSE(utf8Length(text)) << text;
    }
}

TEST(Plan, JsonCarriesTotals) {
    Plan plan;
    plan.phases = {{"text", 5, 10}, {"denoise", 70, 20}, {"decode", 25, 30}};
    plan.tokens = 2304;
    const OrderedJson json = toJson(plan);
    EXPECT_EQ(json.at("total_flops"), 100);
    EXPECT_EQ(json.at("tokens"), 2304);
    EXPECT_EQ(json.at("phases").at(1).at("scratch_bytes"), 20);
}

TEST(WhatIfJson, RoundTripsAndIsPartOfARequest) {
    const Json json = Json::parse(
        R"({"from_step":4,"set":{"branch_scale":0.5},"compute":[6,8],
            "masks":[{"layer":0,"head":2,"size":64,"rows":["0-1","1"]},{"layer":1,"head":0,"box":[1,4,4],"rows":["0,2","1","0-2"]}]})");
    const auto whatIf = whatIfFromJson(json);
    ASSERT_TRUE(whatIf) << whatIf.error().message;
    EXPECT_EQ(whatIf->changes.at(0).masks[1].rows,
              (std::vector<std::vector<std::int32_t>>{{0, 2}, {1}, {0, 1, 2}}));
    EXPECT_EQ(toJson(*whatIf), json);
    GenerationRequest request;
    request.prompt = "a fox";
    request.whatIf = json;
    const auto read = requestFromJson(Json::parse(toJson(request).dump()));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->whatIf, json);
    request.steps = 8;
    EXPECT_FALSE(resolve(request, {})) << "step 8 of 8";
    request.steps = 9;
    EXPECT_TRUE(resolve(request, {}));
}

WhatIf whatIfOfText(const char* text) {
    const auto read = whatIfFromJson(Json::parse(text));
    FW_CHECK(read.has_value(), "{}", read.error().message);
    return *read;
}

TEST(WhatIfJson, HoldsChangesFromSeveralStepsOn) {
    const Json json = Json::parse(
        R"({"changes":[{"from_step":4,"set":{"sparsity":0.5}},
            {"from_step":7,"masks":[{"layer":0,"head":2,"size":64,"rows":["0-1","1"]}]}],"compute":[2]})");
    const auto whatIf = whatIfFromJson(json);
    ASSERT_TRUE(whatIf) << whatIf.error().message;
    EXPECT_EQ(toJson(*whatIf), json);
    EXPECT_EQ(firstChange(*whatIf), 2);
    EXPECT_EQ(firstChange(WhatIf()), kMaxSteps);
    EXPECT_EQ(firstChange(whatIfOfText(R"({"from_step":3})")), kMaxSteps) << "nothing changes";
    EXPECT_TRUE(hasMasks(*whatIf));
    const Json begun{{"sparsity", 0.9}, {"window", 3}};
    EXPECT_EQ(parametersAt(begun, *whatIf, 3), begun);
    EXPECT_EQ(parametersAt(begun, *whatIf, 4), (Json{{"sparsity", 0.5}, {"window", 3}}));
    EXPECT_EQ(changeAt(*whatIf, 6).masks.size(), 0U);
    EXPECT_EQ(changeAt(*whatIf, 7).masks.size(), 1U);
    EXPECT_EQ(changeAt(*whatIf, 7).parameters, (Json{{"sparsity", 0.5}})) << "goes on";
    GenerationRequest request;
    request.prompt = "a fox";
    request.steps = 7;
    setWhatIf(request, *whatIf);
    EXPECT_EQ(request.whatIf, json);
    EXPECT_FALSE(resolve(request, {})) << "step 7 of 7";
    request.steps = 8;
    EXPECT_TRUE(resolve(request, {}));
    setWhatIf(request, {});
    EXPECT_FALSE(request.whatIf);
}

TEST(WhatIfJson, WhatIsAskedLastHoldsFromItsStepOnAndNothingElseIsLost) {
    const WhatIf first = whatIfOfText(
        R"({"from_step":4,"set":{"sparsity":0.5,"branch_scale":2.0},"compute":[6],
            "masks":[{"layer":0,"head":2,"rows":["0","1"]},{"layer":1,"head":0,"rows":["0","1"]}]})");
    // Later: the same setting and head, from there on.
    const WhatIf later = whatIfOfText(
        R"({"from_step":7,"set":{"sparsity":0.7},"compute":[3,6],"masks":[{"layer":0,"head":2,"rows":["0-1","1"]}]})");
    const WhatIf both = combined(first, later);
    ASSERT_EQ(both.changes.size(), 2U);
    EXPECT_EQ(both.changes[0], first.changes[0]);
    EXPECT_EQ(both.changes[1], later.changes[0]);
    EXPECT_EQ(both.compute, (std::vector{3, 6}));
    EXPECT_EQ(changeAt(both, 7).parameters, (Json{{"sparsity", 0.7}, {"branch_scale", 2.0}}));
    ASSERT_EQ(changeAt(both, 7).masks.size(), 2U);
    EXPECT_EQ(changeAt(both, 7).masks[0].rows[0].size(), 2U) << "painted anew";
    EXPECT_EQ(combined(first, both), both) << "the same again changes nothing";
    EXPECT_EQ(firstDifference(first, both), 3) << "a step to compute";
    EXPECT_EQ(firstDifference(both, combined(both, {})), kMaxSteps);

    // From the same step on: one change.
    const WhatIf same = combined(first, whatIfOfText(R"({"from_step":4,"set":{"sparsity":0.6}})"));
    ASSERT_EQ(same.changes.size(), 1U);
    EXPECT_EQ(same.changes[0].parameters, (Json{{"sparsity", 0.6}, {"branch_scale", 2.0}}));
    EXPECT_EQ(same.changes[0].masks.size(), 2U);
    EXPECT_EQ(firstDifference(first, same), 4);

    // Earlier: to the end, but of nothing else.
    const WhatIf earlier = combined(both, whatIfOfText(R"({"from_step":1,"set":{"sparsity":0.1}})"));
    EXPECT_EQ(changeAt(earlier, 3).parameters, (Json{{"sparsity", 0.1}}));
    EXPECT_EQ(changeAt(earlier, 9).parameters, (Json{{"sparsity", 0.1}, {"branch_scale", 2.0}}));
    EXPECT_EQ(changeAt(earlier, 9).masks, changeAt(both, 9).masks);
    EXPECT_EQ(withoutParameters(earlier).changes.size(), 2U) << "steps 4 and 7 keep their masks";
    EXPECT_EQ(changeAt(withoutParameters(earlier), 9).parameters, Json::object());
    EXPECT_EQ(whatIfFromJson(toJson(earlier)).value(), earlier);
}

TEST(WhatIfJson, RefusesWhatCannotBe) {
    const auto refusal = [](const char* text) {
        const auto read = whatIfFromJson(Json::parse(text));
        return read ? std::string("taken") : read.error().message;
    };
    EXPECT_EQ(refusal("{}"), "taken");
    for (const char* text :
         {R"([])",
          R"({"steps":1})",
          R"({"from_step":-1})",
          R"({"from_step":1e3})",
          R"({"set":3})",
          R"({"set":{"sparsity":"0.5"}})",
          R"({"compute":3})",
          R"({"compute":[-1]})",
          R"({"changes":3})",
          R"({"changes":[3]})",
          R"({"changes":[],"from_step":1})",
          R"({"changes":[{"from_step":1,"compute":[1]}]})",
          R"({"changes":[{"from_step":2,"set":{"a":1}},{"from_step":1,"set":{"a":1}}]})",
          R"({"changes":[{"from_step":2,"set":{"a":1}},{"from_step":2,"set":{"b":1}}]})",
          R"({"masks":[3]})",
          R"({"masks":[{"layer":0,"head":0}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":[]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":[0]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":[""]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":["1"]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":["0,"]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":["-1"]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":["1-0","0"]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":["0;1","0"]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":["0-99999999999"]}]})",
          R"({"masks":[{"layer":-1,"head":0,"rows":["0"]}]})",
          R"({"masks":[{"layer":0,"head":0,"size":0,"rows":["0"]}]})",
          R"({"masks":[{"layer":0,"head":0,"size":64,"box":[1,1,1],"rows":["0"]}]})",
          R"({"masks":[{"layer":0,"head":0,"box":[1,0,1],"rows":["0"]}]})",
          R"({"masks":[{"layer":0,"head":0,"rows":["0"]},{"layer":0,"head":0,"rows":["0"]}]})"}) {
        EXPECT_NE(refusal(text), "taken") << text;
    }
    Json wide{{"masks", Json::array()}};  // small as text, large as lists
    for (int head = 0; head < 64; ++head) {
        wide["masks"].push_back({{"layer", 0}, {"head", head}, {"rows", std::vector<std::string>(4096, "0-4095")}});
    }
    EXPECT_NE(refusal(wide.dump().c_str()), "taken");
    Json many{{"changes", Json::array()}};
    for (int step = 0; step < 17; ++step) {
        many["changes"].push_back({{"from_step", step}, {"set", {{"sparsity", 0.5}}}});
    }
    EXPECT_NE(refusal(many.dump().c_str()), "taken");
    many["changes"].erase(16);
    EXPECT_EQ(refusal(many.dump().c_str()), "taken");
}

}  // namespace
}  // namespace fw::job
