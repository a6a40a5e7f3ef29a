-- Version 2: a search reads narrow indices instead of whole rows, whose requests and reports fill a page each.

-- Everything a search line can ask for, newest first. Covers the query: the table is not touched.
CREATE INDEX clip_facts ON clip (trashed_us, id, project_id, stars, steps, guidance, frames, width, height, seconds,
                                 created_us, model, method, sampler, device, seed, missing);
DROP INDEX clip_by_trash;

-- Sort orders. A prompt's first letters order it well enough.
CREATE INDEX clip_by_name ON clip (trashed_us, substr(prompt, 1, 64) COLLATE NOCASE, id);
CREATE INDEX clip_by_length ON clip (trashed_us, frames * fps_denominator * 1.0 / max(fps_numerator, 1), id);
