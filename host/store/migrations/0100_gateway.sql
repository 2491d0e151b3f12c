-- +goose Up

-- One row for every call that may not simply be repeated: the intent before it goes
-- out, the answer before the plugin sees it.
CREATE TABLE gateway_journal (
  run         TEXT    NOT NULL,
  node        TEXT    NOT NULL,
  iteration   INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  phase       TEXT    NOT NULL,         -- '', cancel or rollback
  call        INTEGER NOT NULL,
  idx         INTEGER NOT NULL,         -- ordinal among the journalled calls of the plugin call
  system      TEXT    NOT NULL,
  operation   TEXT    NOT NULL,
  origin      TEXT    NOT NULL,         -- scheme, host and port of the system
  retry       TEXT    NOT NULL,
  hash        TEXT    NOT NULL,         -- of the request without the credential and the base URL
  at          INTEGER NOT NULL,         -- microseconds since 1970, UTC
  answer      BLOB,                     -- JSON, scrubbed; NULL while the end is not known
  answered_at INTEGER,
  PRIMARY KEY (run, node, iteration, attempt, phase, call, idx)
) STRICT;

-- One row for every call, the refused ones too. It holds no value and no secret.
CREATE TABLE gateway_audit (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  at           INTEGER NOT NULL,
  project      TEXT    NOT NULL,
  run          TEXT    NOT NULL,
  flow         TEXT    NOT NULL,
  node         TEXT    NOT NULL,
  iteration    INTEGER NOT NULL,
  attempt      INTEGER NOT NULL,
  call         INTEGER NOT NULL,
  actor        TEXT    NOT NULL,
  plugin       TEXT    NOT NULL,
  digest       TEXT    NOT NULL,
  system       TEXT    NOT NULL,
  operation    TEXT    NOT NULL,
  method       TEXT    NOT NULL,
  credential   TEXT    NOT NULL,        -- id, never a value
  request_hash TEXT    NOT NULL,
  http_status  INTEGER NOT NULL,        -- 0: no HTTP answer
  failure      BLOB,                    -- JSON; NULL for a call that got an answer
  code         TEXT    NOT NULL,        -- the failure's code, or ''
  replayed     INTEGER NOT NULL,        -- 1: answered by the journal
  duration_us  INTEGER NOT NULL
) STRICT;

CREATE INDEX gateway_audit_by_node ON gateway_audit (run, node, id);
CREATE INDEX gateway_audit_by_time ON gateway_audit (project, at);

CREATE TABLE credentials (
  project TEXT    NOT NULL,
  system  TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  version INTEGER NOT NULL,
  cipher  BLOB    NOT NULL,             -- sealed with project, system, id and version
  set_at  INTEGER NOT NULL,
  set_by  TEXT    NOT NULL,
  PRIMARY KEY (project, system)
) STRICT;

-- What the right key opens; another key is refused at the start.
CREATE TABLE secret_canary (
  id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  cipher BLOB    NOT NULL
) STRICT;

-- +goose Down

DROP TABLE secret_canary;
DROP TABLE credentials;
DROP TABLE gateway_audit;
DROP TABLE gateway_journal;
