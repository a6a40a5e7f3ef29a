// How long a finished clip takes to become an MP4, alone and behind a decoder that delivers it in pieces, as a GPU
// does.
//
//   encode_bench [WIDTH HEIGHT FRAMES DECODE_SECONDS]     832 480 81 0.95 without arguments
//
// Frames are moving waves with grain, which costs the encoder more than most clips, and waves alone.
#include <fmt/core.h>
#include <stdlib.h>  // mkdtemp
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "app/engine/encoder_thread.h"

namespace {

using namespace fw;
namespace fs = std::filesystem;

constexpr std::int64_t kPieceFrames = 4;  // of one latent frame

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Of all threads of the process: what a machine with other work to do can be measured by.
double processorSeconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::vector<std::uint8_t> madeFrames(const Shape& shape, double grain) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.product()));
    std::uint32_t random = 1;
    std::size_t at = 0;
    for (std::int64_t t = 0; t < shape[0]; ++t) {
        for (std::int64_t y = 0; y < shape[1]; ++y) {
            for (std::int64_t x = 0; x < shape[2]; ++x) {
                random = random * 1664525U + 1013904223U;
                const double noise = grain * (static_cast<double>(random >> 8U) / (1U << 24U) - 0.5);
                const double phase = 0.03 * static_cast<double>(x + y + 3 * t);
                for (int channel = 0; channel < 3; ++channel) {
                    bytes[at++] = static_cast<std::uint8_t>(
                        std::lround(127.5 + 100.0 * std::sin(phase * (1.0 + 0.3 * channel)) + noise));
                }
            }
        }
    }
    return bytes;
}

struct Times {
    double busy = 0.0;  // of the encoder
    double processor = 0.0;
    double after = 0.0;  // from the last frame's delivery to the finished file
};

// `decodeSeconds`: what delivering all frames takes; 0: they are there at once.
Result<Times> encode(const fs::path& file, const ConstTensorView& frames, double decodeSeconds) {
    FW_ASSIGN(const auto writer, media::ClipWriter::create(file, {frames.dim(2), frames.dim(1), {16, 1}, "{}"}));
    app::EncoderThread encoder(*writer);
    const double begin = now();
    const double spent = processorSeconds();
    for (std::int64_t first = 0; first < frames.dim(0); first += kPieceFrames) {
        const std::int64_t end = std::min(first + kPieceFrames, frames.dim(0));
        const double due = begin + decodeSeconds * static_cast<double>(end) / static_cast<double>(frames.dim(0));
        std::this_thread::sleep_for(std::chrono::duration<double>(std::max(0.0, due - now())));
        FW_TRY(encoder.push(frames.slice(0, first, end)));
    }
    // What the decoder alone would have taken, however long it had to wait for the encoder.
    FW_TRY(encoder.finish());
    return Times{encoder.busySeconds(), processorSeconds() - spent, now() - begin - decodeSeconds};
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int index, double usual) {
        return index < argc ? std::strtod(argv[index], nullptr) : usual;
    };
    const Shape shape{static_cast<std::int64_t>(number(3, 81)), static_cast<std::int64_t>(number(2, 480)),
                      static_cast<std::int64_t>(number(1, 832)), 3};
    const double decodeSeconds = number(4, 0.95);
    std::string folder = (fs::temp_directory_path() / "fw-encode-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) {
        fmt::print(stderr, "cannot make a temporary folder like {}\n", folder);
        return 1;
    }
    fmt::print("{} frames of {} x {}, decoded in {} s\n", shape[0], shape[2], shape[1], decodeSeconds);
    fmt::print("{:8}{:>12}{:>16}{:>24}{:>10}\n", "grain", "alone, s", "processor, s", "after the decoder, s",
               "MiB");
    int failures = 0;
    for (const double grain : {0.0, 12.0}) {
        const auto bytes = madeFrames(shape, grain);
        const ConstTensorView frames(bytes.data(), DType::U8, shape);
        const auto file = fs::path(folder) / "clip.mp4";
        const auto alone = encode(file, frames, 0.0);
        const auto behind = encode(file, frames, decodeSeconds);
        if (!alone || !behind) {
            fmt::print(stderr, "{}\n", (alone ? behind : alone).error().message);
            ++failures;
            continue;
        }
        fmt::print("{:<8}{:12.2f}{:16.2f}{:24.2f}{:10.2f}\n", grain, alone->busy, alone->processor, behind->after,
                   static_cast<double>(fs::file_size(file)) / (1 << 20));
    }
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    return failures;
}
