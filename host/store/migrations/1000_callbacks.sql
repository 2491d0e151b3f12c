-- +goose Up

-- Tokens under which outside systems call back. Only their hashes are here.
CREATE TABLE callback_tickets (
  hash       BLOB    PRIMARY KEY,       -- SHA-256 of the token
  project    TEXT    NOT NULL,
  run        TEXT    NOT NULL,
  node       TEXT    NOT NULL,
  iteration  INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  system     TEXT    NOT NULL,
  operation  TEXT    NOT NULL,
  issued_at  INTEGER NOT NULL,          -- microseconds since 1970, UTC
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX callback_tickets_by_expiry ON callback_tickets (expires_at);

-- What came in, one row a token.
CREATE TABLE callback_inbox (
  id      INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they came
  hash    BLOB    NOT NULL UNIQUE REFERENCES callback_tickets (hash) ON DELETE CASCADE,
  at      INTEGER NOT NULL,
  body    BLOB    NOT NULL,             -- SHA-256 of what was sent
  data    BLOB,                         -- JSON without secrets; dropped once the run has it
  outcome TEXT    NOT NULL,             -- pending, delivered, late or refused
  nonce   TEXT                          -- of a signed callback
) STRICT;

CREATE INDEX callback_inbox_pending ON callback_inbox (id) WHERE outcome = 'pending';
CREATE UNIQUE INDEX callback_inbox_nonces ON callback_inbox (nonce) WHERE nonce IS NOT NULL;
