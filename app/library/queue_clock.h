// How long the queue will take: costs of the waiting jobs, at the speed of earlier ones.
#pragma once

#include <QObject>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/library/library_service.h"
#include "app/library/speed_book.h"
#include "app/supervisor/worker_client.h"
#include "app/values/studio_values.h"

namespace fw::app {

class JobQueue;

// Lives on the window's thread; nothing here blocks. A job's cost is the engine's plan of it; its time is that cost
// at the speed of earlier clips (SpeedBook), or, before there is one, unknown.
class QueueClock : public QObject {
    Q_OBJECT

 public:
    // All outlive the clock.
    QueueClock(JobQueue& queue, LibraryService& library, WorkerClient& worker, QObject* parent = nullptr);

    // Reads what earlier clips took, and follows the queue from now on.
    void start();

    // What a waiting job will cost; nothing while that is not known, or when the engine refuses the request.
    [[nodiscard]] std::optional<Forecast> forecastOf(std::int64_t jobId) const;
    // FLOP per second a clip of this request will be made at; 0: not known.
    [[nodiscard]] double speedOf(const job::GenerationRequest& request) const {
        return m_speeds.flopsPerSecond(request);
    }
    // Seconds a waiting job will take, or the running one still needs; negative: not known.
    [[nodiscard]] double secondsOf(std::int64_t jobId) const;
    // Of the running job and all that wait; negative while one of them is not known, or when thousands wait.
    [[nodiscard]] double secondsLeft() const;

 signals:
    void changed();

 private:
    // What the engine said about a request.
    struct Cost {
        bool refused = false;
        Forecast forecast;
    };
    // A job by what decides about its time: of a batch over seeds and prompts both are the same for all.
    struct Keyed {
        std::int64_t id = 0;
        std::string cost;  // the request without its words and its seed
        job::GenerationRequest request;
    };
    struct Read;

    void readJobs();
    void take(Read read);
    void readSpeeds();
    void askNext();
    void handle(const ipc::Message& message);
    void follow(const ipc::Progress& progress);
    [[nodiscard]] double secondsFor(const Keyed& job) const;
    [[nodiscard]] const Keyed* waiting(std::int64_t jobId) const;

    JobQueue& m_queue;
    LibraryService& m_library;
    WorkerClient& m_worker;
    std::vector<Keyed> m_waiting;                            // the first ones
    bool m_all = true;                                       // no others wait
    std::unordered_map<std::int64_t, std::size_t> m_places;  // in m_waiting, by job
    std::map<std::string, Cost> m_costs;                     // by Keyed::cost
    SpeedBook m_speeds;
    std::uint64_t m_lastTicket = 0;
    std::optional<std::string> m_asked;  // what m_lastTicket is about
    bool m_reading = false, m_stale = false;
    std::int64_t m_running = 0;
    Keyed m_runningJob;
    double m_runningLeft = -1.0;
    double m_runningFraction = 0.0;
};

}  // namespace fw::app
