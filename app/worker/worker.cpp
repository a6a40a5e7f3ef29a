#include "app/worker/worker.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "app/engine/step_store.h"
#include "core/backend/device.h"
#include "core/cache/step_cache.h"
#include "core/method/attention_method.h"
#include "core/model/sha256.h"
#include "core/pipeline/preview.h"

namespace fw::app {

namespace {

Json describeDevices() {
    Json devices = Json::array();
    for (const auto& backend : backend::createBackends()) {
        for (const auto& device : backend.devices) {
            const backend::DeviceInfo info = device->info();
            devices.push_back({{"id", info.id},
                               {"name", info.name},
                               {"total_bytes", info.totalBytes},
                               {"free_bytes", info.freeBytes},
                               {"preferred_dtype", dtypeName(info.preferredDType)}});
        }
    }
    return devices;
}

Result<std::string> hashFile(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    model::Sha256 hash;
    std::vector<char> buffer(std::size_t{1} << 20U);
    while (stream) {
        stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        hash.add(std::as_bytes(std::span(buffer).first(static_cast<std::size_t>(stream.gcount()))));
    }
    if (!stream.eof()) {
        return fail(ErrorCode::Io, "{} cannot be read back", path.string());
    }
    return hash.finish();
}

OrderedJson describe(const ClipJobResult& result, const std::string& model) {
    const pipeline::GenerationReport& report = result.report;
    OrderedJson json;
    json["request"] = job::toJson(report.request);
    json["plan"] = job::toJson(report.plan);
    json["model"] = model;
    json["model_hash"] = report.modelHash;
    json["device"] = report.device;
    json["dtype"] = report.dtype;
    json["version"] = programVersion();
    json["load_seconds"] = report.loadSeconds;
    json["text_seconds"] = report.textSeconds;
    json["denoise_seconds"] = report.denoiseSeconds;
    json["decode_seconds"] = report.decodeSeconds;
    json["encode_seconds"] = result.encodeSeconds;
    json["total_seconds"] = result.totalSeconds;
    json["step_seconds"] = report.stepSeconds;
    json["resumed_steps"] = report.resumedSteps;
    json["finished_early"] = report.finishedEarly;
    json["peak_resident_bytes"] = result.peakResidentBytes;
    if (!report.notes.empty()) {
        json["notes"] = report.notes;
    }
    return json;
}

}  // namespace

int Worker::run() {
    sayHello();
    std::thread listener([this] { listen(); });
    while (auto job = m_jobs.pop()) {
        work(*job);
    }
    m_connection->shutDown();
    listener.join();
    return 0;
}

void Worker::sayHello() {
    ipc::Hello hello;
    hello.version = programVersion();
    hello.processId = getpid();
    hello.devices = describeDevices();
    for (const method::MethodEntry& entry : method::attentionMethods()) {
        hello.methods.push_back(entry.description);
    }
    for (const cache::CacheEntry& entry : cache::stepCaches()) {
        hello.caches.push_back(entry.description);
    }
    m_connection->send(hello);
}

void Worker::listen() {
    for (;;) {
        const auto message = m_connection->read();
        if (!message) {
            std::fprintf(stderr, "framewright-worker: %s\n", message.error().message.c_str());
        }
        if (!message || !*message || std::holds_alternative<ipc::Shutdown>(**message)) {
            break;
        }
        handle(**message);
    }
    // The studio is gone or wants us gone: nobody waits for the job any more.
    m_jobs.abort();
    const std::scoped_lock lock(m_lock);
    if (m_current) {
        m_current->cancel.cancel();
    }
}

void Worker::handle(const ipc::Message& message) {
    if (const auto* ping = std::get_if<ipc::Ping>(&message)) {
        std::uint64_t work = 0;
        {
            const std::scoped_lock lock(m_lock);
            work = m_current ? m_current->cancel.checks() : 0;
        }
        m_connection->send(ipc::Pong{ping->sequence, work});
    } else if (QuestionDesk::isQuestion(message)) {
        m_questions.ask(message);
    } else if (const auto* generate = std::get_if<ipc::Generate>(&message)) {
        {
            // From now on a Cancel finds the job, even before work() has taken it.
            const std::scoped_lock lock(m_lock);
            if (m_current) {
                m_connection->send(ipc::Failed{generate->jobId, std::string(errorCodeName(ErrorCode::Internal)),
                                               "the engine is busy with another job", false});
                return;
            }
            m_current.emplace().jobId = generate->jobId;
        }
        m_jobs.push(*generate);
    } else if (const auto* cancel = std::get_if<ipc::Cancel>(&message)) {
        const std::scoped_lock lock(m_lock);
        if (m_current && m_current->jobId == cancel->jobId) {
            (cancel->keepEstimate ? m_current->finish : m_current->cancel).cancel();
        }
    } else if (const auto* decode = std::get_if<ipc::DecodeNow>(&message)) {
        const std::scoped_lock lock(m_lock);
        if (m_current && m_current->jobId == decode->jobId) {
            m_current->decodeNow = true;
        }
    } else if (const auto* look = std::get_if<ipc::LookInside>(&message)) {
        const std::scoped_lock lock(m_lock);
        if (m_current && m_current->jobId == look->jobId) {
            m_current->watched = true;
            m_current->probes = look->probes;
        }
    }
}

void Worker::work(const ipc::Generate& job) {
    CancelToken cancel;
    CancelToken finish;
    {
        const std::scoped_lock lock(m_lock);
        cancel = m_current->cancel.token();
        finish = m_current->finish.token();
    }
    const Status status = makeClip(job, cancel, finish);
    if (!status) {
        const Error& error = status.error();
        {
            const std::scoped_lock lock(m_lock);
            m_current.reset();
        }
        m_connection->send(ipc::Failed{job.jobId, std::string(errorCodeName(error.code)), error.message,
                                       error.code == ErrorCode::DeviceLost});
        if (error.code == ErrorCode::DeviceLost) {
            m_jobs.abort();  // run() ends; the studio starts a new process
        }
    }
}

void Worker::openRing(const std::string& name) {
    if (m_ringName == name) {
        return;
    }
    m_ringName = name;
    m_ring.reset();
    if (!name.empty()) {
        if (auto ring = ipc::PreviewRing::open(name)) {
            m_ring = std::move(*ring);
        }
    }
}

bool Worker::takeDecodeNow() {
    const std::scoped_lock lock(m_lock);
    return m_current && std::exchange(m_current->decodeNow, false);
}

bool Worker::isWatched() {
    const std::scoped_lock lock(m_lock);
    return m_current && m_current->watched;
}

std::optional<Json> Worker::takeProbes() {
    const std::scoped_lock lock(m_lock);
    if (!m_current || m_current->probes.is_null()) {
        return std::nullopt;
    }
    return std::exchange(m_current->probes, Json());
}

void Worker::showPreview(const ipc::Generate& job, const pipeline::Preview& preview) {
    pipeline::PreviewImage smaller;
    ConstTensorView rgb = preview.rgb;
    if (rgb.bytes() > m_ring->slotBytes()) {
        smaller = pipeline::shrinkToFit(rgb, m_ring->slotBytes());
        rgb = smaller.view();
    }
    if (const auto written = m_ring->write(rgb.data(), rgb.bytes())) {
        m_connection->send(ipc::PreviewReady{
            job.jobId, preview.step, preview.steps, written->slot, written->sequence, static_cast<int>(rgb.dim(0)),
            static_cast<int>(rgb.dim(2)), static_cast<int>(rgb.dim(1)), preview.exact});
    }
}

Status Worker::makeClip(const ipc::Generate& job, const CancelToken& cancel, const CancelToken& finish) {
    openRing(job.previewMemory);
    const std::filesystem::path staging = job.stagingFolder;
    ClipJobOptions options;
    options.output = staging / "clip.mp4";
    options.traceFile = staging / "trace.safetensors";
    options.thumbnailFile = staging / "thumbnail.png";
    options.checkpointFile = staging / "checkpoint.safetensors";
    options.resumeFrom = job.checkpointFile;
    options.promptFolder = promptFolder();
    options.stepStore = stepStoreFolder();
    options.finishEarly = finish;
    options.preview = m_ring ? pipeline::PreviewKind::Projection : pipeline::PreviewKind::Off;
    options.previewEvery = job.previewEvery;
    options.previewShare = job.previewShare;
    options.exactPreviewWanted = [this] { return takeDecodeNow(); };
    options.checkpointSaved = [&](int step) {
        m_connection->send(ipc::Checkpoint{job.jobId, step, options.checkpointFile.string()});
    };
    options.computingOn = [&](const std::string& device, const std::string& note) {
        m_connection->send(ipc::Log{
            note.empty() ? "info" : "warning",
            fmt::format("job {} is computed on {}{}{}", job.jobId, device, note.empty() ? "" : ": ", note)});
    };
    options.traceWanted = [this] { return isWatched(); };
    options.probesWanted = [this] { return takeProbes(); };
    options.traceSaved = [&](int step) {
        m_connection->send(ipc::TraceReady{job.jobId, step, options.traceFile.string()});
    };
    pipeline::GeneratorEvents events;
    events.progress = [&](const pipeline::Progress& p) {
        m_connection->send(
            ipc::Progress{job.jobId, std::string(phaseName(p.phase)), p.step, p.steps, p.fraction, p.secondsLeft});
    };
    if (m_ring) {
        events.preview = [&](const pipeline::Preview& preview) { showPreview(job, preview); };
    }
    auto made = m_runner.run(job.request, options, events, cancel);
    if (!made && made.error().code == ErrorCode::InvalidArgument && !options.resumeFrom.empty()) {
        options.resumeFrom.clear();  // of another version, model or number type: a new start loses only time
        made = m_runner.run(job.request, options, events, cancel);
    }
    FW_ASSIGN(const ClipJobResult result, std::move(made));
    for (const std::string& note : result.report.notes) {
        m_connection->send(ipc::Log{"warning", fmt::format("job {}: {}", job.jobId, note)});
    }
    FW_ASSIGN(std::string hash, hashFile(result.file));
    FW_ASSIGN(const std::filesystem::path folder, modelFolder(job.request));
    ipc::ClipReady ready;
    ready.jobId = job.jobId;
    ready.file = result.file.string();
    ready.sha256 = std::move(hash);
    ready.traceFile = result.traceWritten ? options.traceFile.string() : std::string();
    ready.thumbnailFile = options.thumbnailFile.string();
    ready.report = Json::parse(describe(result, folder.filename().string()).dump());
    ready.partial = result.report.finishedEarly;
    {
        // The studio may send the next job as soon as it hears of this one.
        const std::scoped_lock lock(m_lock);
        m_current.reset();
    }
    m_connection->send(ready);
    return {};
}

}  // namespace fw::app
