#!/usr/bin/env bash
# Regenerates what is generated and fails when it differs from what is committed.
set -euo pipefail
before=$(git status --porcelain)
go run ./scripts/schemas
go run ./scripts/plugins
go mod tidy
after=$(git status --porcelain)
if [ "$before" != "$after" ]; then
  echo "generated files are not up to date: run 'make generate' and commit" >&2
  diff <(echo "$before") <(echo "$after") >&2 || true
  git --no-pager diff --stat >&2
  exit 1
fi
