// The clips a search found, as rows: all their ids, and the records of those near what is looked at.
#pragma once

#include <QAbstractListModel>
#include <QCache>
#include <QList>
#include <QSet>
#include <QTimer>
#include <atomic>
#include <filesystem>
#include <memory>
#include <vector>

#include "app/library/library_service.h"
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

    // Searches; the rows change when the answer is there. A newer call makes older ones pointless.
    void setQuery(const store::ClipQuery& query);
    [[nodiscard]] const store::ClipQuery& query() const { return m_query; }
    // The same search again, after clips changed: rows that stay keep their place and selection. `changed`: clips
    // whose records are read again.
    void refresh(const std::vector<std::int64_t>& changed);
    [[nodiscard]] const std::filesystem::path& folder() const { return m_library.folder(); }
    [[nodiscard]] bool isSearching() const { return m_searching; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

    [[nodiscard]] std::int64_t id(int row) const;
    [[nodiscard]] int rowOf(std::int64_t id) const;  // -1: not among the rows
    // Null until the record was read, which asking for it starts; valid until the event loop runs again.
    [[nodiscard]] const store::Clip* clip(int row) const;
    [[nodiscard]] int recordCount() const { return static_cast<int>(m_records.size()); }

 signals:
    void searched(qint64 count);
    void searchFailed(const fw::Error& error);

 private:
    using Ids = std::vector<std::int64_t>;
    void search(bool keepRows);
    void replaceRows(Ids ids);
    void mergeRows(Ids ids);
    void fetchNext();
    void keep(LibraryRecords records);
    void take(LibraryRecords records);

    app::LibraryService& m_library;
    store::ClipQuery m_query;
    Ids m_ids;
    bool m_searching = false;
    std::shared_ptr<std::atomic<quint64>> m_newest;  // number of the newest search; read on the reader thread
    mutable QCache<std::int64_t, store::Clip> m_records;
    mutable QList<int> m_wanted;  // first rows of blocks, most urgent last
    QSet<std::int64_t> m_stale;   // records that are shown but must be read again
    int m_fetching = 0;
    mutable QTimer m_fetchTimer;
};

}  // namespace fw::ui
