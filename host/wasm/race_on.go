//go:build race

package wasm

// raceDetector says that the program was built with -race, whose shadow memory is
// several times the program's and whose code is several times slower: the limits of
// the compiler process would measure the detector.
const raceDetector = true
