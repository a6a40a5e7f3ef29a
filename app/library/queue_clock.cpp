#include "app/library/queue_clock.h"

#include <algorithm>
#include <set>

#include "app/library/job_queue.h"
#include "core/ipc/answers.h"

namespace fw::app {

namespace {

constexpr int kClipsRead = 100;
constexpr int kJobsRead = 2000;
// Tickets of the queue's questions; those of EngineLink count from 1.
constexpr std::uint64_t kTicketMark = std::uint64_t{1} << 63U;

std::string costKey(Json request) {
    if (!request.is_object()) {
        return {};
    }
    request["prompt"] = "a";  // what a clip costs does not hang on its words
    request.erase("negative_prompt");
    request.erase("seed");
    return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

// What the library says about the queue.
struct QueueClock::Read {
    bool done = false;
    std::vector<Keyed> waiting;
    Keyed running;
    bool all = true;
};

QueueClock::QueueClock(JobQueue& queue, LibraryService& library, WorkerClient& worker, QObject* parent)
    : QObject(parent), m_queue(queue), m_library(library), m_worker(worker) {}

void QueueClock::start() {
    connect(&m_queue, &JobQueue::jobsChanged, this, &QueueClock::readJobs);
    connect(&m_queue, &JobQueue::progress, this, &QueueClock::follow);
    connect(&m_queue, &JobQueue::clipAdded, this, [this](std::int64_t clipId) {
        m_library.read(
            this, [clipId](store::LibraryStore& store) { return store.clip(clipId); },
            [this](const Result<store::Clip>& clip) {
                if (clip) {
                    m_speeds.learn(clip->reportJson);
                    emit changed();
                }
            });
    });
    connect(&m_worker, &WorkerClient::received, this, &QueueClock::handle);
    connect(&m_worker, &WorkerClient::ready, this, [this] {
        m_asked.reset();  // of the engine before
        askNext();
    });
    readSpeeds();
    readJobs();
}

void QueueClock::readSpeeds() {
    m_library.read(
        this,
        [](store::LibraryStore& store) {
            return store.clips({"", store::ClipOrder::Newest, 0, false}, 0, kClipsRead);
        },
        [this](const Result<std::vector<store::Clip>>& clips) {
            if (clips) {
                // The newest last, so that its speed counts.
                std::for_each(clips->rbegin(), clips->rend(),
                              [this](const auto& clip) { m_speeds.learn(clip.reportJson); });
                emit changed();
            }
        });
}

// One reading at a time: thousands of jobs may change one after the other.
void QueueClock::readJobs() {
    m_stale = m_reading;
    if (m_reading) {
        return;
    }
    m_reading = true;
    m_library.read(
        this,
        [](store::LibraryStore& store) -> Read {
            using store::JobState;
            const auto jobs = store.jobs({JobState::Queued, JobState::Interrupted, JobState::Running}, kJobsRead);
            Read read{jobs.has_value(), {}, {}, jobs && jobs->size() < kJobsRead};
            for (const store::Job& job : jobs.value_or(std::vector<store::Job>())) {
                const Json request = Json::parse(job.requestJson, nullptr, false);
                Keyed keyed{job.id, costKey(request),
                            job::requestFromJson(request).value_or(job::GenerationRequest())};
                if (job.state == JobState::Running) {
                    read.running = std::move(keyed);
                } else {
                    read.waiting.push_back(std::move(keyed));
                }
            }
            return read;
        },
        [this](Read read) {
            m_reading = false;
            if (read.done) {
                take(std::move(read));
            }
            if (m_stale) {
                readJobs();
            }
        });
}

void QueueClock::take(Read read) {
    m_waiting = std::move(read.waiting);
    m_runningJob = std::move(read.running);
    m_all = read.all;
    m_places.clear();
    std::set<std::string> wanted{m_runningJob.cost};
    for (std::size_t i = 0; i < m_waiting.size(); ++i) {
        m_places.emplace(m_waiting[i].id, i);
        wanted.insert(m_waiting[i].cost);
    }
    std::erase_if(m_costs, [&](const auto& cost) { return !wanted.contains(cost.first); });
    if (m_queue.runningJob() != m_running) {
        m_running = m_queue.runningJob();
        m_runningLeft = -1.0;
        m_runningFraction = 0.0;
    }
    askNext();
    emit changed();
}

// One question at a time: the queue's never stand in the way of the prompt panel's.
void QueueClock::askNext() {
    if (m_asked || m_worker.state() != WorkerClient::State::Ready) {
        return;
    }
    for (const Keyed& job : m_waiting) {
        if (m_costs.contains(job.cost)) {
            continue;
        }
        if (const auto request = job::requestFromJson(Json::parse(job.cost, nullptr, false))) {
            m_asked = job.cost;
            m_worker.send(ipc::PlanRequest{kTicketMark | ++m_lastTicket, *request, true});
            return;
        }
        m_costs[job.cost].refused = true;
    }
}

void QueueClock::handle(const ipc::Message& message) {
    const auto* answer = std::get_if<ipc::Answer>(&message);
    const auto* refusal = std::get_if<ipc::Refused>(&message);
    const std::uint64_t expected = kTicketMark | m_lastTicket;
    if (!m_asked || !((answer != nullptr && answer->ticket == expected) ||
                      (refusal != nullptr && refusal->ticket == expected))) {
        return;
    }
    Cost& cost = m_costs[*m_asked];
    m_asked.reset();
    cost.refused = true;
    if (answer != nullptr) {
        if (const auto plan = ipc::planCardFromJson(answer->json)) {
            cost = {false, {plan->tokens, plan->flops, plan->peakBytes}};
        }
    }
    askNext();
    emit changed();
}

void QueueClock::follow(const ipc::Progress& progress) {
    m_running = progress.jobId;
    m_runningLeft = progress.secondsLeft;
    m_runningFraction = progress.fraction;
    emit changed();
}

const QueueClock::Keyed* QueueClock::waiting(std::int64_t jobId) const {
    const auto place = m_places.find(jobId);
    return place == m_places.end() ? nullptr : &m_waiting[place->second];
}

std::optional<Forecast> QueueClock::forecastOf(std::int64_t jobId) const {
    const Keyed* job = waiting(jobId);
    const auto cost = job != nullptr ? m_costs.find(job->cost) : m_costs.end();
    return cost == m_costs.end() || cost->second.refused ? std::nullopt : std::optional(cost->second.forecast);
}

double QueueClock::secondsFor(const Keyed& job) const {
    const auto cost = m_costs.find(job.cost);
    const double speed = m_speeds.flopsPerSecond(job.request);
    if (cost == m_costs.end() || cost->second.refused || speed <= 0.0) {
        return -1.0;
    }
    return static_cast<double>(cost->second.forecast.flops) / speed;
}

double QueueClock::secondsOf(std::int64_t jobId) const {
    if (jobId != 0 && jobId == m_running) {
        const double whole = secondsFor(m_runningJob);
        return m_runningLeft >= 0.0 || whole < 0.0 ? m_runningLeft : whole * (1.0 - m_runningFraction);
    }
    const Keyed* job = waiting(jobId);
    return job == nullptr ? -1.0 : secondsFor(*job);
}

double QueueClock::secondsLeft() const {
    double sum = m_running != 0 ? secondsOf(m_running) : 0.0;
    if (!m_all || sum < 0.0) {
        return -1.0;
    }
    for (const Keyed& job : m_waiting) {
        const auto cost = m_costs.find(job.cost);
        if (job.id == m_running || (cost != m_costs.end() && cost->second.refused)) {
            continue;  // counted already, or it will fail at once
        }
        const double seconds = secondsFor(job);
        if (seconds < 0.0) {
            return -1.0;
        }
        sum += seconds;
    }
    return sum;
}

}  // namespace fw::app
