//go:build trace && go1.21 && race

package functrace

import "runtime"

const raceDetector = true

func hideFromRaceDetector() { runtime.RaceDisable() }

func showToRaceDetector() { runtime.RaceEnable() }
