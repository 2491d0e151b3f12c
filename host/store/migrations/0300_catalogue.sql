-- +goose Up

-- Plugins that a project has switched off: what is not here is on.
CREATE TABLE disabled_plugins (
  project TEXT    NOT NULL,
  plugin  TEXT    NOT NULL,
  at      INTEGER NOT NULL,             -- microseconds since 1970, UTC
  by      TEXT    NOT NULL,
  PRIMARY KEY (project, plugin)
) STRICT, WITHOUT ROWID;

-- How the calls of modules went, by the hour.
CREATE TABLE plugin_health (
  project TEXT    NOT NULL,
  hour    INTEGER NOT NULL,             -- hours since 1970, UTC
  digest  TEXT    NOT NULL,
  plugin  TEXT    NOT NULL,
  counts  BLOB    NOT NULL,             -- JSON
  PRIMARY KEY (project, hour, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX plugin_health_by_age ON plugin_health (hour);

-- +goose Down

DROP TABLE plugin_health;
DROP TABLE disabled_plugins;
