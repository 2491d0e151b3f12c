//go:build race

package binary

// raceDetector says that this test binary is many times slower at compiling modules.
const raceDetector = true
