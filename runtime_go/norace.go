//go:build trace && go1.21 && !race

package functrace

const raceDetector = false

func disableRaceDetector() {}

func enableRaceDetector() {}
