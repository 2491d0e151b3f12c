//go:build race

package hosttest

// weight is how much heavier a process is under the race detector.
const weight = 5

// slowness is how much longer work may take under the race detector, by its own documentation.
const slowness = 20
