-- What the saves of a draft replaced. The draft as it is now is in flows.

-- +goose Up
CREATE TABLE flow_revisions (
  project  TEXT    NOT NULL,
  flow     TEXT    NOT NULL,
  revision INTEGER NOT NULL,
  nodes    INTEGER NOT NULL,
  valid    INTEGER NOT NULL,
  saved_at INTEGER NOT NULL,             -- microseconds since 1970, UTC
  saved_by TEXT    NOT NULL,
  bytes    INTEGER NOT NULL,             -- of the document as it is stored
  document BLOB    NOT NULL,             -- JSON, in gzip
  PRIMARY KEY (project, flow, revision)
) STRICT;

-- +goose Down
DROP TABLE flow_revisions;
