#include "core/media/webp_note.h"

#include <charconv>

namespace fw::media {
namespace {

constexpr std::string_view kFrames = " fw:frames=\"";
constexpr std::string_view kRate = " fw:frameRate=\"";
// The metadata stands between these two. A "]]>" inside it would end the section, so it is divided between two.
constexpr std::string_view kBegin = "<rdf:li xml:lang=\"x-default\"><![CDATA[";
constexpr std::string_view kEnd = "]]></rdf:li>";
constexpr std::string_view kForbidden = "]]>";
constexpr std::string_view kDivided = "]]]]><![CDATA[>";
constexpr std::int64_t kMaxFrames = 1'000'000;

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string result;
    for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
        result.append(text.substr(0, at)).append(to);
        text.remove_prefix(at + from.size());
    }
    return result.append(text);
}

// What stands between `name` and the next quotation mark.
std::optional<std::string_view> attribute(std::string_view xmp, std::string_view name) {
    const std::size_t begin = xmp.find(name);
    if (begin == std::string_view::npos) {
        return std::nullopt;
    }
    xmp.remove_prefix(begin + name.size());
    const std::size_t end = xmp.find('"');
    return end == std::string_view::npos ? std::nullopt : std::optional(xmp.substr(0, end));
}

}  // namespace

std::string xmpOfNote(const WebPNote& note) {
    std::string xmp =
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
        "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
        "xmlns:fw=\"urn:framewright\"";
    xmp.append(kFrames).append(std::to_string(note.frames)).append("\"");
    xmp.append(kRate).append(job::frameRateText(note.frameRate)).append("\">");
    if (!note.metadata.empty()) {
        xmp.append("<dc:description><rdf:Alt>").append(kBegin);
        xmp.append(replaced(note.metadata, kForbidden, kDivided));
        xmp.append(kEnd).append("</rdf:Alt></dc:description>");
    }
    return xmp.append("</rdf:Description></rdf:RDF></x:xmpmeta>");
}

std::optional<WebPNote> noteOfXmp(std::string_view xmp) {
    const auto frames = attribute(xmp, kFrames);
    const auto rate = attribute(xmp, kRate);
    if (!frames || !rate) {
        return std::nullopt;
    }
    WebPNote note;
    const auto [end, code] = std::from_chars(frames->data(), frames->data() + frames->size(), note.frames);
    const auto parsed = job::frameRateFromText(*rate);
    if (code != std::errc{} || end != frames->data() + frames->size() || note.frames < 1 ||
        note.frames > kMaxFrames || !parsed) {
        return std::nullopt;
    }
    note.frameRate = *parsed;
    const std::size_t begin = xmp.find(kBegin);
    const std::size_t last = xmp.rfind(kEnd);
    if (begin != std::string_view::npos && last != std::string_view::npos && last >= begin + kBegin.size()) {
        note.metadata =
            replaced(xmp.substr(begin + kBegin.size(), last - begin - kBegin.size()), kDivided, kForbidden);
    }
    return note;
}

}  // namespace fw::media
