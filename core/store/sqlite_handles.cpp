#include "core/store/sqlite_handles.h"

#include <utility>

namespace fw::store {

Error sqliteError(sqlite3* connection, std::string_view doing) {
    const int code = connection != nullptr ? sqlite3_errcode(connection) & 0xff : SQLITE_NOMEM;
    const std::string reason = connection != nullptr ? sqlite3_errmsg(connection) : "out of memory";
    switch (code) {
        case SQLITE_NOMEM:
            return {ErrorCode::OutOfMemory, fmt::format("{}: out of memory", doing)};
        case SQLITE_FULL:
            return {ErrorCode::Io, fmt::format("{}: the disk is full", doing)};
        case SQLITE_READONLY:
            return {ErrorCode::Io, fmt::format("{}: the library folder is read-only", doing)};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::Io, fmt::format("{}: the library is in use by another program", doing)};
        case SQLITE_INTERRUPT:
            return {ErrorCode::Cancelled, fmt::format("{}: stopped", doing)};
        case SQLITE_CANTOPEN:
        case SQLITE_IOERR:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {ErrorCode::Io, fmt::format("{}: {}", doing, reason)};
        default:
            return {ErrorCode::Internal, fmt::format("{}: {}", doing, reason)};
    }
}

Statement& Statement::bind(std::int64_t value) {
    m_bindError |= sqlite3_bind_int64(m_statement.get(), m_next++, value);
    return *this;
}

Statement& Statement::bind(double value) {
    m_bindError |= sqlite3_bind_double(m_statement.get(), m_next++, value);
    return *this;
}

Statement& Statement::bind(std::string_view value) {
    // A null pointer would bind NULL; an empty string is an empty text.
    const char* data = value.data() != nullptr ? value.data() : "";
    m_bindError |=
        sqlite3_bind_text64(m_statement.get(), m_next++, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}

Result<bool> Statement::step() {
    if (m_bindError != SQLITE_OK) {
        return tl::unexpected(sqliteError(m_connection, "binding a value"));
    }
    const int code = sqlite3_step(m_statement.get());
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        return false;
    }
    return tl::unexpected(sqliteError(m_connection, "using the library database"));
}

Status Statement::run() {
    FW_ASSIGN(const bool row, step());
    FW_CHECK(!row, "run() of a statement with rows: {}", sqlite3_sql(m_statement.get()));
    return {};
}

Statement& Statement::reset() {
    sqlite3_reset(m_statement.get());  // repeats the error of the last step, which step() has reported
    m_next = 1;
    m_bindError = SQLITE_OK;
    return *this;
}

std::string Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(m_statement.get(), column));
    const int size = sqlite3_column_bytes(m_statement.get(), column);
    return data != nullptr ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file, Mode mode) {
    const int flags = (mode == Mode::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
    auto connection = std::unique_ptr<Connection>(new Connection(raw));
    if (code != SQLITE_OK) {
        return tl::unexpected(sqliteError(raw, fmt::format("opening {}", file.string())));
    }
    sqlite3_busy_timeout(raw, 5000);
    return connection;
}

Result<Statement> Connection::prepare(std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(handle(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK) {
        return tl::unexpected(sqliteError(handle(), "preparing a statement"));
    }
    return Statement(handle(), raw);
}

Status Connection::execute(const std::string& sql) {
    if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        return tl::unexpected(sqliteError(handle(), "changing the library database"));
    }
    return {};
}

Result<std::int64_t> Connection::scalar(std::string_view sql) {
    FW_ASSIGN(auto statement, prepare(sql));
    FW_ASSIGN(const bool row, statement.step());
    return row ? statement.integer(0) : 0;
}

Result<Transaction> Transaction::begin(Connection& connection) {
    FW_TRY(connection.execute("BEGIN IMMEDIATE"));
    return Transaction(&connection);
}

Transaction::~Transaction() {
    if (m_connection != nullptr && sqlite3_get_autocommit(m_connection->handle()) == 0) {
        // Nothing can be done about a failing rollback; the connection reports the state at its next use.
        (void)m_connection->execute("ROLLBACK");
    }
}

Status Transaction::commit() {
    FW_TRY(m_connection->execute("COMMIT"));
    m_connection = nullptr;
    return {};
}

}  // namespace fw::store
