// Clips and tags of the library database.
#include <utility>

#include "core/store/sqlite_store.h"

namespace fw::store {

namespace {

constexpr const char* kClipColumns =
    "id, project_id, job_id, file, sha256, bytes, width, height, frames, fps_numerator, fps_denominator, "
    "created_us, "
    "prompt, negative_prompt, model, model_hash, method, sampler, device, dtype, version, steps, guidance, seed, "
    "seconds, request, report, trace_file, thumbnail_file, stars, notes, trashed_us, missing";

Clip readClip(const Statement& row) {
    Clip clip;
    clip.id = row.integer(0);
    clip.projectId = row.integer(1);
    clip.jobId = row.integer(2);
    clip.file = row.text(3);
    clip.sha256 = row.text(4);
    clip.bytes = row.integer(5);
    clip.width = row.smallInteger(6);
    clip.height = row.smallInteger(7);
    clip.frames = row.smallInteger(8);
    clip.fpsNumerator = row.integer(9);
    clip.fpsDenominator = row.integer(10);
    clip.createdUs = row.integer(11);
    clip.prompt = row.text(12);
    clip.negativePrompt = row.text(13);
    clip.model = row.text(14);
    clip.modelHash = row.text(15);
    clip.method = row.text(16);
    clip.sampler = row.text(17);
    clip.device = row.text(18);
    clip.dtype = row.text(19);
    clip.version = row.text(20);
    clip.steps = row.smallInteger(21);
    clip.guidance = row.real(22);
    clip.seed = row.text(23);
    clip.seconds = row.real(24);
    clip.requestJson = row.text(25);
    clip.reportJson = row.text(26);
    clip.traceFile = row.text(27);
    clip.thumbnailFile = row.text(28);
    clip.stars = row.smallInteger(29);
    clip.notes = row.text(30);
    clip.trashedUs = row.integer(31);
    clip.missing = row.integer(32) != 0;
    return clip;
}

void bindClip(Statement& statement, const Clip& clip) {
    statement.bind(clip.projectId).bind(clip.jobId).bind(clip.file).bind(clip.sha256).bind(clip.bytes);
    statement.bind(clip.width)
        .bind(clip.height)
        .bind(clip.frames)
        .bind(clip.fpsNumerator)
        .bind(clip.fpsDenominator);
    statement.bind(clip.createdUs)
        .bind(clip.prompt)
        .bind(clip.negativePrompt)
        .bind(clip.model)
        .bind(clip.modelHash);
    statement.bind(clip.method).bind(clip.sampler).bind(clip.device).bind(clip.dtype).bind(clip.version);
    statement.bind(clip.steps).bind(clip.guidance).bind(clip.seed).bind(clip.seconds).bind(clip.requestJson);
    statement.bind(clip.reportJson).bind(clip.traceFile).bind(clip.thumbnailFile).bind(clip.stars).bind(clip.notes);
}

}  // namespace

Result<Clip> SqliteStore::addClip(const Clip& clip) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    Clip stored = clip;
    stored.createdUs = stored.createdUs != 0 ? stored.createdUs : nowUs();
    FW_ASSIGN(
        auto insert,
        m_connection->prepare(
            "INSERT INTO clip (project_id, job_id, file, sha256, bytes, width, height, frames, fps_numerator, "
            "fps_denominator, created_us, prompt, negative_prompt, model, model_hash, method, sampler, device, "
            "dtype, version, steps, guidance, seed, seconds, request, report, trace_file, thumbnail_file, stars, "
            "notes) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    bindClip(insert, stored);
    FW_TRY(insert.run());
    stored.id = m_connection->lastInsertId();
    for (const std::string& tag : stored.tags) {
        FW_ASSIGN(auto name, m_connection->prepare("INSERT OR IGNORE INTO tag (name) VALUES (?)"));
        FW_TRY(name.bind(tag).run());
        FW_ASSIGN(auto link, m_connection->prepare("INSERT OR IGNORE INTO clip_tag (clip_id, tag_id) "
                                                   "SELECT ?, id FROM tag WHERE name = ?"));
        FW_TRY(link.bind(stored.id).bind(tag).run());
    }
    if (stored.jobId != 0) {
        FW_ASSIGN(auto job, m_connection->prepare("UPDATE job SET state = 'done', finished_us = ?, clip_id = ?, "
                                                  "checkpoint = '' WHERE id = ?"));
        FW_TRY(job.bind(nowUs()).bind(stored.id).bind(stored.jobId).run());
    }
    FW_TRY(transaction.commit());
    return stored;
}

Status SqliteStore::readTags(std::vector<Clip>& clips) {
    FW_ASSIGN(auto statement, m_connection->prepare("SELECT name FROM tag JOIN clip_tag ON tag.id = tag_id "
                                                    "WHERE clip_id = ? ORDER BY name"));
    for (Clip& clip : clips) {
        statement.reset().bind(clip.id);
        for (;;) {
            FW_ASSIGN(const bool row, statement.step());
            if (!row) {
                break;
            }
            clip.tags.push_back(statement.text(0));
        }
    }
    return {};
}

Result<Clip> SqliteStore::clip(std::int64_t id) {
    FW_ASSIGN(auto found, clipsById({id}));
    if (found.empty()) {
        return fail(ErrorCode::InvalidArgument, "there is no clip {}", id);
    }
    return std::move(found.front());
}

Result<std::vector<Clip>> SqliteStore::clipsById(const std::vector<std::int64_t>& ids) {
    FW_ASSIGN(auto statement, m_connection->prepare(fmt::format("SELECT {} FROM clip WHERE id = ?", kClipColumns)));
    std::vector<Clip> result;
    result.reserve(ids.size());
    for (const std::int64_t id : ids) {
        FW_ASSIGN(const bool row, statement.reset().bind(id).step());
        if (row) {
            result.push_back(readClip(statement));
        }
    }
    FW_TRY(readTags(result));
    return result;
}

Result<std::vector<Clip>> SqliteStore::clips(const ClipQuery& query, std::int64_t offset, int limit) {
    FW_ASSIGN(const auto ids, matchingIds(query, offset, limit, {}));
    return clipsById(ids);
}

Result<std::vector<std::int64_t>> SqliteStore::exchange(const std::vector<std::int64_t>& ids, const char* column,
                                                        std::int64_t value) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    FW_ASSIGN(auto old, m_connection->prepare(fmt::format("SELECT {} FROM clip WHERE id = ?", column)));
    FW_ASSIGN(auto update, m_connection->prepare(fmt::format("UPDATE clip SET {} = ? WHERE id = ?", column)));
    std::vector<std::int64_t> former;
    former.reserve(ids.size());
    for (const std::int64_t id : ids) {
        FW_ASSIGN(const bool row, old.reset().bind(id).step());
        former.push_back(row ? old.integer(0) : 0);
        FW_TRY(update.reset().bind(value).bind(id).run());
    }
    old.reset();  // an open reading statement would keep the transaction from ending
    FW_TRY(transaction.commit());
    return former;
}

Result<std::vector<int>> SqliteStore::setStars(const std::vector<std::int64_t>& ids, int stars) {
    if (stars < 0 || stars > 5) {
        return fail(ErrorCode::InvalidArgument, "{} stars: a clip has 0 to 5", stars);
    }
    FW_ASSIGN(const auto former, exchange(ids, "stars", stars));
    return std::vector<int>(former.begin(), former.end());
}

Status SqliteStore::setNotes(std::int64_t id, const std::string& notes) {
    FW_ASSIGN(auto statement, m_connection->prepare("UPDATE clip SET notes = ? WHERE id = ?"));
    return statement.bind(notes).bind(id).run();
}

Result<std::vector<std::int64_t>> SqliteStore::addTag(const std::vector<std::int64_t>& ids,
                                                      const std::string& tag) {
    if (tag.empty()) {
        return fail(ErrorCode::InvalidArgument, "a tag needs at least one letter");
    }
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    FW_ASSIGN(auto name, m_connection->prepare("INSERT OR IGNORE INTO tag (name) VALUES (?)"));
    FW_TRY(name.bind(tag).run());
    FW_ASSIGN(auto link, m_connection->prepare("INSERT OR IGNORE INTO clip_tag (clip_id, tag_id) "
                                               "SELECT ?, id FROM tag WHERE name = ?"));
    std::vector<std::int64_t> changed;
    for (const std::int64_t id : ids) {
        FW_TRY(link.reset().bind(id).bind(tag).run());
        if (m_connection->changes() > 0) {
            changed.push_back(id);
        }
    }
    FW_TRY(transaction.commit());
    return changed;
}

Result<std::vector<std::int64_t>> SqliteStore::removeTag(const std::vector<std::int64_t>& ids,
                                                         const std::string& tag) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    FW_ASSIGN(auto link, m_connection->prepare("DELETE FROM clip_tag WHERE clip_id = ? AND tag_id = "
                                               "(SELECT id FROM tag WHERE name = ?)"));
    std::vector<std::int64_t> changed;
    for (const std::int64_t id : ids) {
        FW_TRY(link.reset().bind(id).bind(tag).run());
        if (m_connection->changes() > 0) {
            changed.push_back(id);
        }
    }
    FW_TRY(m_connection->execute("DELETE FROM tag WHERE id NOT IN (SELECT tag_id FROM clip_tag)"));
    FW_TRY(transaction.commit());
    return changed;
}

Result<std::vector<std::string>> SqliteStore::tags() {
    FW_ASSIGN(auto statement, m_connection->prepare("SELECT name FROM tag ORDER BY name"));
    std::vector<std::string> names;
    for (;;) {
        FW_ASSIGN(const bool row, statement.step());
        if (!row) {
            return names;
        }
        names.push_back(statement.text(0));
    }
}

Status SqliteStore::setTrashed(const std::vector<std::int64_t>& ids, bool trashed) {
    return forEachId(ids, "UPDATE clip SET trashed_us = ? WHERE id = ?", trashed ? nowUs() : 0);
}

Result<std::vector<std::string>> SqliteStore::purge(const std::vector<std::int64_t>& ids) {
    FW_ASSIGN(auto transaction, Transaction::begin(*m_connection));
    std::vector<std::string> files;
    for (const std::int64_t id : ids) {
        FW_ASSIGN(auto statement, m_connection->prepare("DELETE FROM clip WHERE id = ? AND trashed_us > 0 "
                                                        "RETURNING file, trace_file, thumbnail_file"));
        statement.bind(id);
        for (;;) {
            FW_ASSIGN(const bool row, statement.step());
            if (!row) {
                break;
            }
            for (int column = 0; column < 3; ++column) {
                if (std::string file = statement.text(column); !file.empty()) {
                    files.push_back(std::move(file));
                }
            }
        }
    }
    FW_TRY(m_connection->execute("DELETE FROM tag WHERE id NOT IN (SELECT tag_id FROM clip_tag)"));
    FW_TRY(transaction.commit());
    return files;
}

Status SqliteStore::setMissing(std::int64_t id, bool missing) {
    return forEachId({id}, "UPDATE clip SET missing = ? WHERE id = ?", missing ? 1 : 0);
}

Result<std::vector<std::int64_t>> SqliteStore::moveToProject(const std::vector<std::int64_t>& ids,
                                                             std::int64_t projectId) {
    return exchange(ids, "project_id", projectId);
}

}  // namespace fw::store
