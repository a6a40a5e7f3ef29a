-- Rows of a library of schema version 1, for the tests of later versions. Never changed.
INSERT INTO project (id, name, created_us) VALUES (2, 'Paper "figures"', 1793577600000000);
INSERT INTO job (id, project_id, state, position, request, batch, created_us, checkpoint, step, steps)
    VALUES (1, 1, 'done', 1, '{"prompt":"a red fox"}', '', 1793577600000000, '', 20, 20),
           (2, 2, 'queued', 2, '{"prompt":"an owl"}', 'b1', 1793577600000001, '', 0, 0),
           (3, 2, 'running', 3, '{"prompt":"a car"}', 'b1', 1793577600000002, 'staging/3/checkpoint', 7, 20);
INSERT INTO clip (id, project_id, job_id, file, sha256, bytes, width, height, frames, fps_numerator, fps_denominator,
                  created_us, prompt, negative_prompt, model, model_hash, method, sampler, device, dtype, version, steps,
                  guidance, seed, seconds, request, report, trace_file, thumbnail_file, stars, notes, trashed_us, missing)
    VALUES (1, 1, 1, 'clips/2026-11/a.mp4', 'aa', 10, 256, 256, 33, 12, 1, 1793577600000000, 'a red fox, café', 'blurry',
            'mini', 'bb', 'dense', 'unipc', 'cpu', 'bf16', '0.1.0', 20, 5.0, '18446744073709551615', 3.5,
            '{"prompt":"a red fox"}', '{}', '', 'clips/2026-11/a.thumbnail.png', 4, 'for the talk', 0, 0),
           (2, 2, 0, 'clips/2026-11/''b''.mp4', 'cc', 11, 832, 480, 81, 0, 1, 1793577600000001, char(10) || '🦊', '',
            'Wan', 'dd', 'salad', 'euler', 'cpu', 'f32', '0.1.0', 50, 1.0, '0', 60.0, '{}', '{}', '', '', 0, '', 5, 1);
INSERT INTO tag (id, name) VALUES (1, 'Best of');
INSERT INTO clip_tag (clip_id, tag_id) VALUES (1, 1);
INSERT INTO prompt (prompt, negative_prompt, used_us, uses) VALUES ('a red fox', '', 1793577600000000, 3);
INSERT INTO preset (name, request) VALUES ('night', '{"steps":30}');
INSERT INTO session (key, value) VALUES ('unsent', 'half a sentence'), ('open', '0');
