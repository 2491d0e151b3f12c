-- +goose Up

-- What passed the boundary of plugin calls, scrubbed of secrets. Rows go by age and by
-- the total of their bytes.
CREATE TABLE recordings (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,           -- microseconds since 1970, UTC
  project   TEXT    NOT NULL,
  run       TEXT    NOT NULL,
  node      TEXT    NOT NULL,
  iteration INTEGER NOT NULL,
  attempt   INTEGER NOT NULL,
  phase     TEXT    NOT NULL,           -- '', cancel or rollback
  call      INTEGER NOT NULL,           -- ordinal of the plugin call in the attempt
  reason    TEXT    NOT NULL,
  plugin    TEXT    NOT NULL,
  action    TEXT    NOT NULL,
  digest    TEXT    NOT NULL,
  status    TEXT    NOT NULL,
  code      TEXT    NOT NULL,           -- of the failure, or ''
  events    INTEGER NOT NULL,
  truncated TEXT    NOT NULL,           -- what is missing because of the bound, or ''
  bytes     INTEGER NOT NULL,           -- of body
  body      BLOB    NOT NULL,           -- gzip of JSON
  UNIQUE (run, node, iteration, attempt, phase, call)
) STRICT;

CREATE INDEX recordings_by_age ON recordings (at, bytes);
