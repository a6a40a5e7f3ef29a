// Messages between the studio and the engine process. Bytes in, values out; no transport here.
//
// Wire form: 4-byte little-endian length, then one UTF-8 JSON object {"type": …, "id": …, …}. Bulk data never
// travels here: previews are in shared memory (preview_ring.h), clips and traces are files named by path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/job/parameter_schema.h"

namespace fw::ipc {

inline constexpr int kProtocolVersion = 4;
inline constexpr std::uint32_t kMaxMessageBytes = 8U << 20U;

// worker → studio, once after connecting. Another protocol version ends the connection with a clear message.
struct Hello {
    int protocol = kProtocolVersion;
    std::string version;  // of the program
    std::int64_t processId = 0;
    Json devices = Json::array();  // id, name, memory, data types
    std::vector<job::MethodDescription> methods;
    std::vector<job::MethodDescription> caches;  // step caches
};
// studio → worker
struct Generate {
    std::int64_t jobId = 0;
    job::GenerationRequest request;
    std::string stagingFolder;   // the worker writes only here
    std::string checkpointFile;  // continue from this; empty: from the start
    std::string previewMemory;   // name of the shared memory ring; empty: no previews
    int previewEvery = 1;        // steps
    double previewShare = 0.05;  // of the time spent so far, at most; 0: as many as there are steps
};
struct Cancel {
    std::int64_t jobId = 0;
    bool keepEstimate = false;  // stop denoising and decode what there is
};
struct DecodeNow {  // one exact preview at the next step
    std::int64_t jobId = 0;
};
struct LookInside {  // TraceReady after every step from now on that leaves time for it
    std::int64_t jobId = 0;
    Json probes;  // what a run without probes looks at from now on (job::ProbeSelection); null: nothing more
};
struct Ping {
    std::int64_t sequence = 0;
};
struct Shutdown {};
// worker → studio
struct Pong {
    std::int64_t sequence = 0;
    std::uint64_t work = 0;  // grows while the engine computes, layer by layer; stands still when it hangs
};
struct Progress {
    std::int64_t jobId = 0;
    std::string phase;
    int step = 0, steps = 0;
    double fraction = 0, secondsLeft = -1;
};
struct Checkpoint {  // a completed step is safe on disk
    std::int64_t jobId = 0;
    int step = 0;
    std::string file;
};
struct TraceReady {  // what was seen so far, on LookInside
    std::int64_t jobId = 0;
    int step = 0;
    std::string file;  // replaced whole by the next one
};
struct PreviewReady {
    std::int64_t jobId = 0;
    int step = 0, steps = 0;
    int slot = 0;                // in the ring
    std::uint64_t sequence = 0;  // the slot is valid while its header still says this
    int frames = 0, width = 0, height = 0;
    bool exact = false;  // decoded by the VAE, on DecodeNow; else the latents' projection
};
struct ClipReady {
    std::int64_t jobId = 0;
    std::string file, sha256, traceFile, thumbnailFile;
    Json report;
    bool partial = false;  // made by Cancel{keepEstimate}
};
struct Failed {
    std::int64_t jobId = 0;
    std::string code, message;  // errorCodeName and sentence
    bool deviceLost = false;    // the worker will exit and must be started again
};
struct Log {
    std::string level, text;
};
// Questions: studio → worker, answered while jobs run. Of several questions of one kind that wait, only the newest
// is answered. The JSON of the answers: answers.h.
struct InspectModel {
    std::uint64_t ticket = 0;
    std::string folder;  // empty: the embedded model
};
struct FindModels {
    std::uint64_t ticket = 0;
    std::vector<std::string> folders;
};
struct PlanRequest {
    std::uint64_t ticket = 0;
    job::GenerationRequest request;
    bool background = false;  // answered after all others, and a kind of its own
};
// worker → studio
struct Answer {
    std::uint64_t ticket = 0;
    Json json;
};
struct Refused {
    std::uint64_t ticket = 0;
    std::string code, message;  // errorCodeName and sentence
};

using Message = std::variant<Hello, Generate, Cancel, DecodeNow, LookInside, Ping, Shutdown, Pong, Progress,
                             Checkpoint, TraceReady, PreviewReady, ClipReady, Failed, Log, InspectModel, FindModels,
                             PlanRequest, Answer, Refused>;

// Length prefix included.
[[nodiscard]] std::string encode(const Message& message);

// Cuts a byte stream into messages. After an error the stream is unusable and the connection must be closed.
class Decoder {
 public:
    void feed(std::span<const std::byte> bytes);
    // The next whole message, nothing when more bytes are needed, InvalidArgument for what no peer of this version
    // would send (too long, not JSON, unknown type, wrong field).
    [[nodiscard]] Result<std::optional<Message>> next();

 private:
    std::string m_buffer;
    std::size_t m_consumed = 0;
    bool m_broken = false;
};

}  // namespace fw::ipc
