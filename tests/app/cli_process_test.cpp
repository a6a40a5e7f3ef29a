// The real program: every exit code, and what it leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <set>

#include "core/base/json.h"
#include "program_run.h"

namespace fw::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// The smallest clip: one frame of 32 x 32 in one step.
const std::vector<std::string> kTiny{"--width",    "32", "--height", "32", "--frames",  "1", "--steps", "1",
                                     "--guidance", "1",  "--seed",   "3",  "--threads", "1"};

std::vector<std::string> tiny(std::vector<std::string> more) {
    std::vector<std::string> arguments{"generate", "a red balloon"};
    arguments.insert(arguments.end(), kTiny.begin(), kTiny.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

class Cli : public testing::Test {
 protected:
    static void SetUpTestSuite() { ::setenv("FRAMEWRIGHT_PROMPT_CACHE", "off", 1); }
    void SetUp() override {
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        m_folder = fs::temp_directory_path() / ("fw_cli_" + std::to_string(getpid()) + "_" + test->name());
        fs::create_directories(m_folder);
    }
    void TearDown() override { fs::remove_all(m_folder); }

    Outcome run(const std::vector<std::string>& arguments, const std::function<bool()>& prepare = {}) {
        return ProgramRun(arguments, m_folder, prepare).wait();
    }
    // One sentence on stderr, the code, and nothing left behind.
    void expectRefused(const std::vector<std::string>& arguments, int exit, const std::string& part) {
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.exit, exit) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(part));
        EXPECT_THAT(outcome.err, HasSubstr("fw: "));
        EXPECT_TRUE(fs::is_empty(m_folder)) << *fs::directory_iterator(m_folder);
    }
    fs::path m_folder;
};

TEST_F(Cli, MakesEveryFormatAndShowsItsRequest) {
    for (const std::string name : {"clip.mp4", "clip.webm", "clip.gif", "clip/"}) {
        const Outcome made = run(tiny({"--out", name, "--quiet"}));
        ASSERT_EQ(made.exit, 0) << made.err;
        EXPECT_EQ(made.out, name + "\n");
        EXPECT_EQ(made.err, "");
        const Outcome shown = run({"show", name, "--json"});
        ASSERT_EQ(shown.exit, 0) << shown.err;
        const Json json = Json::parse(shown.out);
        EXPECT_EQ(json.at("width"), 32);
        EXPECT_EQ(json.at("metadata").at("request").at("prompt"), "a red balloon");
        EXPECT_EQ(json.at("metadata").at("request").at("seed"), 3);
        EXPECT_EQ(json.at("metadata").at("model").at("hash").get<std::string>().size(), 64U);
    }
}

// Tenths of the tokens, of the embedded model's own adapter: what the picture of its model card is drawn from.
TEST_F(Cli, TellsHowGatesAreSpread) {
    const Outcome made = run({"generate",
                              "a red balloon",
                              "--width",
                              "64",
                              "--height",
                              "64",
                              "--frames",
                              "9",
                              "--steps",
                              "2",
                              "--seed",
                              "3",
                              "--method",
                              "salad",
                              "--set",
                              "sparsity=0.5",
                              "--out",
                              "s.gif",
                              "--quiet",
                              "--trace",
                              "s.safetensors",
                              "--probe",
                              "gate",
                              "--probe-steps",
                              "all"});
    ASSERT_EQ(made.exit, 0) << made.err;
    const Json gates = Json::parse(run({"inspect", "s.safetensors", "--table", "gates", "--json"}).out);
    ASSERT_EQ(gates.size(), 2U * 8U) << "steps and layers";
    for (const Json& gate : gates) {
        double share = 0.0;
        for (int i = 0; i < 10; ++i) {
            share += gate.at("from_0." + std::to_string(i)).get<double>();
        }
        EXPECT_NEAR(share, 1.0, 1e-4);
        EXPECT_GT(gate.at("mean").get<double>(), 0.0);
        EXPECT_LT(gate.at("mean").get<double>(), 1.0);
        EXPECT_GT(gate.at("linear_to_sparse").get<double>(), 0.0);
    }
    EXPECT_EQ(run({"inspect", "s.safetensors", "--table", "gates", "--export", "gates.csv"}).exit, 0);
}

// Boxes of 2 x 4 x 4 tokens, and what is left at the edges of 5 x 5: the pairs are those of the mask's own boxes.
TEST_F(Cli, CountsThePairsOfAMask) {
    std::vector<std::string> arguments{"generate", "a fox"};
    for (const char* const argument : {"--width",       "80",
                                       "--height",      "80",
                                       "--frames",      "5",
                                       "--steps",       "1",
                                       "--seed",        "3",
                                       "--method",      "top_k",
                                       "--set",         "sparsity=0.5",
                                       "--set",         "blocks=tiles_4x4x4",
                                       "--out",         "m.gif",
                                       "--quiet",       "--trace",
                                       "m.safetensors", "--probe",
                                       "mask"}) {
        arguments.emplace_back(argument);
    }
    const Outcome made = run(arguments);
    ASSERT_EQ(made.exit, 0) << made.err;
    const Json table = Json::parse(run({"inspect", "m.safetensors", "--table", "masks", "--json"}).out);
    const Json bits = Json::parse(run({"inspect", "m.safetensors", "--probe", "mask", "--json"}).out);
    constexpr std::array<std::int64_t, 4> kTokens{32, 8, 8, 2};
    ASSERT_EQ(table.size(), bits.size());
    ASSERT_FALSE(table.empty());
    for (std::size_t i = 0; i < table.size(); ++i) {
        std::int64_t pairs = 0;
        for (std::size_t pair = 0; pair < 16; ++pair) {
            const auto isComputed = bits[i].at("v" + std::to_string(pair)).get<std::int64_t>();
            pairs += isComputed * kTokens.at(pair / 4) * kTokens.at(pair % 4);
        }
        EXPECT_EQ(table[i].at("tiles"), 8) << "two of four for each";
        EXPECT_EQ(table[i].at("pairs"), pairs);
    }
}

TEST_F(Cli, InspectsWhatProbesSaw) {
    const Outcome made = run(tiny({"--out", "c.gif", "--quiet", "--trace", "t.safetensors", "--probe", "default",
                                   "--probe-queries", "0,3", "--probe-layers", "0,-1"}));
    ASSERT_EQ(made.exit, 0) << made.err;
    const Outcome summary = run({"inspect", "t.safetensors"});
    ASSERT_EQ(summary.exit, 0) << summary.err;
    EXPECT_THAT(summary.out, HasSubstr("a red balloon"));
    EXPECT_THAT(summary.out, HasSubstr("layers 0, 7"));
    EXPECT_THAT(summary.out, HasSubstr("self_attention"));
    EXPECT_THAT(summary.out, HasSubstr("head_stats"));
    const Json list = Json::parse(run({"inspect", "t.safetensors", "--list", "--json"}).out);
    ASSERT_EQ(list.size(), 4U) << list.dump();
    EXPECT_EQ(list[0].at("probe"), "attention_map");
    EXPECT_EQ(list[0].at("records"), 2 * 4) << "two layers of four heads, one step";
    const Json statistics = Json::parse(run({"inspect", "t.safetensors", "--table", "stats", "--json"}).out);
    ASSERT_EQ(statistics.size(), 8U);
    EXPECT_GT(statistics[0].at("entropy_nats").get<double>(), 0.0);
    EXPECT_EQ(statistics[0].at("own_frame").get<double>(), 1.0) << "there is one frame";

    ASSERT_EQ(run({"inspect", "t.safetensors", "--probe", "attention_row", "--export", "rows.csv"}).exit, 0);
    std::ifstream stream(m_folder / "rows.csv");
    std::string line;
    std::getline(stream, line);
    EXPECT_EQ(line, "step,branch,layer,head,query,v0,v1,v2,v3\r");
    int records = 0;
    while (std::getline(stream, line)) {
        ++records;
    }
    EXPECT_EQ(records, 2 * 4 * 2);
    ASSERT_EQ(run({"inspect", "t.safetensors", "--table", "cost", "--export", "cost.json"}).exit, 0);
    EXPECT_TRUE(Json::parse(std::ifstream(m_folder / "cost.json")).is_array());

    ASSERT_EQ(run({"inspect", "t.safetensors", "--probe", "attention_row", "--export", "rows.npz"}).exit, 0);
    ASSERT_EQ(run({"inspect", "t.safetensors", "--table", "cost", "--export", "cost.npz"}).exit, 0);
    const auto contents = [&](const char* name) {
        std::ifstream file(m_folder / name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_THAT(contents("rows.npz"), HasSubstr("{'descr': '<f2', 'fortran_order': False, 'shape': (16, 4, ), }"));
    EXPECT_THAT(contents("rows.npz"), HasSubstr("query.npy"));
    EXPECT_THAT(contents("cost.npz"), HasSubstr("'descr': '<U15'")) << "the longest module's name";

    const auto refused = [&](const std::vector<std::string>& arguments, const std::string& part) {
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.exit, 2) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(part));
    };
    // What bears the name of an unfinished file is somebody's; a link is written through.
    std::ofstream(m_folder / "cost.json.part") << "somebody's";
    fs::create_directories(m_folder / "cost.json.part-2");
    fs::remove(m_folder / "cost.json");
    fs::create_symlink("costs of today.json", m_folder / "cost.json");
    for (int i = 0; i < 2; ++i) {  // what it names is not there at first
        ASSERT_EQ(run({"inspect", "t.safetensors", "--table", "cost", "--export", "cost.json"}).exit, 0);
        EXPECT_TRUE(fs::is_symlink(m_folder / "cost.json"));
        EXPECT_GT(fs::file_size(m_folder / "costs of today.json"), 100U);
        std::ofstream(m_folder / "costs of today.json") << "old";
    }
    fs::create_symlink("round.json", m_folder / "round.json");
    EXPECT_EQ(run({"inspect", "t.safetensors", "--table", "cost", "--export", "round.json"}).exit, 6);
    EXPECT_EQ(fs::file_size(m_folder / "cost.json.part"), 10U);
    EXPECT_TRUE(fs::is_directory(m_folder / "cost.json.part-2"));
    refused({"inspect", "t.safetensors", "--table", "cache"}, "this trace has no cache decisions");
    refused({"inspect", "t.safetensors", "--table", "masks"}, "--probe mask");
    refused({"inspect", "t.safetensors", "--probe", "nothing"}, "this trace has attention_map");
    refused({"inspect", "t.safetensors", "--export", "x.csv"}, "name a --table or a --probe");
    refused({"inspect", "t.safetensors", "--table", "cost", "--export", "x.txt"}, "none of .csv, .json and .npz");
    EXPECT_EQ(run({"inspect", "c.gif"}).exit, 3);
}

TEST_F(Cli, RefusesProbesItCannotTake) {
    expectRefused(tiny({"--probe", "map"}), 2, "name its file with --trace");
    expectRefused(tiny({"--probe-steps", "0"}), 2, "--probe, which is missing");
    expectRefused(tiny({"--probe", "maps", "--trace", "t.safetensors"}), 2, "there is no probe 'maps'");
    expectRefused(tiny({"--probe", "map", "--probe-steps", "1", "--trace", "t.safetensors"}), 2,
                  "probes want step 1");
    expectRefused(tiny({"--probe", "map", "--probe-layers", "99", "--trace", "t.safetensors"}), 2, "layer 99");
    expectRefused(tiny({"--probe", "row", "--probe-queries", "4", "--trace", "t.safetensors"}), 2,
                  "this clip has 4 of them");
    // A group and more.
    const Outcome made =
        run(tiny({"--probe", "default,error", "--trace", "t.safetensors", "--out", "c.mp4", "--json"}));
    ASSERT_EQ(made.exit, 0) << made.err;
    const Json kinds = Json::parse(made.out).at("request").at("probes").at("kinds");
    EXPECT_THAT(kinds.dump(), HasSubstr("error"));
    EXPECT_THAT(kinds.dump(), HasSubstr("stats"));
}

TEST_F(Cli, PrintsOneJsonObjectAndWritesEverythingAskedFor) {
    const Outcome outcome = run(tiny({"--out", "c.mp4", "--json", "--save-latents", "l.safetensors", "--trace",
                                      "t.safetensors", "--preview-dir", "previews"}));
    ASSERT_EQ(outcome.exit, 0) << outcome.err << outcome.out;
    const Json json = Json::parse(outcome.out);
    EXPECT_EQ(json.at("file"), "c.mp4");
    EXPECT_GT(json.at("seconds").at("total").get<double>(), 0.0);
    EXPECT_EQ(json.at("step_seconds").size(), 1U);
    for (const char* name : {"c.mp4", "l.safetensors", "t.safetensors", "previews/step-001.gif"}) {
        EXPECT_TRUE(fs::exists(m_folder / name)) << name;
    }
    const Outcome trace = run({"show", "t.safetensors", "--json"});
    ASSERT_EQ(trace.exit, 0) << trace.err;
    EXPECT_GT(Json::parse(trace.out).at("modules").at("self_attention").at("flops").get<std::int64_t>(), 0);
    // The saved latents are noise of the right shape for another run.
    EXPECT_EQ(run(tiny({"--out", "d.mp4", "--noise", "l.safetensors", "--quiet"})).exit, 0);
    const Outcome wrong = run({"generate", "x", "--width", "64", "--noise", "l.safetensors", "--out", "e.mp4"});
    EXPECT_EQ(wrong.exit, 2);
    EXPECT_THAT(wrong.err, HasSubstr("noise"));
    EXPECT_FALSE(fs::exists(m_folder / "e.mp4.part"));
}

TEST_F(Cli, PlansAndListsStepCaches) {
    const Outcome planned = run({"plan", "x", "--cache", "pab", "--json"});
    ASSERT_EQ(planned.exit, 0) << planned.err;
    const Json cache = Json::parse(planned.out).at("cache");
    EXPECT_EQ(cache.at("steps").at("self"), "cccrcrcrcrcrcrcrcccc");
    EXPECT_GT(cache.at("bytes").get<std::int64_t>(), 0);
    EXPECT_THAT(run({"plan", "x", "--cache", "pab"}).out, HasSubstr("...r.r.r.r.r.r.r...."));
    EXPECT_THAT(run({"caches"}).out, HasSubstr("self_range"));
    EXPECT_THAT(run({"methods"}).out, HasSubstr("sparsity"));
    // What a script needs to build a request: every parameter with its bounds or choices, and what it is by
    // default.
    for (const char* list : {"methods", "caches"}) {
        const Outcome told = run({list, "--json"});
        ASSERT_EQ(told.exit, 0) << told.err;
        const Json choices = Json::parse(told.out).at(list);
        EXPECT_GT(choices.size(), 5U);
        for (const Json& choice : choices) {
            EXPECT_NE(choice.at("id"), "");
            for (const Json& parameter : choice.at("parameters")) {
                const std::string type = parameter.at("type");
                const Json& value = parameter.at("default");
                if (type == "choice") {
                    EXPECT_THAT(parameter.at("choices"), testing::Contains(value)) << parameter.dump();
                } else if (type == "boolean") {
                    EXPECT_TRUE(value.is_boolean()) << parameter.dump();
                } else {
                    EXPECT_LE(parameter.at("minimum").get<double>(), value.get<double>()) << parameter.dump();
                    EXPECT_GE(parameter.at("maximum").get<double>(), value.get<double>()) << parameter.dump();
                }
            }
        }
    }
}

TEST_F(Cli, MeasuresAModelsConstants) {
    const std::vector<std::string> command{
        "calibrate", "a red balloon", "--width", "32",        "--height", "32",    "--frames", "1", "--steps",
        "4",         "--seed",        "3",       "--threads", "1",        "--out", "c.json"};
    EXPECT_THAT(run(command).err, testing::Not(HasSubstr("replaces")));
    const Outcome made = run(command);
    ASSERT_EQ(made.exit, 0) << made.err;
    EXPECT_THAT(made.err, HasSubstr("replaces the constants that were in c.json"));
    EXPECT_EQ(made.out, "c.json\n");
    std::ifstream file(m_folder / "c.json");
    const Json json = Json::parse(file);
    EXPECT_EQ(json.at("teacache_embedding").size(), 5U);
    ASSERT_EQ(json.at("magcache_magnitudes").size(), 2U);
    EXPECT_EQ(json.at("magcache_magnitudes").at(0).size(), 4U);
    EXPECT_EQ(json.at("magcache_magnitudes").at(0).at(0), 1.0);  // the first step has nothing before it
    for (const char* kind : {"self", "cross", "mlp"}) {
        const Json& steps = json.at("change_by_step_and_layer").at(kind);
        ASSERT_EQ(steps.size(), 4U) << kind;
        EXPECT_EQ(steps.at(0).at(0), 0.0) << kind;
        EXPECT_GT(steps.at(1).at(0).get<double>(), 0.0) << kind;
    }
}

TEST_F(Cli, RefusesBadRequestsWithCode2) {
    expectRefused({"generate"}, 2, "prompt is required");
    expectRefused({"generate", ""}, 2, "prompt is empty");
    expectRefused({"generate", std::string(10'000, 'a')}, 2, "10000 characters");
    expectRefused({"generate", "caf\xe9"}, 2, "UTF-8");
    expectRefused({"generate", "x", "--width", "250"}, 2, "multiple of 16");
    expectRefused({"generate", "x", "--height", "0"}, 2, "height is 0");
    expectRefused({"generate", "x", "--frames", "32"}, 2, "4k + 1");
    expectRefused({"generate", "x", "--frames", "-3"}, 2, "frames is -3");
    expectRefused({"generate", "x", "--width", "99999999999999999999"}, 2, "width");
    expectRefused({"generate", "x", "--steps", "many"}, 2, "--steps");
    expectRefused({"generate", "x", "--guidance", "nan"}, 2, "guidance");
    expectRefused({"generate", "x", "--shift", "-1"}, 2, "shift");
    expectRefused({"generate", "x", "--fps", "0"}, 2, "frame rate");
    expectRefused({"generate", "x", "--seed", "-1"}, 2, "seed '-1'");
    expectRefused({"generate", "x", "--sampler", "magic"}, 2, "magic");
    expectRefused({"generate", "x", "--method", "magic"}, 2, "dense");
    expectRefused({"generate", "x", "--cache", "magic"}, 2, "none, pab");
    expectRefused({"generate", "x", "--cache", "pab", "--set-cache", "self_range=0"}, 2, "self_range is 0");
    expectRefused({"generate", "x", "--set-cache", "self_range"}, 2, "--set-cache takes NAME=VALUE");
    expectRefused({"calibrate", "x", "--cache", "pab"}, 2, "leave out --cache");
    expectRefused({"calibrate", "x", "--steps", "2"}, 2, "2 steps");
    expectRefused({"generate", "x", "--out", "clip.xyz"}, 2, ".xyz");
    expectRefused({"generate", "x", "--bogus"}, 2, "--bogus");
    expectRefused({}, 2, "subcommand");
    expectRefused({"genrate", "x"}, 2, "fw has no command 'genrate'; did you mean generate?");
    expectRefused({"bench", "steps"}, 2, "did you mean step?; see fw bench --help");
    expectRefused({"generate", "x", "--stpes", "4"}, 2, "no option --stpes; did you mean --steps?");
    expectRefused({"generate", "x", "--zzz=4"}, 2, "no option --zzz; see fw generate --help");
    expectRefused({"generate", "x", "--what-if", "none.json"}, 6, "none.json cannot be opened");
}

TEST_F(Cli, RefusesFilesThatWouldReplaceOneAnother) {
    expectRefused(tiny({"--out", "a.mp4", "--trace", "./a.mp4"}), 2, "would both be written");
    expectRefused(tiny({"--trace", "l.safetensors", "--save-latents", "l.safetensors"}), 2,
                  "the latents and the trace would both be written");
    expectRefused(tiny({"--trace", "film.mp4"}), 2, "for example film.safetensors");
}

TEST_F(Cli, SaysSoWhenItsTextCannotBeWritten) {
    const Outcome outcome = run({"caches"}, [] { return std::freopen("/dev/full", "w", stdout) != nullptr; });
    EXPECT_EQ(outcome.exit, 6) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("No space left"));
}

// A clip says what it was made of and on what: enough to make it again.
TEST_F(Cli, AClipTellsItsOrigin) {
    const auto generate = [](const std::string& out) {
        return tiny(
            {"--out", out, "--quiet", "--steps-dir", "steps", "--method", "salad", "--set", "sparsity=0.7"});
    };
    std::vector<std::string> arguments = generate("whole.mp4");
    for (const auto& [option, value] :
         {std::pair("--steps", "3"), std::pair("--width", "64"), std::pair("--height", "64")}) {
        *(std::find(arguments.begin(), arguments.end(), option) + 1) = value;
    }
    const Outcome made = run(arguments);
    ASSERT_EQ(made.exit, 0) << made.err;
    const auto metadataOf = [&](const std::string& file) {
        return Json::parse(run({"show", file, "--json"}).out).at("metadata");
    };
    const Json whole = metadataOf("whole.mp4");
    EXPECT_THAT(whole.at("request").at("adapters").at(0).at("file").get<std::string>(),
                HasSubstr("salad.safetensors"))
        << "the model's own, which nobody named";
    EXPECT_THAT(whole.at("made").at("device").get<std::string>(), HasSubstr("cpu"));
    EXPECT_NE(whole.at("made").at("dtype"), "auto");
    EXPECT_FALSE(whole.contains("branch"));
    // A second run's steps do not go among the first one's.
    const Outcome mixed = run(generate("mixed.mp4"));
    EXPECT_EQ(mixed.exit, 2);
    EXPECT_THAT(mixed.err, HasSubstr("holds the steps of another run"));
    ASSERT_EQ(run({"branch", "steps", "--at-step", "2", "--set", "sparsity=0.5", "-o", "branch.mp4"}).exit, 0);
    const Json branch = metadataOf("branch.mp4");
    EXPECT_EQ(branch.at("request").at("method_parameters").at("sparsity"), 0.5);
    EXPECT_EQ(branch.at("branch").at("at_step"), 2);
    EXPECT_EQ(branch.at("branch").at("from"), whole.at("request"));
    // Somewhere else, and with other weights: half of what the model's own adapter changes.
    const std::string adapter = whole.at("request").at("adapters").at(0).at("file");
    const Outcome half = run({"branch", "steps", "--at-step", "2", "--adapter", adapter + "@0.5", "--device", "cpu",
                              "--threads", "2", "-o", "half.mp4"});
    ASSERT_EQ(half.exit, 0) << half.err;
    const Json request = metadataOf("half.mp4").at("request");
    EXPECT_EQ(request.at("adapters").size(), 1U);
    EXPECT_EQ(request.at("adapters").at(0).at("strength"), 0.5);
    EXPECT_EQ(request.at("device"), "cpu");
    EXPECT_EQ(request.at("threads"), 2);
    EXPECT_EQ(run({"branch", "steps", "--at-step", "2", "--device", "cuda:9", "-o", "none.mp4"}).exit, 7);
}

TEST_F(Cli, RefusesModelsMemoryFilesAndDevices) {
    expectRefused({"generate", "x", "--model", "/nonexistent"}, 3, "/nonexistent");
    expectRefused({"generate", "x", "--width", "8192", "--height", "8192", "--frames", "4093"}, 4, "GiB");
    expectRefused({"generate", "x", "--out", "/nonexistent/clip.mp4"}, 6, "/nonexistent");
    expectRefused({"generate", "x", "--out", "/dev/null/clip.mp4"}, 6, "/dev/null");
    expectRefused({"generate", "x", "--trace", "/nonexistent/t.safetensors"}, 6, "/nonexistent");
    expectRefused({"generate", "x", "--noise", "/nonexistent"}, 6, "/nonexistent");
    expectRefused({"show", "nothing.mp4"}, 6, "nothing.mp4");
    expectRefused({"generate", "x", "--device", "cuda:9"}, 7, "cuda:9");
    expectRefused({"generate", "x", "--device", "cuda:9"}, 7, "choose one of auto");
    // Before any folder is made.
    expectRefused({"generate", "x", "--device", "cpu:9", "--preview-dir", "previews"}, 7, "cpu:9");
}

// What was asked for last counts from its step on; what a run had changed by hand before is not forgotten.
TEST_F(Cli, BranchesOfAChangedRun) {
    std::ofstream(m_folder / "first.json") << R"({"from_step": 1, "set": {"sparsity": 0.25}})";
    const Outcome begun = run({"generate",    "a fox",
                               "--width",     "64",
                               "--height",    "64",
                               "--frames",    "5",
                               "--steps",     "4",
                               "--guidance",  "1",
                               "--seed",      "3",
                               "--threads",   "1",
                               "--method",    "sliding_window",
                               "--set",       "sparsity=0.8",
                               "--what-if",   "first.json",
                               "--steps-dir", "steps",
                               "--out",       "a.mp4",
                               "--quiet"});
    ASSERT_EQ(begun.exit, 0) << begun.err;
    const auto branch = [&](std::vector<std::string> more) {
        std::vector<std::string> arguments{"branch", "steps", "--at-step", "2", "--out", "b.mp4", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    };
    const auto request = [&](const Outcome& outcome) {
        EXPECT_EQ(outcome.exit, 0) << outcome.err;
        return Json::parse(outcome.out, nullptr, false).value("request", Json());
    };
    const Json first{{"from_step", 1}, {"set", {{"sparsity", 0.25}}}};
    EXPECT_EQ(request(branch({}))["what_if"], first);
    const Json set = request(branch({"--set", "sparsity=0.5"}));
    EXPECT_EQ(set["what_if"], (Json{{"changes", {first, {{"from_step", 2}, {"set", {{"sparsity", 0.5}}}}}}}));
    EXPECT_EQ(set["method_parameters"]["sparsity"], 0.8) << "of the steps that stay";

    std::ofstream(m_folder / "more.json") << R"({"from_step": 3, "set": {"sparsity": 0.7}, "compute": [3]})";
    const Json more = request(branch({"--what-if", "more.json"}));
    EXPECT_EQ(more["what_if"],
              (Json{{"changes", {first, {{"from_step", 3}, {"set", {{"sparsity", 0.7}}}}}}, {"compute", {3}}}));
    const Outcome dense = branch({"--method", "dense"});
    EXPECT_FALSE(request(dense).contains("what_if"));
    EXPECT_THAT(dense.err, HasSubstr("sparsity, changed by hand, was a setting of sliding_window"));
    const Outcome twice = branch({"--what-if", "first.json", "--set", "sparsity=0.5"});
    EXPECT_EQ(twice.exit, 2);
    EXPECT_THAT(twice.out, HasSubstr("both say what sparsity is at step 2")) << twice.err;
    std::ofstream(m_folder / "early.json") << R"({"from_step": 1, "set": {"sparsity": 0.3}})";
    const Outcome early = branch({"--what-if", "early.json"});
    EXPECT_EQ(early.exit, 2);
    EXPECT_THAT(early.out, HasSubstr("branch at step 1 or before")) << early.err;
}

TEST_F(Cli, ReportsErrorsAsJson) {
    for (const auto& arguments : {std::vector<std::string>{"generate", "x", "--json", "--width", "7"},
                                  std::vector<std::string>{"generate", "--json", "x", "--bogus"}}) {
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.exit, 2);
        EXPECT_EQ(outcome.err, "");
        const Json json = Json::parse(outcome.out);
        EXPECT_EQ(json.at("error").at("code"), "invalid_argument");
        EXPECT_EQ(json.at("error").at("exit_code"), 2);
    }
}

TEST_F(Cli, LeavesNothingWhenFilesMayNotGrow) {
    const Outcome outcome = run(tiny({"--out", "clip.mp4"}), [] {
        const rlimit limit{512, 512};
        return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
    });
    EXPECT_EQ(outcome.exit, 6) << "signal " << outcome.signal << ": " << outcome.err;
    EXPECT_TRUE(fs::is_empty(m_folder));
}

// The files may grow to 6 KiB: enough for the clip, not for a trace with probes.
TEST_F(Cli, KeepsTheClipWhenItsTraceCannotBeWritten) {
    const Outcome outcome =
        run(tiny({"--out", "c.mp4", "--trace", "t.safetensors", "--probe", "default", "--quiet"}), [] {
            const rlimit limit{6144, 6144};
            return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
        });
    EXPECT_EQ(outcome.exit, 6) << "signal " << outcome.signal << ": " << outcome.err;
    EXPECT_EQ(outcome.out, "c.mp4\n");
    EXPECT_THAT(outcome.err, HasSubstr("fw: The trace could not be written: "));
    EXPECT_TRUE(fs::exists(m_folder / "c.mp4"));
    EXPECT_FALSE(fs::exists(m_folder / "t.safetensors"));
    EXPECT_EQ(run({"show", "c.mp4"}).exit, 0);
}

TEST_F(Cli, SaysSoWhenTheDiskIsFull) {
    const fs::path disk = m_folder / "disk";
    fs::create_directories(disk);
    // Undenoised frames hardly compress: far more than the one page of this disk.
    const std::vector<std::string> arguments{
        "generate", "x",          "--width", "64",    "--height",      "64",        "--frames", "9", "--steps",
        "1",        "--guidance", "1",       "--out", "disk/clip.gif", "--threads", "1"};
    const Outcome outcome = run(arguments, [&] {
        return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               ::mount("fw", disk.c_str(), "tmpfs", 0, "size=4k,nr_inodes=2") == 0;
    });
    if (outcome.exit == 125) {
        GTEST_SKIP() << "a small file system may not be mounted here";
    }
    EXPECT_EQ(outcome.exit, 6) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("clip.gif"));
}

TEST_F(Cli, StopsOnInterruptAndLeavesNothing) {
    for (const int signal : {SIGINT, SIGTERM}) {
        ProgramRun program({"generate", "a red balloon", "--out", "clip.mp4", "--threads", "1", "--steps", "1000"},
                           m_folder);
        ASSERT_TRUE(program.waitForError("denoise"));
        program.sendSignal(signal);
        const Outcome outcome = program.wait();
        EXPECT_EQ(outcome.exit, 5) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr("cancelled"));
        EXPECT_TRUE(fs::is_empty(m_folder));
    }
}

TEST_F(Cli, KeepsToAMemoryBudgetAndRefusesWithNumbers) {
    const Outcome plan = run({"plan", "a red balloon", "--json", "--memory-budget", "1M"});
    ASSERT_EQ(plan.exit, 4) << plan.err;
    const Json json = Json::parse(plan.out);
    EXPECT_EQ(json.at("memory").at("budget_bytes"), 1 << 20);
    EXPECT_THAT(json.at("memory").at("shortage").get<std::string>(), HasSubstr("the budget is 1.0 MiB"));
    const auto least = json.at("peak_bytes").get<std::int64_t>();
    const Outcome shown = run({"plan", "a red balloon", "--memory-budget", std::to_string(least)});
    EXPECT_THAT(shown.out, HasSubstr("within the budget"));
    EXPECT_THAT(shown.out, testing::Not(HasSubstr("Does not fit")));
    EXPECT_THAT(run({"plan", "a red balloon", "--memory-budget", "1M"}).out, HasSubstr("Does not fit: "));
    expectRefused(tiny({"--memory-budget", "1M"}), 4, "the budget is 1.0 MiB");
    expectRefused(tiny({"--memory-budget", "much"}), 2, "'much' is no amount of memory");
    EXPECT_EQ(run(tiny({"--memory-budget", "1G", "--out", "clip.gif", "--quiet"})).exit, 0);
}

// The choice is part of the request that a clip carries, and what is written the usual way stays as it was.
TEST_F(Cli, UsesLoraMergedOrApart) {
    expectRefused(tiny({"--lora", "beside"}), 2, "lora 'beside' is not known; use merged or apart");
    const std::string file = std::string(FW_SOURCE_DIR) + "/resources/models/mini/adapters/salad.safetensors";
    const auto report = [&](std::vector<std::string> more) {
        more.insert(more.end(), {"--adapter", file + "@0.5", "--out", "clip.gif", "--json"});
        const Outcome made = run(tiny(more));
        EXPECT_EQ(made.exit, 0) << made.err;
        return Json::parse(made.out);
    };
    EXPECT_EQ(report({"--lora", "apart"}).at("request").at("lora"), "apart");
    EXPECT_FALSE(report({"--lora", "merged"}).at("request").contains("lora"));
    const auto flops = [&](const std::string& use) {
        const Outcome plan = run({"plan", "a red balloon", "--adapter", file, "--lora", use, "--json"});
        return Json::parse(plan.out).at("total_flops").get<std::int64_t>();
    };
    EXPECT_GT(flops("apart"), flops("merged")) << "what it costs is forecast";
}

TEST_F(Cli, KeepsEncodedPromptsUnlessToldNotTo) {
    const auto made = [&](std::vector<std::string> more) {
        more.insert(more.end(), {"--out", "clip.gif", "--quiet"});
        return run(tiny(more), [] { return ::setenv("FRAMEWRIGHT_PROMPT_CACHE", "prompts", 1) == 0; });
    };
    EXPECT_EQ(made({"--no-prompt-cache"}).exit, 0);
    EXPECT_FALSE(fs::exists(m_folder / "prompts"));
    EXPECT_EQ(made({}).exit, 0);
    EXPECT_EQ(std::distance(fs::directory_iterator(m_folder / "prompts"), fs::directory_iterator()), 1);
    EXPECT_EQ(run(tiny({"--out", "clip.gif", "--quiet"})).exit, 0) << "off";
}

TEST_F(Cli, ABenchmarkTellsWhereAStepGoes) {
    const std::vector<std::string> step{"bench",     "step", "--width",   "64",  "--height",  "64", "--frames", "9",
                                        "--repeats", "1",    "--modules", "0.1", "--threads", "1",  "--json"};
    const Outcome made = run(step);
    ASSERT_EQ(made.exit, 0) << made.err;
    const Json report = Json::parse(made.out);
    std::set<std::string> modules;
    for (const Json& row : report.at("modules")) {
        modules.insert(row.at("module").get<std::string>());
        EXPECT_GT(row.at("calls").get<int>(), 0);
    }
    for (const char* module :
         {"self_attention", "attention_core", "cross_attention", "feed_forward", "vae_decode"}) {
        EXPECT_TRUE(modules.contains(module)) << module;
    }
    const Outcome unknown = run({"bench", "step", "--config", "wan9"});
    EXPECT_EQ(unknown.exit, 2);
    EXPECT_THAT(unknown.err, HasSubstr("wan2.1-t2v-1.3b"));
}

TEST_F(Cli, ListsModelsPlansAndDiagnoses) {
    const Outcome models = run({"models", "--json"});
    ASSERT_EQ(models.exit, 0) << models.err;
    EXPECT_EQ(Json::parse(models.out).at("models").at(0).at("runnable"), true);
    const Outcome plan = run({"plan", "a red balloon", "--json"});
    ASSERT_EQ(plan.exit, 0) << plan.err;
    const Json json = Json::parse(plan.out);
    EXPECT_EQ(json.at("tokens"), 2304);
    EXPECT_EQ(json.at("forwards_per_step"), 2);
    EXPECT_LT(json.at("peak_bytes").get<std::int64_t>(), std::int64_t{1} << 30);
    const Outcome doctor = run({"doctor", "--json"});
    EXPECT_EQ(doctor.exit, 0) << doctor.out;
    EXPECT_EQ(Json::parse(doctor.out).at("ready"), true);
    // A GPU is a device, or it is said why there is none.
    EXPECT_THAT(doctor.out, HasSubstr("cuda"));
    const Outcome help = run({"generate", "--help"});
    EXPECT_EQ(help.exit, 0);
    EXPECT_THAT(help.out, HasSubstr("Exit codes: 0 done"));
}

}  // namespace
}  // namespace fw::test
