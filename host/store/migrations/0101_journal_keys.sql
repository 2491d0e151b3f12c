-- +goose Up

-- An attempt that repeats a call of an earlier one sends that one's key.
ALTER TABLE gateway_journal ADD COLUMN sent_as TEXT NOT NULL DEFAULT '';
-- 1: the answer is a failure, and yet the system may have carried the call out.
ALTER TABLE gateway_journal ADD COLUMN uncertain INTEGER NOT NULL DEFAULT 0;

-- +goose Down

ALTER TABLE gateway_journal DROP COLUMN uncertain;
ALTER TABLE gateway_journal DROP COLUMN sent_as;
