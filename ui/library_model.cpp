#include "ui/library_model.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "app/library/clip_paths.h"
#include "ui/controls.h"

namespace fw::ui {
namespace {

constexpr int kBlock = 64;       // rows read at once
constexpr int kMostWanted = 16;  // blocks that wait; who scrolls past the others no longer needs them
constexpr int kMostFetches = 2;

// Records with a look at whether their files are there. Runs beside the database.
LibraryRecords readRecords(store::LibraryStore& store, const std::filesystem::path& folder,
                           const std::vector<std::int64_t>& ids) {
    LibraryRecords records;
    if (auto clips = store.clipsById(ids)) {
        records.clips = std::move(*clips);
    }
    for (store::Clip& clip : records.clips) {
        std::error_code error;
        const auto path = app::pathInLibrary(folder, clip.file);
        const bool missing = !path || !std::filesystem::exists(*path, error);
        if (missing != clip.missing) {
            clip.missing = missing;
            records.moved.push_back(clip.id);
        }
    }
    return records;
}

}  // namespace

LibraryModel::LibraryModel(app::LibraryService& library, QObject* parent)
    : QAbstractListModel(parent), m_library(library), m_records(kMostRecords) {
    m_fetchTimer.setSingleShot(true);
    m_fetchTimer.setInterval(0);
    connect(&m_fetchTimer, &QTimer::timeout, this, &LibraryModel::fetchNext);
}

LibraryModel::~LibraryModel() {
    m_cancel.cancel();
}

void LibraryModel::setQuery(const store::ClipQuery& query) {
    m_query = query;
    search();
}

void LibraryModel::refresh(const std::vector<std::int64_t>& changed) {
    for (const std::int64_t id : changed) {
        if (m_records.contains(id)) {
            m_stale.insert(id);
        }
    }
    m_answered ? searchAll() : search();
}

CancelToken LibraryModel::begin() {
    m_cancel.cancel();
    m_cancel = CancelSource();
    m_searching = true;
    return m_cancel.token();
}

void LibraryModel::search() {
    m_answered = false;
    const CancelToken cancel = begin();
    m_library.read(
        this,
        [query = m_query, cancel, folder = m_library.folder()](store::LibraryStore& store) -> First {
            if (cancel.isCancelled()) {
                return {fw::fail(ErrorCode::Cancelled, "a newer search was begun"), {}};
            }
            First first{store.firstClipIds(query, kBlock), {}};
            if (first.found) {
                first.records = readRecords(store, folder, first.found->ids);
            }
            return first;
        },
        [this, cancel](First first) {
            if (!cancel.isCancelled()) {
                showFirst(std::move(first));
            }
        });
}

void LibraryModel::showFirst(First first) {
    if (!first.found) {
        fail(first.found.error());
        return;
    }
    const bool complete = first.found->complete;
    if (complete || !first.found->ids.empty()) {
        show(std::move(first.found->ids), std::move(first.records));
    }
    if (complete) {
        m_searching = false;
        emit searched(rowCount());
        return;
    }
    if (m_answered) {
        emit begun();
    }
    searchAll();
}

// All rows: in place of those of another search, or merged into those that are there.
void LibraryModel::searchAll() {
    const CancelToken cancel = begin();
    m_library.read(
        this,
        [query = m_query, cancel, merge = m_answered, folder = m_library.folder(),
         stale = std::vector<std::int64_t>(m_stale.begin(), m_stale.end())](store::LibraryStore& store) -> Found {
            Found found{store.clipIds(query, cancel), {}};
            if (merge) {
                found.records = readRecords(store, folder, stale);
            } else if (found.ids) {
                const auto count = static_cast<std::ptrdiff_t>(std::min<std::size_t>(kBlock, found.ids->size()));
                found.records = readRecords(store, folder, {found.ids->begin(), found.ids->begin() + count});
            }
            return found;
        },
        [this, cancel](Found found) {
            if (cancel.isCancelled()) {
                return;
            }
            if (!found.ids) {
                fail(found.ids.error());
                return;
            }
            m_searching = false;
            if (m_answered) {
                mergeRows(std::move(*found.ids));
                take(std::move(found.records));
            } else {
                show(std::move(*found.ids), std::move(found.records));
            }
            emit searched(rowCount());
        });
}

void LibraryModel::fail(const Error& error) {
    m_searching = false;
    m_answered = true;
    emit searchFailed(error);
}

void LibraryModel::show(Ids ids, LibraryRecords records) {
    m_answered = true;
    m_records.clear();
    m_stale.clear();
    keep(std::move(records));  // first: the view asks for them as soon as the rows are there
    replaceRows(std::move(ids));
}

void LibraryModel::replaceRows(Ids ids) {
    beginResetModel();
    ++m_generation;
    m_wanted.clear();
    m_ids = std::move(ids);
    endResetModel();
}

// Most changes take a few rows out or put a few in: only the part between the first and the last difference is
// replaced, so that the view stays where it is.
void LibraryModel::mergeRows(Ids ids) {
    const auto begin = std::mismatch(m_ids.begin(), m_ids.end(), ids.begin(), ids.end()).first - m_ids.begin();
    auto oldEnd = static_cast<std::ptrdiff_t>(m_ids.size());
    auto newEnd = static_cast<std::ptrdiff_t>(ids.size());
    while (oldEnd > begin && newEnd > begin &&
           m_ids[static_cast<std::size_t>(oldEnd - 1)] == ids[static_cast<std::size_t>(newEnd - 1)]) {
        --oldEnd;
        --newEnd;
    }
    m_wanted.clear();
    m_generation += oldEnd > begin || newEnd > begin ? 1 : 0;
    if (oldEnd > begin) {
        beginRemoveRows({}, static_cast<int>(begin), static_cast<int>(oldEnd) - 1);
        m_ids.erase(m_ids.begin() + begin, m_ids.begin() + oldEnd);
        endRemoveRows();
    }
    if (newEnd > begin) {
        beginInsertRows({}, static_cast<int>(begin), static_cast<int>(newEnd) - 1);
        m_ids.insert(m_ids.begin() + begin, ids.begin() + begin, ids.begin() + newEnd);
        endInsertRows();
    }
}

int LibraryModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_ids.size());
}

std::int64_t LibraryModel::id(int row) const {
    return row >= 0 && row < rowCount() ? m_ids[static_cast<std::size_t>(row)] : 0;
}

int LibraryModel::rowOf(std::int64_t id) const {
    const auto found = std::find(m_ids.begin(), m_ids.end(), id);
    return found == m_ids.end() ? -1 : static_cast<int>(found - m_ids.begin());
}

const store::Clip* LibraryModel::clip(int row) const {
    const std::int64_t clipId = id(row);
    if (clipId == 0) {
        return nullptr;
    }
    if (const store::Clip* known = m_records.object(clipId)) {
        return known;
    }
    const int block = row / kBlock * kBlock;
    m_wanted.removeOne(block);
    m_wanted.append(block);
    if (m_wanted.size() > kMostWanted) {
        m_wanted.removeFirst();
    }
    if (!m_fetchTimer.isActive()) {
        m_fetchTimer.start();
    }
    return nullptr;
}

void LibraryModel::fetchNext() {
    while (!m_wanted.isEmpty() && m_fetching < kMostFetches) {
        const int block = m_wanted.takeLast();
        Ids ids;
        for (int row = block; row < std::min(block + kBlock, rowCount()); ++row) {
            if (!m_records.contains(id(row))) {
                ids.push_back(id(row));
            }
        }
        if (ids.empty()) {
            continue;
        }
        ++m_fetching;
        m_library.read(
            this,
            [ids, folder = m_library.folder()](store::LibraryStore& store) {
                return readRecords(store, folder, ids);
            },
            [this, block, generation = m_generation](LibraryRecords records) {
                --m_fetching;
                if (generation == m_generation) {
                    // Where they stand is known: looking for each among all rows would take longer than drawing
                    // them.
                    keep(std::move(records));
                    emit dataChanged(index(block), index(std::min(block + kBlock, rowCount()) - 1));
                } else {
                    take(std::move(records));
                }
                fetchNext();
            });
    }
}

void LibraryModel::keep(LibraryRecords records) {
    for (const std::int64_t id : records.moved) {
        const auto clip = std::find_if(records.clips.begin(), records.clips.end(),
                                       [id](const store::Clip& c) { return c.id == id; });
        // So that missing:yes finds it. Should it fail, the next look tries again.
        m_library.write(
            this,
            [id, missing = clip->missing](store::LibraryStore& store) { return store.setMissing(id, missing); },
            [](const Status&) {});
    }
    for (store::Clip& clip : records.clips) {
        const std::int64_t id = clip.id;
        m_stale.remove(id);
        m_records.insert(id, new store::Clip(std::move(clip)));
    }
}

void LibraryModel::take(LibraryRecords records) {
    int first = rowCount();
    int last = -1;
    for (const store::Clip& clip : records.clips) {
        const int row = rowOf(clip.id);
        if (row >= 0) {
            first = std::min(first, row);
            last = std::max(last, row);
        }
    }
    keep(std::move(records));
    if (last >= first) {
        emit dataChanged(index(first), index(last));
    }
}

Qt::ItemFlags LibraryModel::flags(const QModelIndex& index) const {
    return index.isValid() ? QAbstractListModel::flags(index) | Qt::ItemIsDragEnabled : Qt::NoItemFlags;
}

QVariant LibraryModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    if (role == ClipIdRole) {
        return QVariant::fromValue<qint64>(id(index.row()));
    }
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole && role != Qt::AccessibleTextRole) {
        return {};
    }
    const store::Clip* record = clip(index.row());
    if (record == nullptr) {
        return {};
    }
    const QString prompt = QString::fromStdString(record->prompt).simplified();
    if (role == Qt::ToolTipRole) {
        return asToolTip(record->missing
                             ? tr("%1\nIts file is missing: %2").arg(prompt, QString::fromStdString(record->file))
                             : prompt);
    }
    if (role == Qt::AccessibleTextRole) {
        const QString text = record->stars == 0   ? prompt
                             : record->stars == 1 ? tr("%1, one star").arg(prompt)
                                                  : tr("%1, %n stars", nullptr, record->stars).arg(prompt);
        return record->missing ? tr("%1, file missing").arg(text) : text;
    }
    return prompt;
}

}  // namespace fw::ui
