-- Version 3: searches kept under a name.
CREATE TABLE saved_search (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) > 0),
    query TEXT NOT NULL,
    project_id INTEGER NOT NULL DEFAULT 0,  -- 0: all projects
    sort_order INTEGER NOT NULL DEFAULT 0   -- store::ClipOrder
) STRICT;
