#include "core/ipc/messages.h"

#include <array>
#include <limits>
#include <string_view>

#include "core/base/check.h"

namespace fw::ipc {

namespace {

// --- reading fields: every mistake names the field, nothing throws.

// Collects the first mistake while a message is read; readers return a neutral value after one.
class Fields {
 public:
    explicit Fields(const Json& json) : m_json(json) {}

    std::string text(const char* name) {
        const Json* value = find(name);
        if (value != nullptr && value->is_string()) {
            return value->get<std::string>();
        }
        wrong(name, "text");
        return {};
    }
    std::int64_t integer(const char* name, std::int64_t minimum = std::numeric_limits<std::int64_t>::min()) {
        const Json* value = find(name);
        if (value != nullptr && value->is_number_integer() &&
            !(value->is_number_unsigned() &&
              value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) &&
            value->get<std::int64_t>() >= minimum) {
            return value->get<std::int64_t>();
        }
        wrong(name, "an integer in range");
        return 0;
    }
    int smallInteger(const char* name) {
        const std::int64_t value = integer(name, 0);
        if (value > std::numeric_limits<int>::max()) {
            wrong(name, "an integer in range");
            return 0;
        }
        return static_cast<int>(value);
    }
    std::uint64_t counter(const char* name) {
        const Json* value = find(name);
        if (value != nullptr && value->is_number_unsigned()) {
            return value->get<std::uint64_t>();
        }
        wrong(name, "a non-negative integer");
        return 0;
    }
    double real(const char* name) {
        const Json* value = find(name);
        if (value != nullptr && value->is_number()) {
            return value->get<double>();
        }
        wrong(name, "a number");
        return 0.0;
    }
    bool boolean(const char* name) {
        const Json* value = find(name);
        if (value != nullptr && value->is_boolean()) {
            return value->get<bool>();
        }
        wrong(name, "true or false");
        return false;
    }
    Json any(const char* name) {
        const Json* value = find(name);
        if (value == nullptr) {
            wrong(name, "present");
            return {};
        }
        return *value;
    }
    Json array(const char* name) {
        Json value = any(name);
        if (!value.is_array()) {
            wrong(name, "a list");
            return Json::array();
        }
        return value;
    }
    void wrong(const char* name, const char* expected) {
        if (m_mistake.empty()) {
            m_mistake = fmt::format("field '{}' should be {}", name, expected);
        }
    }
    [[nodiscard]] const std::string& mistake() const { return m_mistake; }

 private:
    const Json* find(const char* name) const {
        const auto it = m_json.find(name);
        return it == m_json.end() ? nullptr : &*it;
    }
    const Json& m_json;
    std::string m_mistake;
};

constexpr std::array<const char*, 4> kParameterTypes{"integer", "real", "boolean", "choice"};

Json toJson(const job::MethodDescription& method) {
    Json parameters = Json::array();
    for (const job::ParameterSchema& p : method.parameters) {
        parameters.push_back({{"name", p.name},
                              {"type", kParameterTypes[static_cast<std::size_t>(p.type)]},
                              {"unit", p.unit},
                              {"minimum", p.minimum},
                              {"maximum", p.maximum},
                              {"choices", p.choices},
                              {"default", p.defaultValue},
                              {"help", p.help}});
    }
    return {{"id", method.id},
            {"name", method.name},
            {"summary", method.summary},
            {"paper", method.paper},
            {"parameters", std::move(parameters)}};
}

job::ParameterSchema parameterFromJson(const Json& json, Fields& outer) {
    Fields fields(json);
    job::ParameterSchema p;
    p.name = fields.text("name");
    const std::string type = fields.text("type");
    bool known = false;
    for (std::size_t i = 0; i < kParameterTypes.size(); ++i) {
        if (type == kParameterTypes[i]) {
            p.type = static_cast<job::ParameterType>(i);
            known = true;
        }
    }
    p.unit = fields.text("unit");
    p.minimum = fields.real("minimum");
    p.maximum = fields.real("maximum");
    for (const Json& choice : fields.array("choices")) {
        if (choice.is_string()) {
            p.choices.push_back(choice.get<std::string>());
        } else {
            known = false;
        }
    }
    p.defaultValue = fields.any("default");
    p.help = fields.text("help");
    if (!known || !fields.mistake().empty()) {
        outer.wrong("parameters", "a list of parameter descriptions");
    }
    return p;
}

job::MethodDescription methodFromJson(const Json& json, Fields& outer) {
    job::MethodDescription method;
    if (!json.is_object()) {
        outer.wrong("methods", "a list of method descriptions");
        return method;
    }
    Fields fields(json);
    method.id = fields.text("id");
    method.name = fields.text("name");
    method.summary = fields.text("summary");
    method.paper = fields.text("paper");
    for (const Json& parameter : fields.array("parameters")) {
        if (!parameter.is_object()) {
            fields.wrong("parameters", "a list of objects");
            break;
        }
        method.parameters.push_back(parameterFromJson(parameter, fields));
    }
    if (!fields.mistake().empty()) {
        outer.wrong("methods", "a list of method descriptions");
    }
    return method;
}

// --- one toJson and one read… per message; the type name is the JSON "type".

Json body(const Hello& m) {
    Json methods = Json::array();
    for (const auto& method : m.methods) {
        methods.push_back(toJson(method));
    }
    return {{"type", "hello"},           {"protocol", m.protocol}, {"version", m.version},
            {"process_id", m.processId}, {"devices", m.devices},   {"methods", std::move(methods)}};
}
Json body(const Generate& m) {
    return {{"type", "generate"},
            {"id", m.jobId},
            {"request", Json(job::toJson(m.request))},
            {"staging", m.stagingFolder},
            {"checkpoint", m.checkpointFile},
            {"preview_memory", m.previewMemory},
            {"preview_every", m.previewEvery}};
}
Json body(const Cancel& m) {
    return {{"type", "cancel"}, {"id", m.jobId}, {"keep_estimate", m.keepEstimate}};
}
Json body(const DecodeNow& m) {
    return {{"type", "decode_now"}, {"id", m.jobId}};
}
Json body(const Ping& m) {
    return {{"type", "ping"}, {"sequence", m.sequence}};
}
Json body(const Shutdown&) {
    return {{"type", "shutdown"}};
}
Json body(const Pong& m) {
    return {{"type", "pong"}, {"sequence", m.sequence}};
}
Json body(const Progress& m) {
    return {{"type", "progress"},
            {"id", m.jobId},
            {"phase", m.phase},
            {"step", m.step},
            {"steps", m.steps},
            {"fraction", m.fraction},
            {"seconds_left", m.secondsLeft}};
}
Json body(const Checkpoint& m) {
    return {{"type", "checkpoint"}, {"id", m.jobId}, {"step", m.step}, {"file", m.file}};
}
Json body(const PreviewReady& m) {
    return {{"type", "preview"},  {"id", m.jobId},    {"step", m.step},
            {"steps", m.steps},   {"slot", m.slot},   {"sequence", m.sequence},
            {"frames", m.frames}, {"width", m.width}, {"height", m.height}};
}
Json body(const ClipReady& m) {
    return {{"type", "clip"},     {"id", m.jobId},        {"file", m.file},
            {"sha256", m.sha256}, {"trace", m.traceFile}, {"thumbnail", m.thumbnailFile},
            {"report", m.report}, {"partial", m.partial}};
}
Json body(const Failed& m) {
    return {{"type", "failed"},
            {"id", m.jobId},
            {"code", m.code},
            {"message", m.message},
            {"device_lost", m.deviceLost}};
}
Json body(const Log& m) {
    return {{"type", "log"}, {"level", m.level}, {"text", m.text}};
}

Message readHello(Fields& f) {
    Hello m;
    m.protocol = f.smallInteger("protocol");
    m.version = f.text("version");
    m.processId = f.integer("process_id", 0);
    m.devices = f.array("devices");
    for (const Json& method : f.array("methods")) {
        m.methods.push_back(methodFromJson(method, f));
    }
    return m;
}
Message readGenerate(Fields& f) {
    Generate m;
    m.jobId = f.integer("id", 1);
    if (auto request = job::requestFromJson(f.any("request"))) {
        m.request = std::move(*request);
    } else {
        f.wrong("request", "a generation request");
    }
    m.stagingFolder = f.text("staging");
    m.checkpointFile = f.text("checkpoint");
    m.previewMemory = f.text("preview_memory");
    m.previewEvery = f.smallInteger("preview_every");
    return m;
}
Message readCancel(Fields& f) {
    return Cancel{f.integer("id", 1), f.boolean("keep_estimate")};
}
Message readDecodeNow(Fields& f) {
    return DecodeNow{f.integer("id", 1)};
}
Message readPing(Fields& f) {
    return Ping{f.integer("sequence")};
}
Message readShutdown(Fields&) {
    return Shutdown{};
}
Message readPong(Fields& f) {
    return Pong{f.integer("sequence")};
}
Message readProgress(Fields& f) {
    Progress m;
    m.jobId = f.integer("id", 1);
    m.phase = f.text("phase");
    m.step = f.smallInteger("step");
    m.steps = f.smallInteger("steps");
    m.fraction = f.real("fraction");
    m.secondsLeft = f.real("seconds_left");
    return m;
}
Message readCheckpoint(Fields& f) {
    Checkpoint m;
    m.jobId = f.integer("id", 1);
    m.step = f.smallInteger("step");
    m.file = f.text("file");
    return m;
}
Message readPreview(Fields& f) {
    PreviewReady m;
    m.jobId = f.integer("id", 1);
    m.step = f.smallInteger("step");
    m.steps = f.smallInteger("steps");
    m.slot = f.smallInteger("slot");
    m.sequence = f.counter("sequence");
    m.frames = f.smallInteger("frames");
    m.width = f.smallInteger("width");
    m.height = f.smallInteger("height");
    return m;
}
Message readClip(Fields& f) {
    ClipReady m;
    m.jobId = f.integer("id", 1);
    m.file = f.text("file");
    m.sha256 = f.text("sha256");
    m.traceFile = f.text("trace");
    m.thumbnailFile = f.text("thumbnail");
    m.report = f.any("report");
    m.partial = f.boolean("partial");
    return m;
}
Message readFailed(Fields& f) {
    Failed m;
    m.jobId = f.integer("id", 0);
    m.code = f.text("code");
    m.message = f.text("message");
    m.deviceLost = f.boolean("device_lost");
    return m;
}
Message readLog(Fields& f) {
    return Log{f.text("level"), f.text("text")};
}

struct Reader {
    std::string_view type;
    Message (*read)(Fields&);
};
constexpr std::array<Reader, 13> kReaders{{
    {"hello", readHello},
    {"generate", readGenerate},
    {"cancel", readCancel},
    {"decode_now", readDecodeNow},
    {"ping", readPing},
    {"shutdown", readShutdown},
    {"pong", readPong},
    {"progress", readProgress},
    {"checkpoint", readCheckpoint},
    {"preview", readPreview},
    {"clip", readClip},
    {"failed", readFailed},
    {"log", readLog},
}};

Result<Message> decodeBody(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return fail(ErrorCode::InvalidArgument, "a message of {} bytes is not a JSON object", text.size());
    }
    Fields fields(json);
    const std::string type = fields.text("type");
    for (const Reader& reader : kReaders) {
        if (reader.type == type) {
            Message message = reader.read(fields);
            if (!fields.mistake().empty()) {
                return fail(ErrorCode::InvalidArgument, "message '{}': {}", type, fields.mistake());
            }
            return message;
        }
    }
    return fail(ErrorCode::InvalidArgument, "unknown message type '{}'", type.substr(0, 40));
}

}  // namespace

std::string encode(const Message& message) {
    // Replaces invalid UTF-8 (file names, driver messages) instead of throwing.
    const std::string text = std::visit([](const auto& m) { return body(m); }, message)
                                 .dump(-1, ' ', false, Json::error_handler_t::replace);
    FW_CHECK(text.size() <= kMaxMessageBytes, "message of {} bytes", text.size());
    const auto size = static_cast<std::uint32_t>(text.size());
    std::string frame;
    frame.reserve(4 + text.size());
    for (unsigned shift = 0; shift < 32; shift += 8) {
        frame.push_back(static_cast<char>((size >> shift) & 0xffU));
    }
    return frame + text;
}

void Decoder::feed(std::span<const std::byte> bytes) {
    if (m_consumed > 0 && m_consumed * 2 >= m_buffer.size()) {
        m_buffer.erase(0, m_consumed);
        m_consumed = 0;
    }
    m_buffer.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<std::optional<Message>> Decoder::next() {
    if (m_broken) {
        return fail(ErrorCode::InvalidArgument, "the message stream is broken");
    }
    const std::size_t available = m_buffer.size() - m_consumed;
    if (available < 4) {
        return std::optional<Message>{};
    }
    std::uint32_t size = 0;
    for (unsigned i = 0; i < 4; ++i) {
        size |= static_cast<std::uint32_t>(static_cast<unsigned char>(m_buffer[m_consumed + i])) << (8 * i);
    }
    if (size > kMaxMessageBytes) {
        m_broken = true;
        return fail(ErrorCode::InvalidArgument, "a message of {} bytes is longer than {}", size, kMaxMessageBytes);
    }
    if (available - 4 < size) {
        return std::optional<Message>{};
    }
    auto message = decodeBody(std::string_view(m_buffer).substr(m_consumed + 4, size));
    m_consumed += 4 + size;
    if (!message) {
        m_broken = true;
        return tl::unexpected(message.error());
    }
    return std::optional<Message>{std::move(*message)};
}

}  // namespace fw::ipc
