-- The saved views of lists.

-- +goose Up
CREATE TABLE views (
  project    TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  list       TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  query      TEXT    NOT NULL,
  updated_at INTEGER NOT NULL,           -- microseconds since 1970, UTC
  updated_by TEXT    NOT NULL,
  PRIMARY KEY (project, id),
  UNIQUE (project, list, name)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE views;
