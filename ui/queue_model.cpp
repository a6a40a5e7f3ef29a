#include "ui/queue_model.h"

#include <QImageReader>
#include <QLocale>
#include <QSet>
#include <QStringList>
#include <algorithm>
#include <iterator>
#include <utility>

#include "ui/controls.h"
#include "ui/error_presenter.h"
#include "ui/formats.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kPictureSide = 128;  // device pixels; shown at about a third
constexpr int kMostTexts = 1000, kMostPictures = 100;
constexpr int kMostSteps = 64;  // of insertions and removals; beyond, the list is set anew

QString text(const std::string& utf8) {
    return QString::fromStdString(utf8);
}

qint64 headingId(QueueSection section) {
    return -1 - static_cast<qint64>(section);
}

QString factsOf(const job::GenerationRequest& request) {
    QStringList facts;
    if (request.width && request.height) {
        facts.append(QueueModel::tr("%1 × %2").arg(*request.width).arg(*request.height));
    }
    if (request.frames) {
        facts.append(QueueModel::tr("%1 frames").arg(*request.frames));
    }
    if (request.steps) {
        facts.append(QueueModel::tr("%1 steps").arg(*request.steps));
    }
    if (request.seed) {
        facts.append(QueueModel::tr("seed %1").arg(*request.seed));
    }
    return facts.join(QStringLiteral("  ·  "));
}

// The middle square of a picture, as small as it is shown.
QImage squareOf(const QImage& image) {
    const int side = std::min(image.width(), image.height());
    return image.copy((image.width() - side) / 2, (image.height() - side) / 2, side, side)
        .scaled(kPictureSide, kPictureSide, Qt::KeepAspectRatio, Qt::SmoothTransformation);
}

bool looksSame(const QueueRow& a, const QueueRow& b) {
    return a.place == b.place && a.batchPlace == b.batchPlace && a.batchCount == b.batchCount &&
           a.joinsAbove == b.joinsAbove && a.joinsBelow == b.joinsBelow && a.section == b.section &&
           a.job.state == b.job.state && a.job.requestJson == b.job.requestJson && a.job.clipId == b.job.clipId &&
           a.job.errorMessage == b.job.errorMessage && a.job.step == b.job.step;
}

// Runs of neighbouring numbers as [first, last], the highest first.
std::vector<std::pair<int, int>> runsFromTheEnd(const std::vector<int>& ascending) {
    std::vector<std::pair<int, int>> runs;
    for (auto it = ascending.rbegin(); it != ascending.rend(); ++it) {
        if (!runs.empty() && runs.back().first == *it + 1) {
            runs.back().first = *it;
        } else {
            runs.emplace_back(*it, *it);
        }
    }
    return runs;
}

}  // namespace

QueueModel::QueueModel(app::LibraryService& library, QObject* parent)
    : QAbstractListModel(parent), m_library(library) {
    m_pool.setMaxThreadCount(1);
}

QueueModel::~QueueModel() {
    m_pool.clear();
    m_pool.waitForDone();
}

Result<QueueJobs> QueueModel::readJobs(store::LibraryStore& store) {
    using store::JobState;
    QueueJobs jobs;
    FW_ASSIGN(jobs.running, store.jobs({JobState::Running}, -1));
    FW_ASSIGN(jobs.waiting, store.jobs({JobState::Queued, JobState::Interrupted}, -1));
    // What was interrupted goes on first.
    std::stable_partition(jobs.waiting.begin(), jobs.waiting.end(),
                          [](const store::Job& job) { return job.state == JobState::Interrupted; });
    FW_ASSIGN(jobs.failed, store.jobs({JobState::Failed}, kMostFailed));
    FW_ASSIGN(jobs.finished, store.jobs({JobState::Done, JobState::Cancelled}, kMostFinished));
    return jobs;
}

std::optional<job::GenerationRequest> QueueModel::requestOf(const store::Job& job) {
    auto request = job::requestFromJson(Json::parse(job.requestJson, nullptr, false));
    return request ? std::optional(std::move(*request)) : std::nullopt;
}

std::vector<QueueRow> QueueModel::arrange() const {
    std::vector<QueueRow> rows;
    rows.reserve(m_jobs.running.size() + m_jobs.waiting.size() + m_jobs.failed.size() + m_jobs.finished.size() + 4);
    QHash<QByteArray, int> batches;
    const auto add = [&](QueueSection section, const std::vector<store::Job>& jobs, bool shown) {
        if (jobs.empty()) {
            return;
        }
        QueueRow& heading = rows.emplace_back();
        heading.id = headingId(section);
        heading.section = section;
        int place = 0;
        for (const auto& job : jobs) {
            QueueRow row;
            row.id = job.id;
            row.section = section;
            row.job = job;
            row.place = section == QueueSection::Waiting ? ++place : 0;
            if (!job.batch.empty()) {
                row.batchPlace = ++batches[QByteArray::fromStdString(job.batch)];
            }
            if (shown) {
                rows.push_back(std::move(row));
            }
        }
    };
    add(QueueSection::Running, m_jobs.running, true);
    add(QueueSection::Waiting, m_jobs.waiting, true);
    add(QueueSection::Failed, m_jobs.failed, true);
    add(QueueSection::Finished, m_jobs.finished, m_finishedShown);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string& batch = rows[i].job.batch;
        if (!batch.empty()) {
            rows[i].batchCount = batches.value(QByteArray::fromStdString(batch));
            rows[i].joinsAbove = i > 0 && rows[i - 1].job.batch == batch;
            rows[i].joinsBelow = i + 1 < rows.size() && rows[i + 1].job.batch == batch;
        }
    }
    return rows;
}

void QueueModel::setJobs(QueueJobs jobs) {
    m_jobs = std::move(jobs);
    if (m_jobs.running.empty() || m_jobs.running.front().id != m_progress.jobId) {
        m_progress = {};
    }
    forget();
    apply(arrange());
}

// Words and pictures of jobs that were listed once do not pile up over a long day.
void QueueModel::forget() {
    if (m_texts.size() > kMostTexts) {
        m_texts.clear();
    }
    if (m_pictures.size() > kMostPictures) {
        const auto listed = [this](qint64 clipId) {
            return std::any_of(m_jobs.finished.begin(), m_jobs.finished.end(),
                               [clipId](const store::Job& job) { return job.clipId == clipId; });
        };
        m_pictures.removeIf([&](const auto& entry) { return !listed(entry.key()); });
    }
}

void QueueModel::setFinishedShown(bool shown) {
    m_finishedShown = shown;
    apply(arrange());
}

void QueueModel::moveWaiting(const std::vector<std::int64_t>& ids, std::int64_t beforeId) {
    // As LibraryStore::moveJobs: the moved ones go where `beforeId` stands, even if that is one of them.
    const QSet<qint64> moved(ids.begin(), ids.end());
    std::vector<store::Job> taken, order;
    for (const auto& job : m_jobs.waiting) {
        if (moved.contains(job.id)) {
            taken.push_back(job);
        }
    }
    for (auto& job : m_jobs.waiting) {
        if (job.id == beforeId) {
            std::move(taken.begin(), taken.end(), std::back_inserter(order));
            taken.clear();
        }
        if (!moved.contains(job.id)) {
            order.push_back(std::move(job));
        }
    }
    std::move(taken.begin(), taken.end(), std::back_inserter(order));
    m_jobs.waiting = std::move(order);
    std::stable_partition(m_jobs.waiting.begin(), m_jobs.waiting.end(),
                          [](const store::Job& job) { return job.state == store::JobState::Interrupted; });
    apply(arrange());
}

void QueueModel::rebuildIndex() {
    m_rowOf.clear();
    m_rowOf.reserve(static_cast<qsizetype>(m_rows.size()));
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        m_rowOf.insert(m_rows[i].id, static_cast<int>(i));
    }
}

void QueueModel::apply(std::vector<QueueRow> rows) {
    if (!applySteps(rows)) {
        beginResetModel();
        m_rows = std::move(rows);
        rebuildIndex();
        endResetModel();
        return;
    }
    // The same jobs in the same order: only what they say may be new.
    std::vector<int> other;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].isHeading() || !looksSame(m_rows[i], rows[i])) {
            other.push_back(static_cast<int>(i));
        }
    }
    m_rows = std::move(rows);
    for (const auto& [first, last] : runsFromTheEnd(other)) {
        emit dataChanged(index(first), index(last));
    }
}

// Removes, reorders and inserts until the ids are those of `rows`, in steps that views and selections can follow.
// False, with nothing done, when that would take too many.
bool QueueModel::applySteps(const std::vector<QueueRow>& rows) {
    QHash<qint64, int> wanted;
    wanted.reserve(static_cast<qsizetype>(rows.size()));
    std::vector<int> gone, fresh;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        wanted.insert(rows[i].id, static_cast<int>(i));
        if (!m_rowOf.contains(rows[i].id)) {
            fresh.push_back(static_cast<int>(i));
        }
    }
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        if (!wanted.contains(m_rows[i].id)) {
            gone.push_back(static_cast<int>(i));
        }
    }
    const auto removals = runsFromTheEnd(gone);
    auto insertions = runsFromTheEnd(fresh);
    if (removals.size() + insertions.size() > kMostSteps) {
        return false;
    }
    for (const auto& [first, last] : removals) {
        beginRemoveRows({}, first, last);
        m_rows.erase(m_rows.begin() + first, m_rows.begin() + last + 1);
        endRemoveRows();
    }
    const auto before = [&](const QueueRow& a, const QueueRow& b) { return wanted[a.id] < wanted[b.id]; };
    if (!std::is_sorted(m_rows.begin(), m_rows.end(), before)) {
        emit layoutAboutToBeChanged({}, VerticalSortHint);
        const QModelIndexList old = persistentIndexList();
        QList<qint64> ids;
        for (const auto& index : old) {
            ids.append(m_rows[static_cast<std::size_t>(index.row())].id);
        }
        std::sort(m_rows.begin(), m_rows.end(), before);
        rebuildIndex();
        QModelIndexList now;
        for (const qint64 id : std::as_const(ids)) {
            now.append(index(m_rowOf.value(id)));
        }
        changePersistentIndexList(old, now);
        emit layoutChanged({}, VerticalSortHint);
    }
    std::reverse(insertions.begin(), insertions.end());
    for (const auto& [first, last] : insertions) {
        beginInsertRows({}, first, last);
        m_rows.insert(m_rows.begin() + first, rows.begin() + first, rows.begin() + last + 1);
        endInsertRows();
    }
    rebuildIndex();
    return true;
}

void QueueModel::changed(int row) {
    if (row >= 0) {
        emit dataChanged(index(row), index(row));
    }
}

void QueueModel::setProgress(const ipc::Progress& progress) {
    m_progress.jobId = progress.jobId;
    m_progress.phase = text(progress.phase);
    m_progress.step = progress.step;
    m_progress.steps = progress.steps;
    m_progress.fraction = std::clamp(progress.fraction, 0.0, 1.0);
    m_progress.secondsLeft = progress.secondsLeft;
    m_progress.reported.start();
    changed(rowOf(progress.jobId));
}

void QueueModel::setPreview(qint64 jobId, const QImage& picture) {
    m_previewJob = jobId;
    m_preview = squareOf(picture);
    changed(rowOf(jobId));
}

void QueueModel::countDown() {
    changed(rowOf(m_progress.jobId));
}

void QueueModel::showTimes() {
    if (!m_jobs.waiting.empty()) {
        const int first = rowOf(m_jobs.waiting.front().id), last = rowOf(m_jobs.waiting.back().id);
        if (first >= 0 && last >= first) {
            emit dataChanged(index(first), index(last));
        }
    }
}

int QueueModel::rowOf(qint64 id) const {
    return m_rowOf.value(id, -1);
}

int QueueModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

Qt::ItemFlags QueueModel::flags(const QModelIndex& index) const {
    if (!index.isValid()) {
        return Qt::NoItemFlags;
    }
    const QueueRow& item = row(index.row());
    if (item.isHeading()) {
        // Only the heading that folds can be reached.
        return item.section == QueueSection::Finished ? Qt::ItemIsEnabled : Qt::NoItemFlags;
    }
    return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
}

const QueueModel::Text& QueueModel::textOf(int index) const {
    const QueueRow& item = row(index);
    Text& words = m_texts[item.id];
    if (words.requestJson != item.job.requestJson || words.title.isEmpty()) {
        const auto request = requestOf(item.job);
        words.requestJson = item.job.requestJson;
        words.title = request ? text(request->prompt).simplified() : tr("Settings that cannot be read");
        words.facts = request ? factsOf(*request) : QString();
        if (words.title.isEmpty()) {
            words.title = tr("No prompt");
        }
    }
    return words;
}

QString QueueModel::title(int index) const {
    const QueueRow& item = row(index);
    if (!item.isHeading()) {
        return textOf(index).title;
    }
    switch (item.section) {
        case QueueSection::Running:
            return tr("Running");
        case QueueSection::Waiting:
            return tr("Waiting  ·  %1").arg(countText(static_cast<qint64>(m_jobs.waiting.size())));
        case QueueSection::Failed:
            return tr("Failed  ·  %1").arg(countText(static_cast<qint64>(m_jobs.failed.size())));
        case QueueSection::Finished:
            return tr("Recently finished  ·  %1").arg(countText(static_cast<qint64>(m_jobs.finished.size())));
    }
    return {};
}

QString QueueModel::details(int index) const {
    const QueueRow& item = row(index);
    if (item.isHeading()) {
        return {};
    }
    const QString& facts = textOf(index).facts;
    const QString dot = facts.isEmpty() ? QString() : QStringLiteral("  ·  ") + facts;
    switch (item.job.state) {
        case store::JobState::Running:
            return item.id == m_progress.jobId ? progressText() : tr("Starting");
        case store::JobState::Interrupted:
            return item.job.step > 0 ? tr("Interrupted, goes on after step %1").arg(item.job.step) + dot
                                     : tr("Interrupted") + dot;
        case store::JobState::Failed:
            return asSentence(item.job.errorMessage.empty() ? item.job.errorCode : item.job.errorMessage);
        case store::JobState::Cancelled:
            return tr("Cancelled") + dot;
        case store::JobState::Done:
            return item.job.startedUs > 0 && item.job.finishedUs > item.job.startedUs
                       ? durationText(static_cast<double>(item.job.finishedUs - item.job.startedUs) * 1e-6) + dot
                       : facts;
        case store::JobState::Queued:
            break;
    }
    const double seconds = m_secondsOf ? m_secondsOf(item.id) : -1.0;
    return seconds < 1.0 ? facts : tr("about %1").arg(wholeDurationText(seconds)) + dot;
}

QString QueueModel::progressText() const {
    QString shown = m_progress.phase == QLatin1String("denoise") && m_progress.steps > 0
                        ? tr("step %1 of %2").arg(m_progress.step).arg(m_progress.steps)
                    : m_progress.phase == QLatin1String("load") ? tr("loading the model")
                                                                : QString();
    if (m_progress.secondsLeft >= 0.0 && m_progress.reported.isValid()) {
        const double gone = static_cast<double>(m_progress.reported.elapsed()) * 1e-3;
        const double left = std::max(0.0, m_progress.secondsLeft - gone);
        shown += shown.isEmpty() ? QString() : QStringLiteral("  ·  ");
        shown += left < 1.0 ? tr("almost done") : tr("about %1 left").arg(wholeDurationText(left));
    }
    return shown;
}

QImage QueueModel::picture(int index) const {
    const QueueRow& item = row(index);
    if (item.job.clipId != 0) {
        const auto known = m_pictures.constFind(item.job.clipId);
        if (known != m_pictures.constEnd()) {
            return *known;
        }
        readPicture(item.job.clipId);
        return {};
    }
    return item.id == m_previewJob && !item.isHeading() ? m_preview : QImage();
}

void QueueModel::readPicture(qint64 clipId) const {
    m_pictures.insert(clipId, {});
    auto* self = const_cast<QueueModel*>(this);  // as the receiver of the answer
    m_library.read(
        self, [clipId](store::LibraryStore& store) { return store.clip(clipId); },
        [this, clipId](const Result<store::Clip>& clip) {
            if (clip && !clip->thumbnailFile.empty()) {
                loadPicture(clipId, text((m_library.folder() / clip->thumbnailFile).string()));
            }
        });
}

void QueueModel::loadPicture(qint64 clipId, const QString& file) const {
    auto* self = const_cast<QueueModel*>(this);
    // The destructor waits for this, so `self` is alive; what is delivered later is dropped with it.
    m_pool.start([self, clipId, file] {
        QImageReader reader(file);
        const QImage image = reader.read();
        if (!image.isNull()) {
            QMetaObject::invokeMethod(
                self,
                [self, clipId, square = squareOf(image)] {
                    self->m_pictures.insert(clipId, square);
                    for (const auto& job : self->m_jobs.finished) {
                        if (job.clipId == clipId) {
                            self->changed(self->rowOf(job.id));
                        }
                    }
                },
                Qt::QueuedConnection);
        }
    });
}

QVariant QueueModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) {
        return {};
    }
    const QueueRow& item = row(index.row());
    switch (role) {
        case Qt::DisplayRole:
            return title(index.row());
        case Qt::ToolTipRole:
            // All of it: the lines may be cut off.
            return item.isHeading() ? QString()
                                    : asToolTip(title(index.row()) + QStringLiteral("\n\n") + details(index.row()));
        case Qt::AccessibleTextRole: {
            QStringList said{title(index.row())};
            if (item.isWaiting()) {
                said.append(tr("waiting, place %1").arg(item.place));
            } else if (item.job.state == store::JobState::Failed && !item.isHeading()) {
                said.append(tr("failed"));
            } else if (item.job.state == store::JobState::Done && !item.isHeading()) {
                said.append(tr("done"));
            }
            if (item.batchCount > 1) {
                said.append(tr("%1 of a batch of %2").arg(item.batchPlace).arg(item.batchCount));
            }
            said.append(details(index.row()));
            said.removeAll(QString());
            return said.join(QStringLiteral(", "));
        }
        default:
            return {};
    }
}

}  // namespace fw::ui
