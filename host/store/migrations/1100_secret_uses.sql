-- +goose Up

-- The secrets that runs were handed and that are not their own: those of a project, and
-- those of the run that started them. What comes in for a run is searched for them, too.
CREATE TABLE secret_uses (
  project TEXT    NOT NULL,
  run     TEXT    NOT NULL,
  ref     TEXT    NOT NULL,
  set_at  INTEGER NOT NULL,             -- microseconds since 1970, UTC
  PRIMARY KEY (run, ref)
) STRICT, WITHOUT ROWID;

-- +goose Down

DROP TABLE secret_uses;
