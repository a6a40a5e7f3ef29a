// The formats a clip can be written in: what each is good for and whether this machine can write it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/result.h"

namespace fw::media {

enum class ClipFormat : std::uint8_t { H264, H265, Vp9, Av1, ProRes, Ffv1, Gif, WebP, Png };

struct ClipFormatInfo {
    ClipFormat format = ClipFormat::H264;
    std::string_view id;         // "h264": stable, for settings and the command line
    std::string_view name;       // "MP4, H.264"
    std::string_view extension;  // ".mp4"; empty: a folder of files
    std::string_view codec;      // FFmpeg's name of the codec, as ClipInfo::codec says it
    bool hasQuality = false;     // ClipSpec::quality matters
    bool hasLoops = false;       // ClipSpec::loops matters
};

// All of them, in the order of the enumeration.
[[nodiscard]] std::span<const ClipFormatInfo> clipFormats();
[[nodiscard]] const ClipFormatInfo& formatInfo(ClipFormat format);

// The format a file name stands for: .mp4 H.264, .webm VP9, .mov ProRes, .mkv FFV1, .gif, .webp; no extension or a
// name that ends in "/": PNG. Upper and lower case are the same. Nothing for other extensions.
[[nodiscard]] std::optional<ClipFormat> formatOfPath(const std::filesystem::path& path);

// Unsupported, with the name of the missing part, when the installed FFmpeg libraries cannot write the format.
[[nodiscard]] Status checkFormat(ClipFormat format);

// Quality 1 … 100 on an encoder's own scale. All are linear, so that a step of the slider is about the same step of
// file size everywhere, and meet the values that generated clips are written with at 75.
//   H.264  CRF 40 … 8 (75: 16)      H.265  CRF 42 … 10 (75: 18)
//   VP9    CRF 52 … 12 (75: 22)     AV1    CRF 56 … 16 (75: 26)
//   ProRes below 25 Proxy, below 50 LT, below 75 Standard, from 75 HQ
//   WebP   its own 1 … 99; 100: lossless
// GIF, FFV1 and PNG have no quality: GIF always uses the best 256 colours, the others lose nothing.
[[nodiscard]] int encoderQuality(ClipFormat format, int quality);

}  // namespace fw::media
