// RAII over the SQLite C API (https://www.sqlite.org/c3ref/intro.html): a connection, a statement, a transaction.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/base/result.h"

namespace fw::store {

struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

// An error from the last call on `connection`: OutOfMemory, Io (disk full, read-only, locked …) or Internal.
[[nodiscard]] Error sqliteError(sqlite3* connection, std::string_view doing);

class Statement {
 public:
    Statement(sqlite3* connection, sqlite3_stmt* statement) : m_connection(connection), m_statement(statement) {}

    // Parameters from 1, in order of the calls.
    Statement& bind(std::int64_t value);
    Statement& bind(int value) { return bind(static_cast<std::int64_t>(value)); }
    Statement& bind(double value);
    Statement& bind(std::string_view value);
    Statement& bind(const std::string& value) { return bind(std::string_view(value)); }
    Statement& bind(const char* value) { return bind(std::string_view(value)); }

    // True while there is a row.
    [[nodiscard]] Result<bool> step();
    // For statements without rows.
    [[nodiscard]] Status run();
    // Ready to be bound and run again.
    Statement& reset();

    [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(m_statement.get(), column); }
    [[nodiscard]] int smallInteger(int column) const { return sqlite3_column_int(m_statement.get(), column); }
    [[nodiscard]] double real(int column) const { return sqlite3_column_double(m_statement.get(), column); }
    [[nodiscard]] std::string text(int column) const;

 private:
    sqlite3* m_connection;
    std::unique_ptr<sqlite3_stmt, FinalizeStatement> m_statement;
    int m_next = 1;
    int m_bindError = SQLITE_OK;
};

class Connection {
 public:
    enum class Mode { ReadWrite, ReadOnly };
    [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& file, Mode mode);

    [[nodiscard]] Result<Statement> prepare(std::string_view sql);
    // Several statements separated by semicolons, without parameters.
    [[nodiscard]] Status execute(const std::string& sql);
    // First column of the first row.
    [[nodiscard]] Result<std::int64_t> scalar(std::string_view sql);

    [[nodiscard]] std::int64_t lastInsertId() const { return sqlite3_last_insert_rowid(m_connection.get()); }
    [[nodiscard]] int changes() const { return sqlite3_changes(m_connection.get()); }
    [[nodiscard]] sqlite3* handle() { return m_connection.get(); }
    void interrupt() { sqlite3_interrupt(m_connection.get()); }

 private:
    explicit Connection(sqlite3* connection) : m_connection(connection) {}
    std::unique_ptr<sqlite3, CloseConnection> m_connection;
};

// BEGIN IMMEDIATE now; rolls back unless committed.
class Transaction {
 public:
    [[nodiscard]] static Result<Transaction> begin(Connection& connection);
    Transaction(Transaction&& other) noexcept : m_connection(std::exchange(other.m_connection, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    [[nodiscard]] Status commit();

 private:
    explicit Transaction(Connection* connection) : m_connection(connection) {}
    Connection* m_connection;
};

}  // namespace fw::store
