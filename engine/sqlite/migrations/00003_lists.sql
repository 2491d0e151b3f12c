-- Runs that failed are few among those that ended, and are asked for all the time; so is
-- the last run of each flow.

-- +goose Up
CREATE INDEX runs_failed ON runs (n) WHERE state = 'failed';
CREATE INDEX runs_by_flow ON runs (project, flow, n);

-- +goose Down
DROP INDEX runs_by_flow;
DROP INDEX runs_failed;
