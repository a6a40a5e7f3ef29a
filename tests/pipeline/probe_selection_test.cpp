#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/job/generation_request.h"
#include "core/job/probe_selection.h"

namespace fw::job {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ProbeSelection selectionOf(const std::string& kinds, const std::string& steps = {}, const std::string& layers = {},
                           const std::string& queries = {}) {
    const auto json = probeJsonFromText(kinds, steps, layers, queries);
    EXPECT_TRUE(json) << json.error().message;
    const auto selection = probeSelectionFromJson(json.value_or(Json()));
    EXPECT_TRUE(selection);
    return selection.value_or(ProbeSelection{});
}

std::string refusal(const std::string& kinds, const std::string& steps = {}, const std::string& layers = {},
                    const std::string& queries = {}) {
    const auto json = probeJsonFromText(kinds, steps, layers, queries);
    return json ? "taken" : json.error().message;
}

TEST(ProbeSelection, ReadsTheCommandLine) {
    const ProbeSelection some = selectionOf("words,map,map", "0,-1,3", "-2", "");
    EXPECT_THAT(some.kinds, ElementsAre(Probe::Map, Probe::Words));
    EXPECT_THAT(selectedSteps(some, 10).value(), ElementsAre(0, 3, 9));
    EXPECT_THAT(selectedLayers(some, 4).value(), ElementsAre(2));
    const ProbeSelection rows = selectionOf("default", "all", "all", "120,400");
    EXPECT_TRUE(rows.has(Probe::Row));
    EXPECT_TRUE(rows.has(Probe::Stats));
    EXPECT_THAT(rows.queries, ElementsAre(120, 400));
    EXPECT_THAT(selectedSteps(rows, 3).value(), ElementsAre(0, 1, 2));
    EXPECT_THAT(selectedLayers(rows, 2).value(), ElementsAre(0, 1));
    EXPECT_EQ(selectionOf("all").kinds.size(), kProbeNames.size() - 1) << "all but queries and keys";
    EXPECT_FALSE(selectionOf("all").has(Probe::Qk));
    EXPECT_TRUE(selectionOf("qk,error,scan").has(Probe::Qk));
}

TEST(ProbeSelection, SpreadsAFewSteps) {
    const ProbeSelection selection = selectionOf("map");
    EXPECT_THAT(selectedSteps(selection, 50).value(), ElementsAre(0, 16, 32, 49));
    EXPECT_THAT(selectedSteps(selection, 3).value(), ElementsAre(0, 1, 2));
    EXPECT_THAT(selectedSteps(selection, 1).value(), ElementsAre(0));
}

TEST(ProbeSelection, SaysWhatIsWrong) {
    EXPECT_THAT(refusal("maps"), HasSubstr("there is no probe 'maps'; choose from map, row"));
    EXPECT_THAT(refusal(""), HasSubstr("their kinds"));
    EXPECT_THAT(refusal("map", "1,,2"), HasSubstr("--probe-steps takes whole numbers"));
    EXPECT_THAT(refusal("map", "1;2"), HasSubstr("--probe-steps takes whole numbers"));
    EXPECT_THAT(refusal("map", "5000"), HasSubstr("the steps of probes"));
    EXPECT_THAT(refusal("map", "", "1,"), HasSubstr("--probe-layers takes"));
    EXPECT_THAT(refusal("row"), HasSubstr("--probe-queries"));
    EXPECT_THAT(refusal("map", "", "", "-1"), HasSubstr("the queries of probes"));
    EXPECT_THAT(refusal("map", "", "", "99999999999"), HasSubstr("--probe-queries takes"));
    const auto far = selectedSteps(selectionOf("map", "10"), 10);
    ASSERT_FALSE(far);
    EXPECT_THAT(far.error().message, HasSubstr("probes want step 10, but there are 10"));
    EXPECT_FALSE(selectedLayers(selectionOf("map", "", "-5"), 4));
}

TEST(ProbeSelection, RefusesHostileJson) {
    for (const char* text :
         {"[]", "{}", "null", R"({"kinds": 3})", R"({"kinds": [3]})", R"({"kinds": []})", R"({"kinds": "map"})",
          R"({"kinds": ["map"], "steps": []})", R"({"kinds": ["map"], "steps": [1.5]})",
          R"({"kinds": ["map"], "steps": [18446744073709551615]})", R"({"kinds": ["map"], "layers": [-10001]})",
          R"({"kinds": ["map"], "samples": -1})", R"({"kinds": ["map"], "samples": [1]})",
          R"({"kinds": ["map"], "queries": [1]})", R"({"kinds": ["map"], "more": 1})"}) {
        const auto selection = probeSelectionFromJson(Json::parse(text));
        ASSERT_FALSE(selection) << text;
        EXPECT_EQ(selection.error().code, ErrorCode::InvalidArgument);
    }
}

TEST(ProbeSelection, IsPartOfARequest) {
    GenerationRequest request;
    request.prompt = "a bear";
    EXPECT_FALSE(toJson(request).contains("probes"));
    request.probes = probeJsonFromText("map,stats", "0,-1", "", "").value();
    const auto back = requestFromJson(Json::parse(toJson(request).dump()));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, request);
    EXPECT_TRUE(resolve(request, ModelDefaults{}));
    request.probes->at("steps") = {50};
    const auto late = resolve(request, ModelDefaults{});
    ASSERT_FALSE(late);
    EXPECT_THAT(late.error().message, HasSubstr("probes want step 50"));
    request.probes = Json{{"kinds", {"nothing"}}};
    EXPECT_FALSE(resolve(request, ModelDefaults{}));
}

}  // namespace
}  // namespace fw::job
