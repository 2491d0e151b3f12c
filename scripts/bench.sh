#!/usr/bin/env bash
# Prints our figures, the physical limit measured in the same run, and the ratio of the two. Benchmarks are not tests: they never fail on a figure.
set -euo pipefail
time=${BENCHTIME:-1s}
echo "# $(go version | cut -d' ' -f3-), $(nproc) cores, $(uname -sr), load $(cut -d' ' -f1-3 /proc/loadavg)"
section() {
  echo
  echo "## $1"
  go test -run '^$' -bench "$3" -benchtime "$time" -timeout 30m "$2" | grep -E '^Benchmark|^#|ok' | sed 's/^ok .*//' | grep -v '^$'
}
section "the pure core: one step a node, validation" ./engine .
section "runner on SQLite, synchronous=FULL, executor that does nothing: throughput, one serial, one wide, one large flow, pure nodes ahead of the commit, 10,000 waiting runs; the limit is a bare commit of the same rows" ./engine/runner .
section "a plugin call with fresh state; the limit is the raw call of the same export" ./host/wasm .
section "a call through the gateway; the limit is the same call with net/http alone, in the same rounds, 64 at once: processor time, p50, p99 and the ratios; a thousand calls a second to quick systems, alone and beside a slow and a hung one" ./host/gateway 'Overhead|Mixed'
section "calls entered into the audit, each before its caller goes on, 64 callers at once; the limit is a bare commit of 64 rows of the same size" ./host/store Audit
section "whole flows, with nodes that do nothing and with real wasm nodes" ./host/app .

# Plugins in several languages next to the bare runtime and to extism/go-sdk: a module of its own, so that these are no dependencies.
(cd scripts/bench && go run . -time "$time")
