-- Version 1: projects, jobs, clips with full-text search, tags, prompts, presets, session.

CREATE TABLE project (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) > 0),
    created_us INTEGER NOT NULL
) STRICT;
INSERT INTO project (id, name, created_us) VALUES (1, 'Default', 0);

CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'interrupted', 'done', 'failed', 'cancelled')),
    position REAL NOT NULL,
    request TEXT NOT NULL CHECK (json_valid(request)),
    batch TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL,
    started_us INTEGER NOT NULL DEFAULT 0,
    finished_us INTEGER NOT NULL DEFAULT 0,
    phase TEXT NOT NULL DEFAULT '',
    step INTEGER NOT NULL DEFAULT 0,
    steps INTEGER NOT NULL DEFAULT 0,
    checkpoint TEXT NOT NULL DEFAULT '',
    worker_losses INTEGER NOT NULL DEFAULT 0,
    error_code TEXT NOT NULL DEFAULT '',
    error_message TEXT NOT NULL DEFAULT '',
    clip_id INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX job_by_state ON job (state, position);

CREATE TABLE clip (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    job_id INTEGER NOT NULL DEFAULT 0,
    file TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    fps_numerator INTEGER NOT NULL,
    fps_denominator INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    prompt TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    model TEXT NOT NULL,
    model_hash TEXT NOT NULL,
    method TEXT NOT NULL,
    sampler TEXT NOT NULL,
    device TEXT NOT NULL,
    dtype TEXT NOT NULL,
    version TEXT NOT NULL,
    steps INTEGER NOT NULL,
    guidance REAL NOT NULL,
    seed TEXT NOT NULL,
    seconds REAL NOT NULL,
    request TEXT NOT NULL CHECK (json_valid(request)),
    report TEXT NOT NULL CHECK (json_valid(report)),
    trace_file TEXT NOT NULL,
    thumbnail_file TEXT NOT NULL,
    stars INTEGER NOT NULL DEFAULT 0 CHECK (stars BETWEEN 0 AND 5),
    notes TEXT NOT NULL DEFAULT '',
    trashed_us INTEGER NOT NULL DEFAULT 0,
    missing INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX clip_by_trash ON clip (trashed_us, id);
CREATE INDEX clip_by_project ON clip (project_id, trashed_us, id);
CREATE INDEX clip_by_stars ON clip (trashed_us, stars, id);

CREATE TABLE tag (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) > 0)
) STRICT;
CREATE TABLE clip_tag (
    clip_id INTEGER NOT NULL REFERENCES clip (id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tag (id) ON DELETE CASCADE,
    PRIMARY KEY (clip_id, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX clip_tag_by_tag ON clip_tag (tag_id, clip_id);

-- Words of a clip; rowid = clip.id. Tags are kept here too, so that a plain word finds them.
CREATE VIRTUAL TABLE clip_words USING fts5 (prompt, notes, tags, tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3');
CREATE TRIGGER clip_words_insert AFTER INSERT ON clip BEGIN
    INSERT INTO clip_words (rowid, prompt, notes, tags) VALUES (new.id, new.prompt, new.notes, '');
END;
CREATE TRIGGER clip_words_update AFTER UPDATE OF prompt, notes ON clip BEGIN
    UPDATE clip_words SET prompt = new.prompt, notes = new.notes WHERE rowid = new.id;
END;
CREATE TRIGGER clip_words_delete AFTER DELETE ON clip BEGIN
    DELETE FROM clip_words WHERE rowid = old.id;
END;
CREATE TRIGGER clip_words_tag AFTER INSERT ON clip_tag BEGIN
    UPDATE clip_words SET tags = (SELECT group_concat(name, ' ') FROM tag JOIN clip_tag ON tag.id = tag_id
                                  WHERE clip_id = new.clip_id) WHERE rowid = new.clip_id;
END;
CREATE TRIGGER clip_words_untag AFTER DELETE ON clip_tag BEGIN
    UPDATE clip_words SET tags = coalesce((SELECT group_concat(name, ' ') FROM tag JOIN clip_tag ON tag.id = tag_id
                                  WHERE clip_id = old.clip_id), '') WHERE rowid = old.clip_id;
END;

CREATE TABLE prompt (
    id INTEGER PRIMARY KEY,
    prompt TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    used_us INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 1,
    UNIQUE (prompt, negative_prompt)
) STRICT;
CREATE INDEX prompt_by_use ON prompt (used_us);

CREATE TABLE preset (
    name TEXT PRIMARY KEY CHECK (length(name) > 0),
    request TEXT NOT NULL CHECK (json_valid(request))
) STRICT, WITHOUT ROWID;

-- Small things to restore: layout, unsent prompt, whether the last exit was clean.
CREATE TABLE session (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
