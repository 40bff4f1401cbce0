//go:build trace && go1.21 && !race

package functrace

// Stubs for builds without the race detector.

const raceDetector = false

func disableRaceDetector() {}

func enableRaceDetector() {}
