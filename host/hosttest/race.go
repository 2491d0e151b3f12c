//go:build race

package hosttest

// weight is how much heavier a process is under the race detector.
const weight = 5
