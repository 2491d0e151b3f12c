#!/usr/bin/env bash
# Formats and lints what is about to be committed.
set -euo pipefail
git diff --cached --name-only --diff-filter=ACM | grep -q '\.go$' || exit 0
make fmt-check lint
