// Any text as each of the configurations: either refused with a message, or a value whose tensor table can be made.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/weights/model_config.h"
#include "core/weights/tensor_table.h"
#include "core/weights/text.h"

namespace {

using namespace fw::weights;

void checkError(const fw::Error& error) {
    FW_CHECK(error.code == fw::ErrorCode::BadModel && !error.message.empty());
    FW_CHECK(!firstInvalidUtf8(error.message), "a message that is no text");
}

// What every accepted configuration promises: sizes that fit int64 and are positive.
template <class Config>
void checkTable(const fw::Result<Config>& config) {
    if (!config) {
        checkError(config.error());
        return;
    }
    for (const TensorSpec& spec : tensorTable(*config)) {
        FW_CHECK(spec.shape.product() > 0, "{} {}", spec.name, spec.shape.text());
    }
    FW_CHECK(parameterCount(tensorTable(*config)) > 0);
}

template <class Config>
void checkParsed(const fw::Result<Config>& config) {
    if (!config) {
        checkError(config.error());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto json = parseJsonText({reinterpret_cast<const char*>(data), size});
    if (!json) {
        checkError(json.error());
        return 0;
    }
    checkTable(parseWanTransformerConfig(*json));
    checkTable(parseWanVaeConfig(*json));
    checkTable(parseUmt5Config(*json));
    checkParsed(parseTokenizerConfig(*json));
    checkParsed(parseSchedulerConfig(*json));
    checkParsed(parseModelIndex(*json));
    return 0;
}
