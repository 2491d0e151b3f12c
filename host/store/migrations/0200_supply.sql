-- +goose Up

-- What was installed before there were states was in use, and what the program
-- itself installed had come with the binary.
ALTER TABLE modules ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE modules ADD COLUMN held TEXT NOT NULL DEFAULT '[]';   -- JSON: why it waits for a review
ALTER TABLE modules ADD COLUMN shipped INTEGER NOT NULL DEFAULT 0;
UPDATE modules SET shipped = 1 WHERE installed_by = 'culm';

-- The envelopes as they came: whether one counts is decided again at every start.
CREATE TABLE module_signatures (
  digest   TEXT NOT NULL REFERENCES modules (digest),
  envelope TEXT NOT NULL,
  PRIMARY KEY (digest, envelope)
) STRICT, WITHOUT ROWID;

-- Keys that were revoked while the server ran, besides those of the trust file.
CREATE TABLE revoked_keys (
  key        TEXT    NOT NULL PRIMARY KEY,
  revoked_at INTEGER NOT NULL,            -- microseconds since 1970, UTC
  revoked_by TEXT    NOT NULL,
  reason     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done with plugins, by whom, the refused attempts too. Rows are only added.
CREATE TABLE plugin_history (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  at           INTEGER NOT NULL,
  actor        TEXT    NOT NULL,
  on_behalf_of TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  plugin       TEXT    NOT NULL,
  version      TEXT    NOT NULL,
  digest       TEXT    NOT NULL,
  detail       TEXT    NOT NULL
) STRICT;

CREATE INDEX plugin_history_by_plugin ON plugin_history (plugin, id);

-- +goose Down

DROP TABLE plugin_history;
DROP TABLE revoked_keys;
DROP TABLE module_signatures;
ALTER TABLE modules DROP COLUMN shipped;
ALTER TABLE modules DROP COLUMN held;
ALTER TABLE modules DROP COLUMN state;
