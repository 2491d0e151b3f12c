#!/usr/bin/env bash
# Runs a command beside HOGS processes that take all the processor they get: what passes by luck on an idle machine fails
# here. They end with this script, however it ends.
set -euo pipefail
hogs=()
for ((i = 0; i < ${HOGS:-3}; i++)); do
  while kill -0 $$ 2>/dev/null; do for ((n = 0; n < 100000; n++)); do :; done; done &
  hogs+=("$!")
done
trap 'kill "${hogs[@]}"' EXIT
"$@"
