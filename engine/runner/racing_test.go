//go:build race

package runner_test

// raceEnabled is whether this test binary has the race detector in it.
const raceEnabled = true
