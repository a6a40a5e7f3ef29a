// The clips a search found, as rows: all their ids, and the records of those near what is looked at.
#pragma once

#include <QAbstractListModel>
#include <QCache>
#include <QList>
#include <QSet>
#include <QTimer>
#include <filesystem>
#include <vector>

#include "app/library/library_service.h"
#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/store/library_store.h"

namespace fw::ui {

// Records as they were read, and those of them whose file appeared or went since it was last looked for.
struct LibraryRecords {
    std::vector<store::Clip> clips;
    std::vector<std::int64_t> moved;
};

// Nothing here waits for the database. 100,000 clips are 800 KB of ids and at most kMostRecords records.
class LibraryModel : public QAbstractListModel {
    Q_OBJECT

 public:
    static constexpr int kMostRecords = 2048;
    enum Role { ClipIdRole = Qt::UserRole };

    explicit LibraryModel(app::LibraryService& library, QObject* parent = nullptr);
    ~LibraryModel() override;

    // Searches; the rows change when the answer is there: the first ones as soon as they are known, then all. A
    // newer call makes older ones pointless.
    void setQuery(const store::ClipQuery& query);
    [[nodiscard]] const store::ClipQuery& query() const { return m_query; }
    // The same search again, after clips changed: rows that stay keep their place and selection. `changed`: clips
    // whose records are read again.
    void refresh(const std::vector<std::int64_t>& changed);
    [[nodiscard]] const std::filesystem::path& folder() const { return m_library.folder(); }
    [[nodiscard]] bool isSearching() const { return m_searching; }  // not all rows are there
    [[nodiscard]] bool hasAnswer() const { return m_answered; }     // the first ones are

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

    [[nodiscard]] std::int64_t id(int row) const;
    [[nodiscard]] int rowOf(std::int64_t id) const;  // -1: not among the rows
    // Null until the record was read, which asking for it starts; valid until the event loop runs again.
    [[nodiscard]] const store::Clip* clip(int row) const;
    [[nodiscard]] int recordCount() const { return static_cast<int>(m_records.size()); }

 signals:
    void begun();  // the first rows are there, not all of them
    void searched(qint64 count);
    void searchFailed(const fw::Error& error);

 private:
    using Ids = std::vector<std::int64_t>;
    // Answers of the reader thread, with the records of the first rows, so that they are drawn at once; or of those
    // that changed.
    struct First {
        Result<store::FirstClips> found;
        LibraryRecords records;
    };
    struct Found {
        Result<Ids> ids;
        LibraryRecords records;
    };
    [[nodiscard]] CancelToken begin();  // of another search, in place of the running one
    void search();                      // the first rows, then all
    void searchAll();
    void showFirst(First first);
    void show(Ids ids, LibraryRecords records);
    void fail(const Error& error);
    void replaceRows(Ids ids);
    void mergeRows(Ids ids);
    void fetchNext();
    void keep(LibraryRecords records);
    void take(LibraryRecords records);

    app::LibraryService& m_library;
    store::ClipQuery m_query;
    Ids m_ids;
    bool m_searching = false, m_answered = true;
    CancelSource m_cancel;  // of the running search
    mutable QCache<std::int64_t, store::Clip> m_records;
    mutable QList<int> m_wanted;  // first rows of blocks, most urgent last
    QSet<std::int64_t> m_stale;   // records that are shown but must be read again
    int m_fetching = 0;
    quint64 m_generation = 0;  // of the rows; others since then may stand elsewhere
    mutable QTimer m_fetchTimer;
};

}  // namespace fw::ui
