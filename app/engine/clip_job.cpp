#include "app/engine/clip_job.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <system_error>
#include <utility>

#include "app/engine/encoder_thread.h"
#include "app/engine/job_files.h"
#include "app/engine/output_name.h"
#include "app/engine/step_store.h"
#include "core/backend/device_choice.h"
#include "core/cache/constants.h"
#include "core/media/clip_writer.h"
#include "core/model/video_model.h"
#include "core/pipeline/checkpoint.h"
#include "core/pipeline/model_parts.h"
#include "core/trace/trace_file.h"

namespace fw::app {

namespace {

namespace fs = std::filesystem;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

fs::path outputPath(const fs::path& wanted, const job::GenerationRequest& resolved) {
    if (!wanted.empty()) {
        return wanted;
    }
    const std::time_t seconds = std::time(nullptr);
    std::tm date{};
    ::localtime_r(&seconds, &date);
    return freeName(fs::current_path(), clipBaseName(resolved, date), ".mp4");
}

// What a clip says about its making; `fw show` prints it.
// What a clip says of itself: all that is needed to make it again, and on what it was made.
struct ClipOrigin {
    job::GenerationRequest request;  // resolved, with the adapter that the model brings along
    std::string model, modelHash, device;
    DType dtype = DType::F32;
    fs::path branchFrom;  // the checkpoint it went on from with another request; empty: none
};

Result<std::string> clipMetadata(const ClipOrigin& origin) {
    OrderedJson json;
    json["program"] = "framewright";
    json["version"] = programVersion();
    json["request"] = job::toJson(origin.request);
    json["model"] = {{"name", origin.model}, {"hash", origin.modelHash}};
    json["made"] = {{"device", origin.device}, {"dtype", dtypeName(origin.dtype)}};
    if (!origin.branchFrom.empty()) {
        FW_ASSIGN(const job::GenerationRequest begun, pipeline::checkpointRequest(origin.branchFrom));
        FW_ASSIGN(const int step, pipeline::checkpointStep(origin.branchFrom));
        json["branch"] = {{"at_step", step}, {"from", job::toJson(begun)}};
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status prepareFolders(const ClipJobOptions& options) {
    std::error_code ignored;
    std::vector<std::pair<const char*, fs::path>> files;
    for (const auto& [what, path] :
         {std::pair("the clip", options.output), std::pair("the latents", options.latentsFile),
          std::pair("the trace", options.traceFile)}) {
        const fs::path file =
            path.empty() ? fs::path() : fs::weakly_canonical(fs::absolute(path, ignored), ignored);
        for (const auto& [other, taken] : files) {
            if (!file.empty() && file == taken) {
                return fail(ErrorCode::InvalidArgument, "{} and {} would both be written to {}", other, what,
                            path.string());
            }
        }
        files.emplace_back(what, file);
    }
    for (const fs::path& path : {options.latentsFile, options.traceFile}) {
        if (!path.empty() && path.extension() != ".safetensors") {
            return fail(ErrorCode::InvalidArgument,
                        "{} becomes a safetensors file: give it that ending, for example {}", path.string(),
                        fs::path(path).replace_extension(".safetensors").string());
        }
        FW_TRY(checkWritable(path));
    }
    for (const fs::path& folder : {options.previewFolder, options.stepFolder}) {
        std::error_code error;
        if (!folder.empty() && (fs::create_directories(folder, error), error)) {
            return fail(ErrorCode::Io, "cannot make the folder {}: {}", folder.string(), error.message());
        }
    }
    // Steps of two runs in one folder would be branched from as if they were of one.
    if (!options.stepFolder.empty() && fs::exists(options.stepFolder / pipeline::stepFileName(1), ignored)) {
        return fail(ErrorCode::InvalidArgument,
                    "the folder {} holds the steps of another run; choose another one or remove them",
                    options.stepFolder.string());
    }
    return {};
}

// Latent frames come slower than pixel frames; the VAE's previews have them all.
job::FrameRate previewRate(const job::GenerationRequest& resolved, const ConstTensorView& rgb) {
    const job::FrameRate& rate = *resolved.frameRate;
    const double perSecond = static_cast<double>(rate.numerator) * static_cast<double>(rgb.dim(0)) /
                             (static_cast<double>(rate.denominator) * static_cast<double>(*resolved.frames));
    // A GIF shows at most 50 frames per second, and its writer takes terms up to a million.
    return {std::clamp<std::int64_t>(std::llround(perSecond * 1000.0), 1, 50'000), 1000};
}

// Forwards events and writes preview files until the disk refuses one.
class PreviewFiles {
 public:
    PreviewFiles(fs::path folder, job::GenerationRequest resolved, pipeline::GeneratorEvents events)
        : m_folder(std::move(folder)), m_resolved(std::move(resolved)), m_events(std::move(events)) {}

    [[nodiscard]] pipeline::GeneratorEvents events() {
        pipeline::GeneratorEvents wrapped = m_events;
        if (!m_folder.empty()) {
            wrapped.preview = [this](const pipeline::Preview& preview) { save(preview); };
        }
        return wrapped;
    }
    [[nodiscard]] const Status& status() const { return m_status; }

 private:
    void save(const pipeline::Preview& preview) {
        if (m_status) {
            m_status = writePreview(m_folder, preview.step, preview.rgb, previewRate(m_resolved, preview.rgb));
        }
        if (m_events.preview) {
            m_events.preview(preview);
        }
    }

    fs::path m_folder;
    job::GenerationRequest m_resolved;
    pipeline::GeneratorEvents m_events;
    Status m_status;
};

constexpr std::uintmax_t kFreeShare = 4;  // latents are kept while the disk has so many times their space

// Latents for later changes, and those of the run that this one changes. `engine`: model, device and build.
void keepSteps(const ClipJobOptions& options, const job::GenerationRequest& resolved, const std::string& engine,
               pipeline::GeneratorOptions& generation) {
    if (!options.stepFolder.empty() || !options.noiseFile.empty() || !options.branchFrom.empty()) {
        return;
    }
    const StepStore store(options.stepStore);
    std::error_code error;
    const fs::space_info disk = fs::space(options.stepStore, error);
    if (!resolved.whatIf && !error && disk.available < kFreeShare * static_cast<std::uintmax_t>(store.runBytes())) {
        return;  // the disk's last space is for clips
    }
    generation.stepFolder = store.makeRun(resolved, engine);
    generation.stepBytes = store.runBytes();
    generation.unchangedSteps = store.unchangedSteps(resolved, engine);
    if (!generation.stepFolder.empty()) {  // a changed run keeps nothing and wants what there is
        store.trim(generation.stepFolder);
    }
}

// Of the step caches' constants in a model folder, which may be measured while the model is loaded: not in its
// hash.
std::string constantsVersion(const fs::path& folder) {
    const fs::path file = folder / cache::kConstantsFile;
    std::error_code error;
    const auto time = fs::last_write_time(file, error);
    const std::uintmax_t bytes = error ? 0 : fs::file_size(file, error);
    return error ? std::string() : fmt::format("{} {}", time.time_since_epoch().count(), bytes);
}

constexpr double kTraceShare = 0.03;  // of the time spent so far that looking at a running job may take

// Writes the trace of a running job for who wants to look at it.
class LiveTrace {
 public:
    explicit LiveTrace(const ClipJobOptions& options) : m_options(options), m_begin(now()) {}

    void show(trace::Trace& trace, int step) {
        const bool affordable = m_spent + m_last <= kTraceShare * (now() - m_begin);
        if (!affordable || !m_options.traceWanted()) {
            return;
        }
        const double start = now();
        trace.metadata["unfinished"] = true;
        // A look that cannot be had is no reason to end the run.
        const Status written = trace::writeTrace(m_options.traceFile, trace);
        trace.metadata.erase("unfinished");
        m_last = now() - start;
        m_spent += m_last;
        if (written && m_options.traceSaved) {
            m_options.traceSaved(step);
        }
    }

 private:
    const ClipJobOptions& m_options;
    double m_begin, m_spent = 0.0, m_last = 0.0;
};

}  // namespace

Result<pipeline::Generator*> ClipJobRunner::generatorFor(const fs::path& folder, const std::string& modelHash,
                                                         const job::GenerationRequest& request,
                                                         const ClipJobOptions& options,
                                                         const pipeline::GeneratorEvents& events,
                                                         const CancelToken& cancel) {
    const auto tellDevice = [&] {
        if (options.computingOn) {
            options.computingOn(m_device, m_deviceNote);
        }
    };
    std::error_code error;
    const std::string key =
        fmt::format("{}|{}|{}|{}|{}|{}", fs::weakly_canonical(folder, error).string(), modelHash,
                    constantsVersion(folder), request.device, request.dtype, request.threads);
    if (m_generator && m_key == key) {
        tellDevice();
        return m_generator.get();
    }
    const auto progress = [&](int done) {
        if (events.progress) {
            events.progress({.phase = pipeline::Phase::Load, .step = done, .steps = 1});
        }
    };
    m_generator.reset();  // two models at once need not fit
    FW_ASSIGN(backend::DeviceChoice chosen, backend::chooseDevice(request.device));
    const backend::DeviceInfo device = chosen.device->info();
    m_device = fmt::format("{} ({})", device.id, device.name);
    m_deviceNote = chosen.note;
    FW_ASSIGN(m_dtype, pipeline::chooseDType(request.dtype, device));
    m_build = programBuild();  // of what is loaded now: the files may be replaced while it runs
    tellDevice();              // before the model is loaded: why it is no better device explains what may fail then
    progress(0);
    FW_ASSIGN(m_generator, pipeline::Generator::create(folder, std::move(chosen.device), request.dtype,
                                                       request.threads, cancel));
    m_key = key;
    progress(1);
    return m_generator.get();
}

Result<ClipJobResult> ClipJobRunner::run(const job::GenerationRequest& request, const ClipJobOptions& options,
                                         const pipeline::GeneratorEvents& events, const CancelToken& cancel) {
    const double start = now();
    FW_TRY(cancel.check());
    if (auto device = backend::createDevice(request.device); !device) {  // before any file is touched
        return tl::unexpected(std::move(device).error());
    }
    FW_ASSIGN(const fs::path folder, modelFolder(request));
    FW_ASSIGN(const model::ModelInfo info, model::inspectModel(folder));
    job::GenerationRequest wanted = request;
    if (!options.resumeFrom.empty() && !wanted.seed) {
        FW_ASSIGN(const job::GenerationRequest begun, pipeline::checkpointRequest(options.resumeFrom));
        wanted.seed = begun.seed;
    }
    FW_ASSIGN(const job::GenerationRequest resolved, job::resolve(wanted, info.defaults));
    FW_TRY(prepareFolders(options));
    NoiseFile noise;
    if (!options.noiseFile.empty()) {
        FW_ASSIGN(noise, openNoise(options.noiseFile));
    }
    FW_ASSIGN(const std::string hash, model::modelHash(folder));
    ClipJobResult result;
    result.file = outputPath(options.output, resolved);
    FW_ASSIGN(pipeline::Generator * generator, generatorFor(folder, hash, resolved, options, events, cancel));
    // As reports and the library have the request: with the adapter that the model brings along.
    const job::GenerationRequest used = pipeline::withOwnAdapter(resolved, folder);
    FW_ASSIGN(const std::string metadata,
              clipMetadata({used, info.name, hash, m_device, m_dtype, options.branchFrom}));
    FW_ASSIGN(const auto writer, media::ClipWriter::create(result.file, {*resolved.width, *resolved.height,
                                                                         *resolved.frameRate, metadata}));

    trace::Trace trace;
    PreviewFiles previews(options.previewFolder, resolved, events);
    pipeline::GeneratorOptions generation;
    generation.preview = options.preview;
    if (!options.previewFolder.empty() && options.preview == pipeline::PreviewKind::Off) {
        generation.preview = pipeline::PreviewKind::Projection;
    }
    generation.previewEvery = options.previewEvery;
    generation.previewShare = options.previewShare;
    generation.exactPreviewWanted = options.exactPreviewWanted;
    generation.trace = options.traceFile.empty() ? nullptr : &trace;
    generation.initialNoise = noise.view;
    // A file beside the clip that cannot be written costs nobody the clip: the report says what is missing and why.
    std::vector<std::string> notes;
    const auto noteMissing = [&](std::string_view what, const Status& written) {
        if (!written) {
            notes.push_back(fmt::format("{} could not be written: {}", what, written.error().message));
        }
    };
    if (!options.latentsFile.empty()) {
        generation.latentsReady = [&](const ConstTensorView& latents) -> Status {
            noteMissing("The latents", writeLatents(options.latentsFile, latents));
            return {};
        };
    }
    generation.checkpointFile = options.checkpointFile;
    generation.checkpointSaved = options.checkpointSaved;
    generation.resumeFrom = options.resumeFrom;
    generation.branchFrom = options.branchFrom;
    generation.stepFolder = options.stepFolder;
    keepSteps(options, used, fmt::format("{}|{}|{}", hash, m_device, m_build), generation);
    generation.promptFolder = options.promptFolder;
    generation.finishEarly = options.finishEarly;
    LiveTrace live(options);
    if (!options.traceFile.empty() && options.traceWanted) {
        generation.traceSoFar = [&](trace::Trace& seen, int step) { live.show(seen, step); };
    }
    generation.probesWanted = options.probesWanted;
    EncoderThread encoder(*writer);
    bool first = true;
    const model::FrameSink sink = [&](const ConstTensorView& frames) -> Status {
        if (std::exchange(first, false) && !options.thumbnailFile.empty()) {
            noteMissing("The thumbnail", writeThumbnail(options.thumbnailFile, frames.slice(0, 0, 1)));
        }
        return encoder.push(frames);
    };
    trace.metadata["versions"] = {{"framewright", programVersion()}};
    auto generated = generator->generate(resolved, generation, previews.events(), sink, cancel);
    if (!generated && generated.error().code != ErrorCode::Cancelled && !trace.rows().empty() &&
        !options.traceFile.empty()) {
        // What went wrong shows in what was seen until then. The run's own error is the one to report.
        trace.metadata["failure"] = generated.error().message;
        (void)trace::writeTrace(options.traceFile, trace);
    }
    FW_ASSIGN(result.report, std::move(generated));
    if (events.progress) {
        events.progress({.phase = pipeline::Phase::Encode, .step = 0, .steps = 1, .fraction = 1.0});
    }
    FW_TRY(cancel.check());
    FW_TRY(encoder.finish());  // before what may take the disk's last space
    result.encodeSeconds = encoder.busySeconds();
    if (!options.traceFile.empty()) {
        const Status written = trace::writeTrace(options.traceFile, trace);
        noteMissing("The trace", written);
        result.traceWritten = written.has_value();
    }
    noteMissing("Previews", previews.status());
    result.report.notes.insert(result.report.notes.end(), notes.begin(), notes.end());
    result.totalSeconds = now() - start;
    result.peakResidentBytes = peakResidentBytes();
    return result;
}

}  // namespace fw::app
