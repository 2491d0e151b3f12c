#!/usr/bin/env bash
# Runs every fuzz target of the tree for the given time each.
set -euo pipefail
time=${1:-30s}
grep -rl --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do
  grep -oE '^func (Fuzz[A-Za-z0-9_]+)' "$file" | awk '{print $2}' | while read -r target; do
    echo "== $target ($(dirname "$file"))"
    go test -run '^$' -fuzz "^${target}\$" -fuzztime "$time" "./$(dirname "$file")"
  done
done
