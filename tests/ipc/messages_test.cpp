#include "core/ipc/messages.h"

#include <gtest/gtest.h>

#include <random>

#include "core/ipc/answers.h"

namespace fw::ipc {
namespace {

std::span<const std::byte> bytesOf(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string frame(const std::string& json) {
    std::string result;
    const auto size = static_cast<std::uint32_t>(json.size());
    for (unsigned shift = 0; shift < 32; shift += 8) {
        result.push_back(static_cast<char>((size >> shift) & 0xffU));
    }
    return result + json;
}

std::vector<Message> examples() {
    Hello hello;
    hello.version = "0.1.0";
    hello.processId = 42;
    hello.devices = Json::array({{{"id", "cpu"}}});
    job::MethodDescription method{"salad", "SALAD", "sparse and linear", "arXiv:2601.16515", {}};
    method.parameters.push_back(
        {"sparsity", job::ParameterType::Real, "", 0.0, 0.99, {}, Json(0.9), "share of pairs left out"});
    hello.methods.push_back(method);
    hello.caches.push_back({"pab", "PAB", "reuses attention", "arXiv:2408.12588", {}});
    Generate generate;
    generate.jobId = 7;
    generate.request.prompt = "a fox \"in\" snow\n日本 🦊";
    generate.request.seed = 18446744073709551615ULL;
    generate.stagingFolder = "/tmp/staging with space";
    generate.previewMemory = "/fw-1";
    ClipReady clip;
    clip.jobId = 7;
    clip.file = "7.mp4";
    clip.report = {{"steps", 20}};
    return {hello,
            generate,
            Cancel{7, true},
            DecodeNow{7},
            LookInside{7, nullptr},
            LookInside{7, {{"kinds", "default"}}},
            TraceReady{7, 3, "/staging/7/trace.safetensors"},
            Ping{3},
            Shutdown{},
            Pong{3, 99},
            Progress{7, "denoise", 3, 20, 0.15, 12.5},
            Checkpoint{7, 3, "7.safetensors"},
            PreviewReady{7, 3, 20, 1, 99, 9, 32, 32, true},
            clip,
            Failed{7, "out_of_memory", "asked 3 GiB", true},
            Log{"warning", "slow disk"},
            InspectModel{1, ""},
            FindModels{2, {"/models", "/more \"models\""}},
            PlanRequest{3, generate.request, true},
            Answer{18446744073709551615ULL, Json::array({1, "two", nullptr})},
            Refused{3, "bad_model", "/models/x holds no model_index.json"}};
}

TEST(Messages, EveryKindSurvivesTheWireInAnyChunks) {
    std::string stream;
    for (const Message& message : examples()) {
        stream += encode(message);
    }
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, std::size_t{4096}, stream.size()}) {
        Decoder decoder;
        std::vector<std::string> seen;
        for (std::size_t at = 0; at < stream.size(); at += chunk) {
            decoder.feed(bytesOf(std::string_view(stream).substr(at, chunk)));
            for (;;) {
                const auto message = decoder.next();
                ASSERT_TRUE(message) << message.error().message;
                if (!*message) {
                    break;
                }
                seen.push_back(encode(**message));
            }
        }
        std::string again;
        for (const auto& one : seen) {
            again += one;
        }
        EXPECT_EQ(again, stream) << "chunks of " << chunk;
    }
}

TEST(Messages, GarbageIsAnErrorAndEndsTheStream) {
    const std::vector<std::string> bad{
        frame("not json"),
        frame("[]"),
        frame("{}"),
        frame(R"({"type":"teleport"})"),
        frame(R"({"type":"cancel","id":"7","keep_estimate":false})"),
        frame(R"({"type":"cancel","id":-1,"keep_estimate":false})"),
        frame(R"({"type":"progress","id":1,"phase":"x","step":1e99,"steps":2,"fraction":0,"seconds_left":0})"),
        frame(
            R"({"type":"progress","id":1,"phase":"x","step":99999999999,"steps":2,"fraction":0,"seconds_left":0})"),
        frame(R"({"type":"generate","id":1,"request":{"no such field":1}})"),
        frame(
            R"({"type":"hello","protocol":4,"version":"","process_id":1,"devices":[],"methods":[3],"caches":[]})"),
        frame(R"({"type":"find_models","ticket":1,"folders":["/a",3]})"),
        frame(R"({"type":"inspect_model","ticket":-1,"folder":""})"),
        frame(R"({"type":"answer","ticket":1})"),
        std::string("\xff\xff\xff\xff", 4),
    };
    for (const std::string& bytes : bad) {
        Decoder decoder;
        decoder.feed(bytesOf(bytes));
        const auto message = decoder.next();
        ASSERT_FALSE(message) << bytes;
        EXPECT_EQ(message.error().code, ErrorCode::InvalidArgument);
        decoder.feed(bytesOf(encode(Ping{1})));
        EXPECT_FALSE(decoder.next()) << "a broken stream stays broken";
    }
}

TEST(Messages, AnotherVersionIsKnownByItsNumberWhateverElseItSays) {
    Decoder decoder;
    decoder.feed(bytesOf(frame(R"({"type":"hello","protocol":77,"version":"9.9"})")));
    const auto message = decoder.next();
    ASSERT_TRUE(message) << message.error().message;
    const auto& hello = std::get<Hello>(**message);
    EXPECT_EQ(hello.protocol, 77);
    EXPECT_EQ(hello.version, "9.9");
}

TEST(Answers, SurviveJsonAndRefuseWhatIsMissing) {
    ModelCard card{"/models/mini \"x\"", "mini", true, {}, 123, 456, {"no weights", "no tokenizer"}};
    card.defaults.longerFrames = {97, 161};
    card.defaults.frameRate = {24000, 1001};
    card.defaults.steps = 7;
    const Json json = toJson(card);
    const auto again = modelCardFromJson(json);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(toJson(*again), json);
    EXPECT_EQ(again->defaults.frameRate, card.defaults.frameRate);
    const auto list = modelCardsFromJson(toJson(std::vector{card, card}));
    ASSERT_TRUE(list);
    EXPECT_EQ(list->size(), 2U);
    for (const auto& [key, value] : json.items()) {
        Json less = json;
        less.erase(key);
        EXPECT_FALSE(modelCardFromJson(less)) << key;
        less[key] = Json::array({Json::object()});
        EXPECT_FALSE(modelCardFromJson(less)) << key;
    }
    EXPECT_FALSE(modelCardsFromJson(Json::array({3})));
    EXPECT_FALSE(modelCardsFromJson(json));
    const auto plan = planCardFromJson(toJson(PlanCard{1, 2, 3}));
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->peakBytes, 3);
    EXPECT_FALSE(planCardFromJson(Json::array()));
    EXPECT_FALSE(planCardFromJson({{"tokens", -1}, {"flops", 1}, {"peak_bytes", 1}}));
}

TEST(Messages, RandomBytesNeverCrash) {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes = encode(examples()[static_cast<std::size_t>(round) % examples().size()]);
        for (int i = 0; i < 3; ++i) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        Decoder decoder;
        decoder.feed(bytesOf(bytes));
        for (int i = 0; i < 4; ++i) {
            if (const auto message = decoder.next(); !message || !*message) {
                break;
            }
        }
    }
}

// Copying what such a message holds would use up the stack.
TEST(Messages, EndlessNestingIsRefused) {
    const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
    for (const std::string& json : {R"({"type": "clip", "id": 1, "report": )" + deep + "}", deep,
                                    R"({"type": "hello", "devices": )" + deep + "}"}) {
        Decoder decoder;
        decoder.feed(bytesOf(frame(json)));
        EXPECT_FALSE(decoder.next());
    }
}

}  // namespace
}  // namespace fw::ipc
