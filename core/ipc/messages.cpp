#include "core/ipc/messages.h"

#include <array>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/ipc/fields.h"
#include "core/ipc/method_json.h"
#include "core/job/clip_metadata.h"

namespace fw::ipc {

namespace {

// --- one toJson and one read… per message; the type name is the JSON "type".

Json body(const Hello& m) {
    return {{"type", "hello"},
            {"protocol", m.protocol},
            {"version", m.version},
            {"process_id", m.processId},
            {"devices", m.devices},
            {"methods", ipc::toJson(m.methods)},
            {"caches", ipc::toJson(m.caches)}};
}
Json body(const Generate& m) {
    return {{"type", "generate"},
            {"id", m.jobId},
            {"request", Json(job::toJson(m.request))},
            {"staging", m.stagingFolder},
            {"checkpoint", m.checkpointFile},
            {"preview_memory", m.previewMemory},
            {"preview_every", m.previewEvery},
            {"preview_share", m.previewShare}};
}
Json body(const Cancel& m) {
    return {{"type", "cancel"}, {"id", m.jobId}, {"keep_estimate", m.keepEstimate}};
}
Json body(const DecodeNow& m) {
    return {{"type", "decode_now"}, {"id", m.jobId}};
}
Json body(const LookInside& m) {
    return {{"type", "look_inside"}, {"id", m.jobId}, {"probes", m.probes}};
}
Json body(const Ping& m) {
    return {{"type", "ping"}, {"sequence", m.sequence}};
}
Json body(const Shutdown&) {
    return {{"type", "shutdown"}};
}
Json body(const Pong& m) {
    return {{"type", "pong"}, {"sequence", m.sequence}, {"work", m.work}};
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
Json body(const TraceReady& m) {
    return {{"type", "trace"}, {"id", m.jobId}, {"step", m.step}, {"file", m.file}};
}
Json body(const PreviewReady& m) {
    return {{"type", "preview"},  {"id", m.jobId},          {"step", m.step},     {"steps", m.steps},
            {"slot", m.slot},     {"sequence", m.sequence}, {"frames", m.frames}, {"width", m.width},
            {"height", m.height}, {"exact", m.exact}};
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
Json body(const InspectModel& m) {
    return {{"type", "inspect_model"}, {"ticket", m.ticket}, {"folder", m.folder}};
}
Json body(const FindModels& m) {
    return {{"type", "find_models"}, {"ticket", m.ticket}, {"folders", m.folders}};
}
Json body(const PlanRequest& m) {
    return {{"type", "plan"},
            {"ticket", m.ticket},
            {"request", Json(job::toJson(m.request))},
            {"background", m.background}};
}
Json body(const Answer& m) {
    return {{"type", "answer"}, {"ticket", m.ticket}, {"json", m.json}};
}
Json body(const Refused& m) {
    return {{"type", "refused"}, {"ticket", m.ticket}, {"code", m.code}, {"message", m.message}};
}

Message readHello(Fields& f) {
    Hello m;
    m.protocol = f.smallInteger("protocol");
    m.version = f.text("version");
    if (m.protocol != kProtocolVersion) {
        return m;  // whatever else another version says, only its version matters
    }
    m.processId = f.integer("process_id", 0);
    m.devices = f.array("devices");
    m.methods = methodsFromJson(f.array("methods"), "methods", f);
    m.caches = methodsFromJson(f.array("caches"), "caches", f);
    return m;
}
job::GenerationRequest readRequest(Fields& f) {
    if (auto request = job::requestFromJson(f.any("request"))) {
        return std::move(*request);
    }
    f.wrong("request", "a generation request");
    return {};
}
Message readGenerate(Fields& f) {
    Generate m;
    m.jobId = f.integer("id", 1);
    m.request = readRequest(f);
    m.stagingFolder = f.text("staging");
    m.checkpointFile = f.text("checkpoint");
    m.previewMemory = f.text("preview_memory");
    m.previewEvery = f.smallInteger("preview_every");
    m.previewShare = f.real("preview_share");
    return m;
}
Message readCancel(Fields& f) {
    return Cancel{f.integer("id", 1), f.boolean("keep_estimate")};
}
Message readDecodeNow(Fields& f) {
    return DecodeNow{f.integer("id", 1)};
}
Message readLookInside(Fields& f) {
    LookInside m{f.integer("id", 1), f.any("probes")};
    if (!m.probes.is_null() && !m.probes.is_object()) {
        f.wrong("probes", "an object or nothing");
    }
    return m;
}
Message readPing(Fields& f) {
    return Ping{f.integer("sequence")};
}
Message readShutdown(Fields&) {
    return Shutdown{};
}
Message readPong(Fields& f) {
    return Pong{f.integer("sequence"), f.counter("work")};
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
Message readTrace(Fields& f) {
    TraceReady m;
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
    m.exact = f.boolean("exact");
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
Message readInspectModel(Fields& f) {
    return InspectModel{f.counter("ticket"), f.text("folder")};
}
Message readFindModels(Fields& f) {
    return FindModels{f.counter("ticket"), f.texts("folders")};
}
Message readPlan(Fields& f) {
    const std::uint64_t ticket = f.counter("ticket");
    job::GenerationRequest request = readRequest(f);
    return PlanRequest{ticket, std::move(request), f.boolean("background")};
}
Message readAnswer(Fields& f) {
    return Answer{f.counter("ticket"), f.any("json")};
}
Message readRefused(Fields& f) {
    return Refused{f.counter("ticket"), f.text("code"), f.text("message")};
}

struct Reader {
    std::string_view type;
    Message (*read)(Fields&);
};
constexpr std::array<Reader, 20> kReaders{{
    {"hello", readHello},
    {"generate", readGenerate},
    {"cancel", readCancel},
    {"decode_now", readDecodeNow},
    {"look_inside", readLookInside},
    {"ping", readPing},
    {"shutdown", readShutdown},
    {"pong", readPong},
    {"progress", readProgress},
    {"checkpoint", readCheckpoint},
    {"trace", readTrace},
    {"preview", readPreview},
    {"clip", readClip},
    {"failed", readFailed},
    {"log", readLog},
    {"inspect_model", readInspectModel},
    {"find_models", readFindModels},
    {"plan", readPlan},
    {"answer", readAnswer},
    {"refused", readRefused},
}};

Result<Message> decodeBody(std::string_view text) {
    if (job::nestsTooDeep(text)) {
        return fail(ErrorCode::InvalidArgument, "a message of {} bytes nests deeper than {} levels", text.size(),
                    job::kMaxMetadataDepth);
    }
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
