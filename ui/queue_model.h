// The queue as a list: what runs, what waits, what failed, what was made last; headings stand between them.
#pragma once

#include <QAbstractListModel>
#include <QElapsedTimer>
#include <QHash>
#include <QImage>
#include <QString>
#include <QThreadPool>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/library/library_service.h"
#include "core/ipc/messages.h"
#include "core/job/generation_request.h"
#include "core/store/records.h"

namespace fw::ui {

enum class QueueSection : quint8 { Running, Waiting, Failed, Finished };

// One line of the list. Everything but headings is a job.
struct QueueRow {
    qint64 id = 0;  // of the job; headings have negative ones
    QueueSection section = QueueSection::Waiting;
    int place = 0;                                // of a waiting job: 1 runs next
    int batchPlace = 0, batchCount = 0;           // among the jobs listed that were queued together; 0: alone
    bool joinsAbove = false, joinsBelow = false;  // the neighbour belongs to the same batch
    store::Job job;

    [[nodiscard]] bool isHeading() const { return id < 0; }
    [[nodiscard]] bool isWaiting() const { return !isHeading() && section == QueueSection::Waiting; }
    [[nodiscard]] bool isRunning() const { return !isHeading() && section == QueueSection::Running; }
};

// The jobs of the library in the order of the list.
struct QueueJobs {
    std::vector<store::Job> running, waiting, failed, finished;
};

// How far the running job is.
struct QueueProgress {
    qint64 jobId = 0;
    QString phase;  // load, text, denoise, decode, encode
    int step = 0, steps = 0;
    double fraction = 0.0;
    double secondsLeft = -1.0;
    QElapsedTimer reported;
};

class QueueModel : public QAbstractListModel {
    Q_OBJECT

 public:
    static constexpr int kMostFinished = 20;
    static constexpr int kMostFailed = 200;

    // `library` outlives the model; thumbnails are read from its folder.
    explicit QueueModel(app::LibraryService& library, QObject* parent = nullptr);
    ~QueueModel() override;  // waits for a thumbnail that is being read

    // Reads what the list shows; for a thread of LibraryService.
    [[nodiscard]] static Result<QueueJobs> readJobs(store::LibraryStore& store);
    // Selections and the current row stay with their jobs.
    void setJobs(QueueJobs jobs);
    // Shows the new order before the database has it. `beforeId` 0: to the end.
    void moveWaiting(const std::vector<std::int64_t>& ids, std::int64_t beforeId);
    void setFinishedShown(bool shown);
    [[nodiscard]] bool isFinishedShown() const { return m_finishedShown; }
    void setProgress(const ipc::Progress& progress);
    void setPreview(qint64 jobId, const QImage& picture);
    // The running row's time left is counted down between reports.
    void countDown();
    // Seconds a waiting job will take; negative: not known. showTimes() when the answers changed.
    void setTimes(std::function<double(qint64)> secondsOf) { m_secondsOf = std::move(secondsOf); }
    void showTimes();

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

    [[nodiscard]] const QueueRow& row(int index) const { return m_rows[static_cast<std::size_t>(index)]; }
    [[nodiscard]] int rowOf(qint64 id) const;  // -1: not listed
    [[nodiscard]] const QueueProgress& progress() const { return m_progress; }
    [[nodiscard]] const QueueJobs& jobs() const { return m_jobs; }
    [[nodiscard]] bool isEmpty() const { return m_rows.empty(); }
    // What a job is called and what it asks for, in words.
    [[nodiscard]] QString title(int row) const;
    [[nodiscard]] QString details(int row) const;
    // "step 7 of 20  ·  about 12 s left"
    [[nodiscard]] QString progressText() const;
    // Null while there is none; it is asked for and dataChanged follows.
    [[nodiscard]] QImage picture(int row) const;
    [[nodiscard]] static std::optional<job::GenerationRequest> requestOf(const store::Job& job);

 private:
    struct Text {
        std::string requestJson;
        QString title, facts;
    };
    [[nodiscard]] std::vector<QueueRow> arrange() const;
    void apply(std::vector<QueueRow> rows);
    [[nodiscard]] bool applySteps(const std::vector<QueueRow>& rows);
    void rebuildIndex();
    void forget();
    [[nodiscard]] const Text& textOf(int row) const;
    void readPicture(qint64 clipId) const;
    void loadPicture(qint64 clipId, const QString& file) const;
    void changed(int row);

    app::LibraryService& m_library;
    QueueJobs m_jobs;
    std::vector<QueueRow> m_rows;
    QHash<qint64, int> m_rowOf;
    QueueProgress m_progress;
    qint64 m_previewJob = 0;
    QImage m_preview;
    bool m_finishedShown = true;
    std::function<double(qint64)> m_secondsOf;
    // Filled for rows that are painted, not for the ten thousand that are not.
    mutable QHash<qint64, Text> m_texts;
    mutable QHash<qint64, QImage> m_pictures;  // by clip; null: asked for, or the clip has none
    mutable QThreadPool m_pool;
};

}  // namespace fw::ui
