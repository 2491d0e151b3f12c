-- Runs that a node of another run started: independent subflows. parent is the id of
-- that run; the four columns are set together.

-- +goose Up
ALTER TABLE runs ADD COLUMN parent       TEXT;
ALTER TABLE runs ADD COLUMN parent_node  TEXT;
ALTER TABLE runs ADD COLUMN parent_epoch INTEGER;
ALTER TABLE runs ADD COLUMN parent_depth INTEGER;
CREATE INDEX runs_by_parent ON runs (parent, n) WHERE parent IS NOT NULL;

-- +goose Down
DROP INDEX runs_by_parent;
ALTER TABLE runs DROP COLUMN parent_depth;
ALTER TABLE runs DROP COLUMN parent_epoch;
ALTER TABLE runs DROP COLUMN parent_node;
ALTER TABLE runs DROP COLUMN parent;
