// Searching the clips of the library database. Nothing here reads a row of the clip table: its requests and reports
// would make every search read the whole file. The conditions read the index clip_facts, the words clip_words, the
// sort orders indices of their own, and the lists of ids are intersected here, which is faster than in SQL.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/store/sqlite_store.h"

namespace fw::store {

namespace {

constexpr std::size_t kRowsPerCheck = 1024;  // of cancelling
constexpr std::array<int, 3> kFirstLooks{256, 1024,
                                         4096};  // clips that firstClipIds() looks at, one after the other

struct OrderScan {
    const char* index;
    const char* by;
};
OrderScan orderScan(ClipOrder order) {
    switch (order) {
        case ClipOrder::Newest:
            return {"clip_facts", "id DESC"};
        case ClipOrder::Oldest:
            return {"clip_facts", "id ASC"};
        case ClipOrder::Stars:
            return {"clip_by_stars", "stars DESC, id DESC"};
        case ClipOrder::Longest:
            return {"clip_by_length", "frames * fps_denominator * 1.0 / max(fps_numerator, 1) DESC, id DESC"};
        case ClipOrder::Name:
            return {"clip_by_name", "substr(prompt, 1, 64) COLLATE NOCASE, id"};
    }
    return {"clip_facts", "id DESC"};
}

void bindValues(Statement& statement, const ClipConditions& conditions) {
    for (const auto& value : conditions.values) {
        std::visit([&](const auto& v) { statement.bind(v); }, value);
    }
}

using Ids = std::vector<std::int64_t>;

// Which ids are in an ascending list: one bit each, or a search in the list when the ids lie far apart.
class IdSet {
 public:
    explicit IdSet(const Ids& ascending) : m_ids(ascending) {
        constexpr std::int64_t kMostBits = std::int64_t{1} << 26;
        if (!ascending.empty() && ascending.front() >= 0 && ascending.back() < kMostBits) {
            m_bits.resize(static_cast<std::size_t>(ascending.back()) + 1);
            for (const std::int64_t id : ascending) {
                m_bits[static_cast<std::size_t>(id)] = true;
            }
        }
    }
    [[nodiscard]] bool holds(std::int64_t id) const {
        if (m_bits.empty()) {
            return std::binary_search(m_ids.begin(), m_ids.end(), id);
        }
        return id >= 0 && static_cast<std::size_t>(id) < m_bits.size() && m_bits[static_cast<std::size_t>(id)];
    }

 private:
    const Ids& m_ids;
    std::vector<bool> m_bits;
};

void keepPart(Ids& ids, std::int64_t offset, std::int64_t limit) {
    const auto size = static_cast<std::int64_t>(ids.size());
    const std::int64_t begin = std::clamp<std::int64_t>(offset, 0, size);
    const std::int64_t end = limit < 0 ? size : std::min(size, begin + limit);
    ids.erase(ids.begin() + end, ids.end());
    ids.erase(ids.begin(), ids.begin() + begin);
}

}  // namespace

Result<Ids> SqliteStore::collectIds(Statement& statement, const CancelToken& cancel) {
    Ids ids;
    for (;;) {
        if (ids.size() % kRowsPerCheck == 0) {
            FW_TRY(cancel.check());
        }
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return ids;
        }
        ids.push_back(statement.integer(0));
    }
}

Result<Ids> SqliteStore::wordHits(const std::string& expression, bool descending, const CancelToken& cancel) {
    FW_ASSIGN(auto statement,
              m_connection->prepare(
                  descending ? "SELECT rowid FROM clip_words WHERE clip_words MATCH ? ORDER BY rowid DESC"
                             : "SELECT rowid FROM clip_words WHERE clip_words MATCH ? ORDER BY rowid"));
    statement.bind(expression);
    return collectIds(statement, cancel);
}

Result<Ids> SqliteStore::withWords(Ids ids, const ClipConditions& conditions) {
    if (ids.empty()) {
        return ids;
    }
    const auto [first, last] = std::minmax(ids.front(), ids.back());
    const auto hits = [&, first = first, last = last](const std::string& expression) -> Result<Ids> {
        FW_ASSIGN(auto statement, m_connection->prepare("SELECT rowid FROM clip_words WHERE clip_words MATCH ? "
                                                        "AND rowid BETWEEN ? AND ? ORDER BY rowid"));
        statement.bind(expression).bind(first).bind(last);
        return collectIds(statement);
    };
    const auto holds = [](const Ids& list, std::int64_t id) {
        return std::binary_search(list.begin(), list.end(), id);
    };
    if (!conditions.words.empty()) {
        FW_ASSIGN(const Ids in, hits(conditions.words));
        std::erase_if(ids, [&](std::int64_t id) { return !holds(in, id); });
    }
    if (!conditions.without.empty()) {
        FW_ASSIGN(const Ids out, hits(conditions.without));
        std::erase_if(ids, [&](std::int64_t id) { return holds(out, id); });
    }
    return ids;
}

Result<FirstClips> SqliteStore::firstClipIds(const ClipQuery& query, int limit) {
    FW_ASSIGN(const auto conditions, parseClipQuery(query));
    const bool newest = query.order == ClipOrder::Newest;
    const bool byId = newest || query.order == ClipOrder::Oldest;
    const bool anyWords = !conditions.words.empty() || !conditions.without.empty();
    const auto wanted = static_cast<std::size_t>(std::max(limit, 0));
    FirstClips first;
    if (!byId && (anyWords || conditions.narrowed)) {
        return first;  // the first of another order may be anywhere
    }
    if (!anyWords) {
        FW_ASSIGN(first.ids, matchingIds(query, 0, limit, {}));
        first.complete = first.ids.size() < wanted;
        return first;
    }
    FW_ASSIGN(auto facts,
              m_connection->prepare(fmt::format("SELECT id FROM clip INDEXED BY clip_facts WHERE {} AND id {} ? "
                                                "ORDER BY id {} LIMIT ?",
                                                conditions.where, newest ? "<" : ">", newest ? "DESC" : "ASC")));
    std::int64_t from =
        newest ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
    for (const int look : kFirstLooks) {
        bindValues(facts.reset(), conditions);
        facts.bind(from).bind(look);
        FW_ASSIGN(Ids some, collectIds(facts));
        first.complete = some.size() < static_cast<std::size_t>(look);
        from = some.empty() ? from : some.back();
        FW_ASSIGN(const Ids found, withWords(std::move(some), conditions));
        first.ids.insert(first.ids.end(), found.begin(), found.end());
        if (first.complete || first.ids.size() > wanted) {
            break;
        }
    }
    first.complete = first.complete && first.ids.size() <= wanted;
    first.ids.resize(std::min(first.ids.size(), wanted));
    return first;
}

Result<Ids> SqliteStore::matchingIds(const ClipQuery& query, std::int64_t offset, std::int64_t limit,
                                     const CancelToken& cancel) {
    FW_ASSIGN(const auto conditions, parseClipQuery(query));
    const bool newest = query.order == ClipOrder::Newest;
    const bool byId = newest || query.order == ClipOrder::Oldest;
    const bool anyWords = !conditions.words.empty() || !conditions.without.empty();
    const OrderScan scan = orderScan(query.order);
    if (!anyWords && (byId || !conditions.narrowed)) {
        // One scan of one index, and no more of it than is asked for.
        FW_ASSIGN(auto statement, m_connection->prepare(
                                      fmt::format("SELECT id FROM clip INDEXED BY {} WHERE {} ORDER BY {} LIMIT ? "
                                                  "OFFSET ?",
                                                  scan.index, conditions.where, scan.by)));
        bindValues(statement, conditions);
        statement.bind(limit).bind(offset);
        return collectIds(statement, cancel);
    }
    Ids hits;
    if (!conditions.words.empty()) {
        const std::string expression = conditions.without.empty()
                                           ? conditions.words
                                           : fmt::format("({}) NOT ({})", conditions.words, conditions.without);
        FW_ASSIGN(hits, wordHits(expression, newest, cancel));
    }
    if (!conditions.words.empty() && byId && !conditions.narrowed && !query.trashed) {
        // Few clips are in the trash: take them out.
        FW_ASSIGN(auto statement, m_connection->prepare("SELECT id FROM clip INDEXED BY clip_facts "
                                                        "WHERE trashed_us > 0 ORDER BY id"));
        FW_ASSIGN(const Ids trashed, collectIds(statement));
        const IdSet out(trashed);
        std::erase_if(hits, [&](std::int64_t id) { return out.holds(id); });
        keepPart(hits, offset, limit);
        return hits;
    }
    if (newest) {
        std::reverse(hits.begin(), hits.end());
    }
    Ids excluded;
    if (conditions.words.empty() && !conditions.without.empty()) {
        FW_ASSIGN(excluded, wordHits(conditions.without, false, cancel));
    }
    FW_ASSIGN(auto facts, m_connection->prepare(fmt::format("SELECT id FROM clip INDEXED BY clip_facts WHERE {} "
                                                            "ORDER BY {}",
                                                            conditions.where, newest ? "id DESC" : "id")));
    bindValues(facts, conditions);
    FW_ASSIGN(Ids ids, collectIds(facts, cancel));
    if (anyWords) {
        const IdSet in(hits);
        const IdSet out(excluded);
        const bool any = conditions.words.empty();
        std::erase_if(ids, [&](std::int64_t id) { return (!any && !in.holds(id)) || out.holds(id); });
    }
    if (!byId) {
        FW_ASSIGN(auto ordered, m_connection->prepare(fmt::format(
                                    "SELECT id FROM clip INDEXED BY {} WHERE {} ORDER BY {}", scan.index,
                                    query.trashed ? "trashed_us > 0" : "trashed_us = 0", scan.by)));
        FW_ASSIGN(Ids all, collectIds(ordered, cancel));
        const IdSet in(ids);
        std::erase_if(all, [&](std::int64_t id) { return !in.holds(id); });
        ids = std::move(all);
    }
    keepPart(ids, offset, limit);
    return ids;
}

Result<Ids> SqliteStore::clipIds(const ClipQuery& query, const CancelToken& cancel) {
    return matchingIds(query, 0, -1, cancel);
}

Result<std::int64_t> SqliteStore::countClips(const ClipQuery& query) {
    FW_ASSIGN(const auto conditions, parseClipQuery(query));
    if (!conditions.words.empty() || !conditions.without.empty()) {
        FW_ASSIGN(const Ids ids, matchingIds(query, 0, -1, {}));
        return static_cast<std::int64_t>(ids.size());
    }
    FW_ASSIGN(auto statement, m_connection->prepare(fmt::format(
                                  "SELECT count(*) FROM clip INDEXED BY clip_facts WHERE {}", conditions.where)));
    bindValues(statement, conditions);
    FW_ASSIGN(const bool row, statement.step());
    FW_CHECK(row, "count(*) gives a row");
    return statement.integer(0);
}

Result<std::vector<std::string>> SqliteStore::fieldValues(const std::string& field) {
    const auto fields = queryFields();
    const auto known = std::find_if(fields.begin(), fields.end(), [&](const QueryField& f) {
        return f.name == field && f.kind == QueryFieldKind::Text;
    });
    if (known == fields.end()) {
        return fail(ErrorCode::InvalidArgument, "'{}' is no field with words for values", field);
    }
    FW_ASSIGN(auto statement,
              m_connection->prepare(fmt::format("SELECT DISTINCT {} FROM clip INDEXED BY clip_facts "
                                                "WHERE trashed_us = 0 AND {} <> '' ORDER BY 1 LIMIT 200",
                                                known->column, known->column)));
    std::vector<std::string> values;
    for (;;) {
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return values;
        }
        values.push_back(statement.text(0));
    }
}

}  // namespace fw::store
