//go:build trace && go1.21 && race

package functrace

// Control of the race detector for code that it must not observe.

import "runtime"

const raceDetector = true

// disableRaceDetector hides synchronization of this goroutine from the race detector.
func disableRaceDetector() { runtime.RaceDisable() }

// enableRaceDetector undoes disableRaceDetector.
func enableRaceDetector() { runtime.RaceEnable() }
