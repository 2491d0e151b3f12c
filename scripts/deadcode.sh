#!/usr/bin/env bash
# Fails on functions that neither the program nor a test reaches. Packages that others import (the plugin kit) are judged by their tests.
set -euo pipefail
# What only the modules call (pdk's files for wasip1) cannot be seen from here.
found=$("$1" -test ./... | grep -v -e '_wasm.go:' -e ' Action.warm$' || true)
[ -z "$found" ] && exit 0
echo "$found" >&2
echo "unreachable functions: delete them, or test what uses them" >&2
exit 1
