//go:build trace && race

package functrace

import "runtime"

const raceDetector = true

func hideFromRaceDetector() { runtime.RaceDisable() }

func showToRaceDetector() { runtime.RaceEnable() }
