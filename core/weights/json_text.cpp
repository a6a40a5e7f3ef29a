// parseJsonText and readJsonFile: JSON from files of unknown origin, bounded in size, depth and number of values.
#include "core/weights/model_config.h"
#include "core/weights/read_file.h"
#include "core/weights/text.h"

namespace fw::weights {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxValues = 1'000'000;

// Builds the document from parse events. nlohmann's own builder keeps the last of two equal keys in silence and has
// no bounds, so this one does its work; the first problem ends the parse.
class DocumentBuilder {
 public:
    DocumentBuilder() : document(nullptr) {}
    DocumentBuilder(const DocumentBuilder&) = delete;  // holds pointers into its document
    DocumentBuilder& operator=(const DocumentBuilder&) = delete;

    bool null() { return place(nullptr); }
    bool boolean(bool value) { return place(value); }
    bool number_integer(Json::number_integer_t value) { return place(value); }
    bool number_unsigned(Json::number_unsigned_t value) { return place(value); }
    bool number_float(Json::number_float_t value, const std::string&) { return place(value); }
    bool string(std::string& value) { return place(std::move(value)); }
    bool binary(Json::binary_t&) { return stop("binary values are not JSON"); }

    bool start_object(std::size_t) { return open(Json::object()); }
    bool key(std::string& name) {
        if (m_open.back()->contains(name)) {
            return stop(fmt::format("the key {} appears twice in one object", quoteText(name)));
        }
        m_key = std::move(name);
        return true;
    }
    bool end_object() { return close(); }
    bool start_array(std::size_t) { return open(Json::array()); }
    bool end_array() { return close(); }

    bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception&) {
        return stop(fmt::format("not valid JSON at byte {}, near {}", position, quoteText(token)));
    }

    Json document;
    std::string problem;

 private:
    bool stop(std::string text) {
        if (problem.empty()) {
            problem = std::move(text);
        }
        return false;
    }

    bool place(Json value) { return insert(std::move(value)) != nullptr; }

    // Where the value was put; null once a bound is exceeded.
    Json* insert(Json value) {
        if (++m_values > kMaxValues) {
            stop(fmt::format("more than {} values", kMaxValues));
            return nullptr;
        }
        if (m_open.empty()) {
            document = std::move(value);
            return &document;
        }
        Json& parent = *m_open.back();
        if (parent.is_array()) {
            parent.push_back(std::move(value));
            return &parent.back();
        }
        Json& slot = parent[m_key];
        slot = std::move(value);
        return &slot;
    }

    bool open(Json container) {
        if (m_open.size() >= kMaxDepth) {
            return stop(fmt::format("nested deeper than {} levels", kMaxDepth));
        }
        Json* placed = insert(std::move(container));
        if (placed == nullptr) {
            return false;
        }
        // Parents do not grow while a child is open, so the pointer stays good until close().
        m_open.push_back(placed);
        return true;
    }

    bool close() {
        m_open.pop_back();
        return true;
    }

    std::vector<Json*> m_open;
    std::string m_key;
    std::size_t m_values = 0;
};

}  // namespace

Result<Json> parseJsonText(std::string_view text) {
    if (text.size() > kMaxBytes) {
        return fail(ErrorCode::BadModel, "{} bytes of JSON are above the limit of {}", text.size(), kMaxBytes);
    }
    if (const auto position = firstInvalidUtf8(text)) {
        return fail(ErrorCode::BadModel, "byte {} is not valid UTF-8", *position);
    }
    DocumentBuilder builder;
    if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
        return fail(ErrorCode::BadModel, "{}", builder.problem.empty() ? "not valid JSON" : builder.problem);
    }
    return std::move(builder.document);
}

Result<Json> readJsonFile(const std::filesystem::path& path) {
    FW_ASSIGN(const std::string text, readSmallFile(path, kMaxBytes));
    auto json = parseJsonText(text);
    if (!json) {
        return tl::unexpected(std::move(json).error().within(path.string()));
    }
    return json;
}

}  // namespace fw::weights
