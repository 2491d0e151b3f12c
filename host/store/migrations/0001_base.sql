-- +goose Up

CREATE TABLE projects (
  id   TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  zone TEXT NOT NULL,
  env  TEXT NOT NULL DEFAULT '{}'       -- JSON object: values of env.X by name
) STRICT;

CREATE TABLE flows (
  project            TEXT    NOT NULL,
  id                 TEXT    NOT NULL,
  name               TEXT    NOT NULL,  -- JSON text
  doc                TEXT    NOT NULL,  -- JSON text
  search             TEXT    NOT NULL,  -- lower-case id and names
  document           BLOB    NOT NULL,  -- JSON of the draft
  nodes              INTEGER NOT NULL,
  valid              INTEGER NOT NULL,
  revision           INTEGER NOT NULL,
  version            INTEGER NOT NULL DEFAULT 0,
  published_revision INTEGER NOT NULL DEFAULT 0,
  updated_at         INTEGER NOT NULL,  -- microseconds since 1970, UTC
  updated_by         TEXT    NOT NULL,
  PRIMARY KEY (project, id)
) STRICT;

CREATE INDEX flows_by_change ON flows (project, updated_at DESC, id DESC);

CREATE TABLE flow_versions (
  project    TEXT    NOT NULL,
  flow       TEXT    NOT NULL,
  number     INTEGER NOT NULL,
  digest     TEXT    NOT NULL,
  document   BLOB    NOT NULL,
  note       TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT    NOT NULL,
  PRIMARY KEY (project, flow, number)
) STRICT;

-- The last number given to a flow id outlives the flow, so that a number never means
-- two documents.
CREATE TABLE flow_numbers (
  project TEXT    NOT NULL,
  flow    TEXT    NOT NULL,
  last    INTEGER NOT NULL,
  PRIMARY KEY (project, flow)
) STRICT, WITHOUT ROWID;

CREATE TABLE modules (
  digest       TEXT    NOT NULL PRIMARY KEY,
  plugin       TEXT    NOT NULL,
  version      TEXT    NOT NULL,
  manifest     TEXT    NOT NULL,        -- JSON
  bytes        INTEGER NOT NULL,
  installed_at INTEGER NOT NULL,
  installed_by TEXT    NOT NULL
) STRICT;

-- Code is apart from modules, so that a list reads no megabytes.
CREATE TABLE module_code (
  digest TEXT NOT NULL PRIMARY KEY REFERENCES modules (digest),
  code   BLOB NOT NULL
) STRICT;

CREATE TABLE latest_modules (
  plugin TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL REFERENCES modules (digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
  project    TEXT    NOT NULL,
  plugin     TEXT    NOT NULL,
  system     TEXT    NOT NULL,
  operation  TEXT    NOT NULL,
  granted_at INTEGER NOT NULL,
  granted_by TEXT    NOT NULL,
  PRIMARY KEY (project, plugin, system, operation)
) STRICT, WITHOUT ROWID;

CREATE TABLE systems (
  project    TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  document   BLOB    NOT NULL,          -- JSON
  digest     TEXT    NOT NULL,          -- SHA-256 of the document, in hex
  updated_at INTEGER NOT NULL,
  updated_by TEXT    NOT NULL,
  PRIMARY KEY (project, id)
) STRICT;

CREATE TABLE idempotency (
  digest TEXT    NOT NULL PRIMARY KEY,  -- of project, actor, route and key
  hash   TEXT    NOT NULL,              -- of the request's body
  answer BLOB    NOT NULL,
  at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (at);

-- +goose Down

DROP TABLE idempotency;
DROP TABLE systems;
DROP TABLE grants;
DROP TABLE latest_modules;
DROP TABLE module_code;
DROP TABLE modules;
DROP TABLE flow_numbers;
DROP TABLE flow_versions;
DROP TABLE flows;
DROP TABLE projects;
