-- +goose Up

-- The chained log of calls and of what administrators did. entry is the JSON that hash is
-- of, and holds the hash of the row before; the other columns repeat what is in it, for
-- looking things up, and are compared with it when the log is verified.
CREATE TABLE audit (
  seq       INTEGER PRIMARY KEY,        -- 1, 2, 3, ... without gaps
  at        INTEGER NOT NULL,           -- microseconds since 1970, UTC
  kind      TEXT    NOT NULL,
  project   TEXT    NOT NULL,
  run       TEXT    NOT NULL,
  node      TEXT    NOT NULL,
  plugin    TEXT    NOT NULL,
  system    TEXT    NOT NULL,
  operation TEXT    NOT NULL,
  actor     TEXT    NOT NULL,
  action    TEXT    NOT NULL,
  outcome   TEXT    NOT NULL,
  entry     BLOB    NOT NULL,
  hash      TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_node ON audit (run, node, seq) WHERE run <> '';
CREATE INDEX audit_by_project ON audit (project, kind, seq);
CREATE INDEX audit_by_time ON audit (at);

-- +goose Down

DROP TABLE audit;
