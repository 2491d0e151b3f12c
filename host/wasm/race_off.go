//go:build !race

package wasm

// raceDetector says that the program was built with -race.
const raceDetector = false
