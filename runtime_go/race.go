//go:build trace && go1.21 && race

package functrace

import "runtime"

const raceDetector = true

func disableRaceDetector() { runtime.RaceDisable() }

func enableRaceDetector() { runtime.RaceEnable() }
