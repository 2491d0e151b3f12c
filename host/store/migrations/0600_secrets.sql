-- +goose Up

-- The secrets that runs were given: one row for each time a variable got one.
CREATE TABLE run_secrets (
  project TEXT    NOT NULL,
  run     TEXT    NOT NULL,
  name    TEXT    NOT NULL,             -- path of the scope and name of the variable
  version INTEGER NOT NULL,
  cipher  BLOB    NOT NULL,             -- sealed with project, run, name and version
  set_at  INTEGER NOT NULL,             -- microseconds since 1970, UTC
  PRIMARY KEY (run, name, version)
) STRICT, WITHOUT ROWID;

-- The secrets of projects, which flows name as secrets.NAME.
CREATE TABLE project_secrets (
  project     TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  version     INTEGER NOT NULL,
  cipher      BLOB    NOT NULL,         -- sealed with project, name and version
  fingerprint TEXT    NOT NULL,         -- keyed: equal values are seen, none is guessed from it
  set_at      INTEGER NOT NULL,
  set_by      TEXT    NOT NULL,
  PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

-- The version that follows a deleted secret's, so that a number never means two values.
CREATE TABLE project_secret_numbers (
  project TEXT    NOT NULL,
  name    TEXT    NOT NULL,
  last    INTEGER NOT NULL,
  PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

-- The key that handles, fingerprints and request hashes are made with, sealed.
CREATE TABLE secret_mac_key (
  id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  cipher BLOB    NOT NULL
) STRICT;

-- 1: the system sent a secret back, which was taken out of the answer.
ALTER TABLE gateway_audit ADD COLUMN secret_echo INTEGER NOT NULL DEFAULT 0;

-- +goose Down

ALTER TABLE gateway_audit DROP COLUMN secret_echo;
DROP TABLE secret_mac_key;
DROP TABLE project_secret_numbers;
DROP TABLE project_secrets;
DROP TABLE run_secrets;
