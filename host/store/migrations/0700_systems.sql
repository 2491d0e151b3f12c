-- +goose Up

-- A system counts its versions from 1. The row in systems is the latest.
ALTER TABLE systems ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- What a system was, and who made it so.
CREATE TABLE system_versions (
  project  TEXT    NOT NULL,
  system   TEXT    NOT NULL,
  version  INTEGER NOT NULL,
  action   TEXT    NOT NULL,            -- put, import, enable or delete
  document BLOB    NOT NULL,            -- JSON, deflated; empty after a deletion
  digest   TEXT    NOT NULL,
  summary  TEXT    NOT NULL,            -- JSON: what was changed
  at       INTEGER NOT NULL,            -- microseconds since 1970, UTC
  actor    TEXT    NOT NULL,
  PRIMARY KEY (project, system, version)
) STRICT;

INSERT INTO system_versions (project, system, version, action, document, digest, summary, at, actor)
  SELECT project, id, 1, 'put', x'', digest, '{}', updated_at, updated_by FROM systems;

-- +goose Down

DROP TABLE system_versions;
ALTER TABLE systems DROP COLUMN version;
