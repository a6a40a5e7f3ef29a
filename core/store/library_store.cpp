#include "core/store/library_store.h"

#include <chrono>
#include <system_error>

#include "core/store/migrations.h"
#include "core/store/sqlite_handles.h"
#include "core/store/sqlite_store.h"

namespace fw::store {

namespace {

constexpr const char* kFileName = "library.sqlite3";

Status configure(Connection& connection) {
    return connection.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;");
}

// True when SQLite can read the whole file. quick_check also finds pages that are no longer B-tree pages.
// An error is the caller's: a busy or unreadable file is not a damaged one.
Result<bool> isSound(Connection& connection) {
    // Parsing the JSON of every row again would take most of the time, and says nothing about the file.
    FW_TRY(connection.execute("PRAGMA ignore_check_constraints = ON"));
    FW_ASSIGN(auto statement, connection.prepare("PRAGMA quick_check(1)"));
    FW_ASSIGN(const bool row, statement.step());
    const bool sound = row && statement.text(0) == "ok";
    FW_TRY(connection.execute("PRAGMA ignore_check_constraints = OFF"));
    return sound;
}

std::filesystem::path recoveringFile(const std::filesystem::path& file) {
    return std::filesystem::path(file).replace_filename("library-recovering.sqlite3");
}

void removeDatabase(const std::filesystem::path& file) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
        std::error_code ignored;
        std::filesystem::remove(file.string() + suffix, ignored);
    }
}

// Renames library.sqlite3 and its journals out of the way.
Result<std::filesystem::path> setAside(const std::filesystem::path& file) {
    std::filesystem::path aside;
    for (int i = 1;; ++i) {
        aside = file;
        aside.replace_filename(fmt::format("library-damaged-{}.sqlite3", i));
        if (!std::filesystem::exists(aside)) {
            break;
        }
    }
    std::error_code error;
    std::filesystem::rename(file, aside, error);
    if (error) {
        return fail(ErrorCode::Io, "{} is damaged and cannot be renamed: {}", file.string(), error.message());
    }
    for (const char* suffix : {"-wal", "-shm"}) {
        std::error_code ignored;
        std::filesystem::rename(file.string() + suffix, aside.string() + suffix, ignored);
    }
    return aside;
}

Result<std::unique_ptr<Connection>> openFile(const std::filesystem::path& file, bool check, OpenReport& report) {
    FW_ASSIGN(auto connection, Connection::open(file, Connection::Mode::ReadWrite));
    if (check) {
        FW_ASSIGN(const bool sound, isSound(*connection));
        if (!sound) {
            return fail(ErrorCode::Io, "{} is damaged", file.string());
        }
    }
    FW_TRY(configure(*connection));
    FW_TRY(migrate(*connection, file, report));
    return connection;
}

// Puts what can be read of the damaged `file` into a new one, and that in its place. Until the new one is complete
// nothing is renamed: an interruption starts over at the next start.
Status recover(const std::filesystem::path& file, OpenReport& report) {
    const std::filesystem::path recovering = recoveringFile(file);
    removeDatabase(recovering);
    {
        OpenReport ignored;
        FW_ASSIGN(auto fresh, openFile(recovering, false, ignored));
        FW_TRY(salvage(file, *fresh, report));
    }
    FW_ASSIGN(report.damagedSetAside, setAside(file));
    std::error_code error;
    std::filesystem::rename(recovering, file, error);
    if (error) {
        return fail(ErrorCode::Io, "{} cannot be renamed: {}", recovering.string(), error.message());
    }
    return {};
}

// An interruption between the two renames of recover().
void finishRecovery(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file) && std::filesystem::exists(recoveringFile(file))) {
        std::error_code ignored;  // then a new library is begun, and both files stay
        std::filesystem::rename(recoveringFile(file), file, ignored);
    }
}

// SQLite's own words for SQLITE_CORRUPT and SQLITE_NOTADB, and ours for a failed check.
bool isDamage(const Error& error) {
    if (error.code != ErrorCode::Io) {
        return false;
    }
    return error.message.find("damaged") != std::string::npos ||
           error.message.find("malformed") != std::string::npos ||
           error.message.find("not a database") != std::string::npos;
}

// What an unclean end left behind: the flag and jobs that were running.
Status reconcile(Connection& connection, OpenReport& report) {
    FW_ASSIGN(const std::int64_t open,
              connection.scalar("SELECT count(*) FROM session WHERE key = 'open' AND value = '1'"));
    report.uncleanExit = open > 0;
    FW_ASSIGN(auto transaction, Transaction::begin(connection));
    FW_TRY(connection.execute("UPDATE job SET state = 'interrupted' WHERE state = 'running'"));
    report.interruptedJobs = connection.changes();
    FW_TRY(connection.execute("INSERT OR REPLACE INTO session (key, value) VALUES ('open', '1')"));
    return transaction.commit();
}

}  // namespace

std::string_view jobStateName(JobState state) {
    switch (state) {
        case JobState::Queued:
            return "queued";
        case JobState::Running:
            return "running";
        case JobState::Interrupted:
            return "interrupted";
        case JobState::Done:
            return "done";
        case JobState::Failed:
            return "failed";
        case JobState::Cancelled:
            return "cancelled";
    }
    return "queued";
}

std::int64_t nowUs() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Result<std::unique_ptr<LibraryStore>> LibraryStore::open(const std::filesystem::path& folder, OpenReport* report) {
    OpenReport local;
    OpenReport& out = report != nullptr ? *report : local;
    out = {};
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        return fail(ErrorCode::Io, "cannot create the library folder {}: {}", folder.string(), error.message());
    }
    const std::filesystem::path file = folder / kFileName;
    finishRecovery(file);
    const bool existed = std::filesystem::exists(file);
    auto connection = openFile(file, existed, out);
    if (!connection && existed && isDamage(connection.error())) {
        FW_TRY(recover(file, out));
        connection = openFile(file, false, out);
    }
    if (!connection) {
        return tl::unexpected(std::move(connection).error());
    }
    FW_TRY(reconcile(**connection, out));
    return std::unique_ptr<LibraryStore>(new SqliteStore(std::move(*connection), false));
}

Result<std::unique_ptr<LibraryStore>> LibraryStore::openReadOnly(const std::filesystem::path& folder) {
    FW_ASSIGN(auto connection, Connection::open(folder / kFileName, Connection::Mode::ReadOnly));
    FW_TRY(connection->execute("PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY"));
    return std::unique_ptr<LibraryStore>(new SqliteStore(std::move(connection), true));
}

SqliteStore::~SqliteStore() = default;

Status SqliteStore::close() {
    if (m_readOnly || m_closed) {
        return {};
    }
    FW_TRY(m_connection->execute("INSERT OR REPLACE INTO session (key, value) VALUES ('open', '0')"));
    // Fold the journal in, so that the library is one file when it is copied.
    FW_TRY(m_connection->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    m_closed = true;
    return {};
}

Status SqliteStore::forEachId(const std::vector<std::int64_t>& ids, const char* sql,
                              const std::optional<std::int64_t>& value) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    FW_ASSIGN(auto statement, m_connection->prepare(sql));
    for (const std::int64_t id : ids) {
        statement.reset();
        if (value) {
            statement.bind(*value);
        }
        FW_TRY(statement.bind(id).run());
    }
    return transaction.commit();
}

}  // namespace fw::store
