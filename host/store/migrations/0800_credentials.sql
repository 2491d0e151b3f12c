-- +goose Up

-- The versions of credentials: at most two of a project and system are live, while a
-- system is moved from one to the next. The project '' is the installation, whose
-- credentials are the default of all projects.
CREATE TABLE credential_versions (
  project    TEXT    NOT NULL,
  system     TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  id         TEXT    NOT NULL UNIQUE,
  cipher     BLOB    NOT NULL,          -- sealed with project, system, id and version
  set_at     INTEGER NOT NULL,          -- microseconds since 1970, UTC
  set_by     TEXT    NOT NULL,
  is_primary INTEGER NOT NULL,          -- 1: used; 0: tried when the primary is not taken
  used_at    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (project, system, version)
) STRICT;

CREATE UNIQUE INDEX credential_primary ON credential_versions (project, system) WHERE is_primary = 1;

-- The last version of each, so that a number never means two values.
CREATE TABLE credential_numbers (
  project TEXT    NOT NULL,
  system  TEXT    NOT NULL,
  last    INTEGER NOT NULL,
  PRIMARY KEY (project, system)
) STRICT, WITHOUT ROWID;

-- What was sealed before stays as it is: the row that it is tied to has the same names.
INSERT INTO credential_versions (project, system, version, id, cipher, set_at, set_by, is_primary)
  SELECT project, system, version, id, cipher, set_at, set_by, 1 FROM credentials;
INSERT INTO credential_numbers (project, system, last) SELECT project, system, version FROM credentials;
DROP TABLE credentials;

-- +goose Down

CREATE TABLE credentials (
  project TEXT    NOT NULL,
  system  TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  version INTEGER NOT NULL,
  cipher  BLOB    NOT NULL,
  set_at  INTEGER NOT NULL,
  set_by  TEXT    NOT NULL,
  PRIMARY KEY (project, system)
) STRICT;
INSERT INTO credentials (project, system, id, version, cipher, set_at, set_by)
  SELECT project, system, id, version, cipher, set_at, set_by FROM credential_versions WHERE is_primary = 1 AND project <> '';
DROP TABLE credential_numbers;
DROP TABLE credential_versions;
