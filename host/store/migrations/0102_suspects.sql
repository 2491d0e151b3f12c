-- +goose Up

-- The calls that are made again because they were under way when the program died, and
-- how often. A call that ends is not here.
CREATE TABLE suspects (
  run   TEXT    NOT NULL,
  node  TEXT    NOT NULL,
  epoch INTEGER NOT NULL,
  times INTEGER NOT NULL,
  PRIMARY KEY (run, node, epoch)
) STRICT, WITHOUT ROWID;

-- +goose Down

DROP TABLE suspects;
