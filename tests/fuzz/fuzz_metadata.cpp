// Any text as what a clip says about itself, as the XMP of a WebP, and as a preset: refused in a few words, or a
// request that is the same once written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/job/clip_metadata.h"
#include "core/job/preset.h"
#include "core/media/webp_note.h"

namespace {

constexpr std::size_t kMaxMessage = 400;

template <class T>
void checkError(const fw::Result<T>& result) {
    FW_CHECK(result.error().code == fw::ErrorCode::InvalidArgument && !result.error().message.empty());
    FW_CHECK(result.error().message.size() < kMaxMessage, "{} bytes of message", result.error().message.size());
    (void)fw::Json(result.error().message).dump();  // throws for what is not UTF-8
}

void checkRequest(const fw::Result<fw::job::GenerationRequest>& request) {
    if (!request) {
        checkError(request);
        return;
    }
    const auto again = fw::job::requestFromJson(fw::Json(fw::job::toJson(*request)));
    FW_CHECK(again && *again == *request, "a request changed on its way");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    checkRequest(fw::job::requestFromMetadata(text));
    if (const auto preset = fw::job::presetFromText(text); preset) {
        const auto again = fw::job::presetFromText(fw::job::presetText(*preset));
        FW_CHECK(again && again->name == preset->name && again->request == preset->request);
    } else {
        checkError(preset);
    }
    if (const auto note = fw::media::noteOfXmp(text)) {
        const auto again = fw::media::noteOfXmp(fw::media::xmpOfNote(*note));
        FW_CHECK(again && again->metadata == note->metadata && again->frames == note->frames);
        checkRequest(fw::job::requestFromMetadata(note->metadata));
    }
    return 0;
}
