#!/usr/bin/env bash
# Regenerates what is generated and fails when it differs from what is committed.
set -euo pipefail
before=$(git status --porcelain)
go run ./scripts/schemas
go run ./scripts/plugins
go mod tidy
(cd scripts/bench && go mod tidy)
# On the build machine nothing is uncommitted, and the build before this has made the index anew already.
if [ "${CI:-}" = true ] && ! git diff --quiet -- schemas plugins-wasm/index.json go.mod go.sum scripts/bench; then
  echo "generated files are not as committed: run 'make generate' and commit" >&2
  git --no-pager diff --stat -- schemas plugins-wasm/index.json go.mod go.sum scripts/bench >&2
  exit 1
fi
after=$(git status --porcelain)
if [ "$before" != "$after" ]; then
  echo "generated files are not up to date: run 'make generate' and commit" >&2
  diff <(echo "$before") <(echo "$after") >&2 || true
  git --no-pager diff --stat >&2
  exit 1
fi
