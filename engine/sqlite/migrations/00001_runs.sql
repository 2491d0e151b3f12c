-- Times are microseconds since 1970, UTC.

-- +goose Up
CREATE TABLE documents (
    digest TEXT NOT NULL PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT;

-- n is the row's number: other tables hold it in place of the long id, and it is the
-- order of creation.
CREATE TABLE runs (
    n          INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    project    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    flow       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    digest     TEXT    NOT NULL REFERENCES documents (digest),
    operator   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    start_key  TEXT,
    start_hash TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX runs_by_start_key ON runs (project, start_key) WHERE start_key IS NOT NULL;
CREATE INDEX runs_by_project ON runs (project, n);
CREATE INDEX runs_live ON runs (n) WHERE ended_at IS NULL;

-- The records of a run in pieces: what one commit wrote of it. last is the seq of the
-- piece's last record. The rows of a commit lie side by side, so that a commit writes
-- few pages however many runs it concerns; the small index finds a run's pieces.
CREATE TABLE chunks (
    id   INTEGER PRIMARY KEY,
    run  INTEGER NOT NULL REFERENCES runs (n),
    last INTEGER NOT NULL,
    data BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX chunks_by_run ON chunks (run, last);

CREATE TABLE timers (
    run   INTEGER NOT NULL REFERENCES runs (n),
    node  TEXT    NOT NULL,
    epoch INTEGER NOT NULL,
    due   INTEGER NOT NULL,
    PRIMARY KEY (run, node)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE timers;
DROP TABLE chunks;
DROP TABLE runs;
DROP TABLE documents;
