//go:build !race

package binary

const raceDetector = false
