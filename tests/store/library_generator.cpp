#include "library_generator.h"

#include <array>
#include <random>
#include <string>

#include "core/base/json.h"
#include "core/store/library_store.h"
#include "core/store/sqlite_handles.h"

namespace fw::store {
namespace {

constexpr std::array kWords{
    "a",       "the",     "red",      "fox",    "walks",   "through",   "snow",  "at",      "night",   "city",
    "in",      "rain",    "camera",   "slowly", "moves",   "over",      "an",    "ancient", "forest",  "with",
    "lantern", "light",   "child",    "runs",   "along",   "beach",     "waves", "crash",   "against", "rocks",
    "aerial",  "view",    "mountain", "mist",   "morning", "cinematic", "film",  "grain",   "close",   "up",
    "of",      "clock",   "gears",    "turn",   "steam",   "train",     "and",   "bridge",  "sunset",  "astronaut",
    "café",    "dancing", "robot",    "paints", "portrait"};
constexpr std::array kModels{"mini", "Wan2.1-T2V-1.3B", "Wan2.1-T2V-14B", "lingen-4b"};
constexpr std::array kMethods{"dense", "salad", "sliding_window", "top_k", "lingen"};

std::string makePrompt(std::mt19937_64& random, std::int64_t number) {
    std::string prompt;
    const auto words = 8 + random() % 33;
    for (std::uint64_t i = 0; i < words; ++i) {
        // Squared: early words are frequent, late ones rarer.
        const std::uint64_t pick = random() % kWords.size() * (random() % kWords.size()) / kWords.size();
        prompt += (i == 0 ? "" : " ") + std::string(kWords[pick]);
    }
    return prompt + " no" + std::to_string(number);  // a rare word each
}

std::string makeReport(const std::string& request, std::int64_t number) {
    Json steps = Json::array();
    for (int i = 0; i < 20; ++i) {
        steps.push_back({{"step", i}, {"seconds", 0.14 + 0.0001 * static_cast<double>(number % 97)}});
    }
    return Json{{"request", Json::parse(request)}, {"steps", steps}, {"total_seconds", 3.7}}.dump();
}

struct Row {
    Statement& clip;
    Statement& tag;
    Connection& connection;
};

Status addRow(const Row& row, std::mt19937_64& random, std::int64_t i, int thumbnails) {
    const std::string prompt = makePrompt(random, i);
    const std::string seed = std::to_string(random());
    const std::string model = kModels[random() % kModels.size()];
    const std::string method = kMethods[random() % kMethods.size()];
    const int steps = 10 + static_cast<int>(random() % 41);
    const std::string request =
        Json{{"schema", 1},    {"prompt", prompt}, {"negative_prompt", "blurry, low quality"},
             {"width", 256},   {"height", 256},    {"frames", 33},
             {"steps", steps}, {"method", method}}
            .dump();
    const std::string file = "clips/2026-11/" + std::to_string(i) + ".mp4";
    const std::string picture = thumbnails > 0 ? "thumbnails/" + std::to_string(i % thumbnails) + ".png" : "";
    Statement& s = row.clip.reset();
    s.bind(std::int64_t{1}).bind(file).bind(std::string(64, 'a')).bind(std::int64_t{200'000 + i});
    s.bind(256).bind(256).bind(1 + 4 * static_cast<int>(random() % 30)).bind(12).bind(1);
    s.bind(std::int64_t{1'700'000'000'000'000} + i * 300'000'000).bind(prompt).bind("blurry, low quality");
    s.bind(model).bind(std::string(64, 'b')).bind(method).bind(random() % 4 == 0 ? "euler" : "unipc").bind("cpu");
    s.bind("bf16").bind("0.3.0").bind(steps).bind(1.0 + static_cast<double>(random() % 80) / 10.0).bind(seed);
    s.bind(3.7).bind(request).bind(makeReport(request, i)).bind("").bind(picture);
    s.bind(static_cast<int>(random() % 12 < 6 ? 0 : random() % 6)).bind(i % 50 == 49 ? std::int64_t{1} : 0);
    FW_TRY(s.run());
    if (i % 9 == 0) {
        FW_TRY(row.tag.reset().bind(row.connection.lastInsertId()).bind(1 + i / 9 % 40).run());
    }
    return {};
}

}  // namespace

Status generateLibrary(const std::filesystem::path& folder, std::int64_t count, int thumbnails) {
    {
        FW_ASSIGN(const auto store, LibraryStore::open(folder));
        FW_TRY(store->close());
    }
    // One transaction instead of one for each clip.
    FW_ASSIGN(const auto connection, Connection::open(folder / "library.sqlite3", Connection::Mode::ReadWrite));
    FW_ASSIGN(auto transaction, Transaction::begin(*connection));
    for (int i = 1; i <= 40; ++i) {
        FW_TRY(connection->execute(fmt::format("INSERT INTO tag (id, name) VALUES ({}, 'label {}')", i, i)));
    }
    FW_ASSIGN(auto clip,
              connection->prepare("INSERT INTO clip (project_id, file, sha256, bytes, width, height, frames, "
                                  "fps_numerator, fps_denominator, created_us, prompt, negative_prompt, model, "
                                  "model_hash, method, sampler, device, dtype, version, steps, guidance, seed, "
                                  "seconds, request, report, trace_file, thumbnail_file, stars, trashed_us) "
                                  "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    FW_ASSIGN(auto tag, connection->prepare("INSERT INTO clip_tag (clip_id, tag_id) VALUES (?, ?)"));
    std::mt19937_64 random(7);
    for (std::int64_t i = 0; i < count; ++i) {
        FW_TRY(addRow({clip, tag, *connection}, random, i, thumbnails));
    }
    clip.reset();
    tag.reset();
    return transaction.commit();
}

}  // namespace fw::store
