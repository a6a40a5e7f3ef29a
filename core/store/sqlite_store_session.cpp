// Projects, prompt history, presets and session values of the library database.
#include <utility>

#include "core/store/sqlite_store.h"

namespace fw::store {

Result<std::vector<Project>> SqliteStore::projects() {
    FW_ASSIGN(auto statement, m_connection->prepare("SELECT id, name, created_us FROM project ORDER BY id"));
    std::vector<Project> result;
    for (;;) {
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return result;
        }
        result.push_back({statement.integer(0), statement.text(1), statement.integer(2)});
    }
}

Result<Project> SqliteStore::addProject(const std::string& name) {
    if (name.empty()) {
        return fail(ErrorCode::InvalidArgument, "a project needs a name");
    }
    FW_ASSIGN(auto statement, m_connection->prepare("INSERT INTO project (name, created_us) VALUES (?, ?)"));
    const std::int64_t now = nowUs();
    FW_TRY(statement.bind(name).bind(now).run());
    return Project{m_connection->lastInsertId(), name, now};
}

Status SqliteStore::renameProject(std::int64_t id, const std::string& name) {
    if (name.empty()) {
        return fail(ErrorCode::InvalidArgument, "a project needs a name");
    }
    FW_ASSIGN(auto statement, m_connection->prepare("UPDATE project SET name = ? WHERE id = ?"));
    return statement.bind(name).bind(id).run();
}

Status SqliteStore::rememberPrompts(const std::vector<PromptPair>& prompts) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    FW_ASSIGN(auto statement, m_connection->prepare(
                                  "INSERT INTO prompt (prompt, negative_prompt, used_us) VALUES (?, ?, ?) "
                                  "ON CONFLICT (prompt, negative_prompt) DO UPDATE SET used_us = excluded.used_us, "
                                  "uses = uses + 1"));
    const std::int64_t now = nowUs();
    for (const auto& [prompt, negative] : prompts) {
        FW_TRY(statement.reset().bind(prompt).bind(negative).bind(now).run());
    }
    return transaction.commit();
}

Result<std::vector<PromptEntry>> SqliteStore::prompts(const std::string& words, int limit) {
    FW_ASSIGN(
        auto statement,
        m_connection->prepare("SELECT id, prompt, negative_prompt, used_us, uses FROM prompt "
                              "WHERE instr(lower(prompt), lower(?)) > 0 ORDER BY used_us DESC, id DESC LIMIT ?"));
    statement.bind(words).bind(limit);
    std::vector<PromptEntry> result;
    for (;;) {
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return result;
        }
        result.push_back({statement.integer(0), statement.text(1), statement.text(2), statement.integer(3),
                          statement.smallInteger(4)});
    }
}

Result<std::vector<Preset>> SqliteStore::presets() {
    FW_ASSIGN(auto statement,
              m_connection->prepare("SELECT name, request FROM preset ORDER BY name COLLATE NOCASE"));
    std::vector<Preset> result;
    for (;;) {
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return result;
        }
        result.push_back({statement.text(0), statement.text(1)});
    }
}

Status SqliteStore::savePreset(const Preset& preset) {
    if (preset.name.empty()) {
        return fail(ErrorCode::InvalidArgument, "a preset needs a name");
    }
    FW_ASSIGN(auto statement, m_connection->prepare("INSERT OR REPLACE INTO preset (name, request) VALUES (?, ?)"));
    return statement.bind(preset.name).bind(preset.requestJson).run();
}

Status SqliteStore::removePreset(const std::string& name) {
    FW_ASSIGN(auto statement, m_connection->prepare("DELETE FROM preset WHERE name = ?"));
    return statement.bind(name).run();
}

Result<std::vector<SavedSearch>> SqliteStore::savedSearches() {
    FW_ASSIGN(auto statement, m_connection->prepare("SELECT name, query, project_id, sort_order FROM saved_search "
                                                    "ORDER BY name"));
    std::vector<SavedSearch> result;
    for (;;) {
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return result;
        }
        // A newer program may know more orders.
        const auto order = statement.integer(3);
        const bool known = order >= 0 && order <= static_cast<std::int64_t>(ClipOrder::Name);
        result.push_back({statement.text(0), statement.text(1), statement.integer(2),
                          known ? static_cast<ClipOrder>(order) : ClipOrder::Newest});
    }
}

Status SqliteStore::saveSearch(const SavedSearch& search) {
    if (search.name.empty()) {
        return fail(ErrorCode::InvalidArgument, "a saved search needs a name");
    }
    FW_ASSIGN(auto statement,
              m_connection->prepare("INSERT INTO saved_search (name, query, project_id, sort_order) "
                                    "VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET name = excluded.name, "
                                    "query = excluded.query, project_id = excluded.project_id, "
                                    "sort_order = excluded.sort_order"));
    return statement.bind(search.name)
        .bind(search.text)
        .bind(search.projectId)
        .bind(static_cast<int>(search.order))
        .run();
}

Status SqliteStore::renameSearch(const std::string& from, const std::string& to) {
    if (to.empty()) {
        return fail(ErrorCode::InvalidArgument, "a saved search needs a name");
    }
    FW_ASSIGN(auto statement, m_connection->prepare("UPDATE OR IGNORE saved_search SET name = ?2 WHERE name = ?1"));
    FW_TRY(statement.bind(from).bind(to).run());
    if (m_connection->changes() == 0) {
        return fail(ErrorCode::InvalidArgument, "there is a saved search “{}” already; choose another name", to);
    }
    return {};
}

Status SqliteStore::removeSearch(const std::string& name) {
    FW_ASSIGN(auto statement, m_connection->prepare("DELETE FROM saved_search WHERE name = ?"));
    return statement.bind(name).run();
}

Result<std::string> SqliteStore::sessionValue(const std::string& key) {
    FW_ASSIGN(auto statement, m_connection->prepare("SELECT value FROM session WHERE key = ?"));
    FW_ASSIGN(const bool row, statement.bind(key).step());
    return row ? statement.text(0) : std::string();
}

Status SqliteStore::setSessionValue(const std::string& key, const std::string& value) {
    FW_ASSIGN(auto statement, m_connection->prepare("INSERT OR REPLACE INTO session (key, value) VALUES (?, ?)"));
    return statement.bind(key).bind(value).run();
}

}  // namespace fw::store
