#include "core/store/migrations.h"

#include <array>
#include <string>
#include <vector>

namespace fw::store {

namespace {

Status copyDatabase(Connection& from, const std::filesystem::path& to) {
    FW_ASSIGN(auto target, Connection::open(to, Connection::Mode::ReadWrite));
    sqlite3_backup* backup = sqlite3_backup_init(target->handle(), "main", from.handle(), "main");
    if (backup == nullptr) {
        return tl::unexpected(sqliteError(target->handle(), "copying the library database"));
    }
    sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK) {
        return tl::unexpected(sqliteError(target->handle(), "copying the library database"));
    }
    return {};
}

// Column names that both tables have, separated by commas.
Result<std::string> commonColumns(Connection& connection, const std::string& table) {
    FW_ASSIGN(auto statement,
              connection.prepare(fmt::format("SELECT a.name FROM pragma_table_info('{}') a "
                                             "JOIN pragma_table_info('{}', 'damaged') b ON a.name = b.name",
                                             table, table)));
    std::string columns;
    for (;;) {
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return columns;
        }
        columns += (columns.empty() ? "" : ", ") + statement.text(0);
    }
}

// Rows one by one in both directions: a damaged page ends one direction, not the other.
std::int64_t salvageTable(Connection& connection, const std::string& table, const std::string& columns) {
    auto copy = connection.prepare(
        fmt::format("INSERT OR IGNORE INTO main.{} ({}) SELECT {} FROM damaged.{} WHERE rowid = ?", table, columns,
                    columns, table));
    std::int64_t saved = 0;
    for (const char* direction : {"ASC", "DESC"}) {
        auto ids =
            connection.prepare(fmt::format("SELECT rowid FROM damaged.{} ORDER BY rowid {}", table, direction));
        while (copy && ids) {
            const auto row = ids->step();
            if (!row || !*row) {
                break;
            }
            if (copy->reset().bind(ids->integer(0)).step()) {
                saved += connection.changes();
            }
        }
    }
    return saved;
}

// A table without row ids, of two columns.
void salvagePairs(Connection& connection, const std::string& table, const std::string& first,
                  const std::string& second) {
    auto rows = connection.prepare(fmt::format("SELECT {}, {} FROM damaged.{}", first, second, table));
    auto copy = connection.prepare(
        fmt::format("INSERT OR IGNORE INTO main.{} ({}, {}) VALUES (?, ?)", table, first, second));
    while (rows && copy) {
        const auto row = rows->step();
        if (!row || !*row) {
            return;
        }
        // A text is bound as text and turned into an integer where the column is one.
        if (const auto copied = copy->reset().bind(rows->text(0)).bind(rows->text(1)).step(); !copied) {
            continue;  // this row is lost, the next may be whole
        }
    }
}

}  // namespace

Status migrate(Connection& connection, const std::filesystem::path& file, OpenReport& report) {
    const auto steps = schemaSteps();
    FW_ASSIGN(const std::int64_t version, connection.scalar("PRAGMA user_version"));
    if (version > static_cast<std::int64_t>(steps.size())) {
        return fail(
            ErrorCode::Unsupported,
            "{} was written by a newer Framewright (library version {}, this program knows {}): update the program",
            file.string(), version, steps.size());
    }
    if (version == static_cast<std::int64_t>(steps.size())) {
        return {};
    }
    if (version > 0) {
        report.migratedFrom = static_cast<int>(version);
        report.backup = file;
        report.backup.replace_filename(fmt::format("{}-before-v{}.sqlite3", file.stem().string(), version + 1));
        FW_TRY(copyDatabase(connection, report.backup));
    }
    for (auto i = static_cast<std::size_t>(version); i < steps.size(); ++i) {
        FW_ASSIGN(auto transaction, Transaction::begin(connection));
        FW_TRY(connection.execute(std::string(steps[i])));
        FW_TRY(connection.execute(fmt::format("PRAGMA user_version = {}", i + 1)));
        FW_TRY(transaction.commit());
    }
    return {};
}

Status salvage(const std::filesystem::path& damaged, Connection& fresh, OpenReport& report) {
    // Every row is its own statement and its own commit, so that no error can take others with it; the file counts
    // only when it is complete, so nothing has to wait for the disk. Rows may refer to lost ones until the end.
    // writable_schema reads files that are shorter than their header says.
    FW_TRY(fresh.execute("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON"));
    FW_ASSIGN(auto attach, fresh.prepare("ATTACH DATABASE ? AS damaged"));
    if (auto attached = attach.bind(damaged.string()).step(); !attached) {
        return {};  // not even a database header: nothing to save
    }
    for (const std::string table : {"project", "job", "clip", "tag", "prompt", "saved_search"}) {
        const auto columns = commonColumns(fresh, table);
        if (!columns || columns->empty()) {
            continue;
        }
        const std::int64_t saved = salvageTable(fresh, table, *columns);
        if (table == "clip") {
            report.recoveredClips = saved;
        } else if (table == "job") {
            report.recoveredJobs = saved;
        }
    }
    salvagePairs(fresh, "clip_tag", "clip_id", "tag_id");
    salvagePairs(fresh, "preset", "name", "request");
    FW_TRY(
        fresh.execute("UPDATE clip SET project_id = 1 WHERE project_id NOT IN (SELECT id FROM project);"
                      "UPDATE job SET project_id = 1 WHERE project_id NOT IN (SELECT id FROM project);"
                      "UPDATE saved_search SET project_id = 0 WHERE project_id NOT IN (SELECT id FROM project);"
                      "DELETE FROM clip_tag WHERE clip_id NOT IN (SELECT id FROM clip) "
                      "OR tag_id NOT IN (SELECT id FROM tag);"));
    FW_TRY(fresh.execute("DETACH DATABASE damaged"));
    return fresh.execute("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace fw::store
