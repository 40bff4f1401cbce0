//go:build trace && go1.21

package functrace

import "time"

// The clock of a trace counts ticks: those of the processor's counter if it is reliable, else
// nanoseconds.
var (
	ticksPerSecond uint64 = 1e9
	startTicks     uint64
	startWall      int64     // nanoseconds since 1970
	startTime      time.Time // the same instant, monotonic
)

// initClock selects the clock and relates it to the time of day.
func initClock() {
	startTime = time.Now()
	counter = !settings.systemClock && hasCounter()
	if counter {
		counter = calibrateCounter()
	}
	startTime = time.Now()
	startTicks, startWall = ticks(), startTime.UnixNano()
}

// calibrateCounter measures the rate of the counter twice and reports whether both agree. The
// result serves until the trace has more exact calibrations.
func calibrateCounter() bool {
	const (
		interval = 200 * time.Microsecond
		attempts = 5 // a measurement may be interrupted
	)
	for i := 0; i < attempts; i++ {
		one, other := countRate(interval), countRate(interval)
		if difference := one/other - 1; one > 1e6 && difference > -0.01 && difference < 0.01 {
			ticksPerSecond = uint64((one + other) / 2)
			return true
		}
	}
	return false
}

// countRate measures the ticks per second.
func countRate(interval time.Duration) float64 {
	begin, first := time.Now(), ticks()
	for time.Since(begin) < interval {
	}
	passed, last := time.Since(begin), ticks()
	return float64(last-first) / passed.Seconds()
}

// readClocks returns the ticks and, read at about the same instant, the nanoseconds since the
// start.
//
//go:norace
func readClocks() (now, nanoseconds uint64) {
	nanoseconds = uint64(time.Since(startTime))
	return ticks(), nanoseconds
}

// toTicks converts a duration to ticks.
func toTicks(d time.Duration) uint64 {
	return uint64(d.Seconds() * float64(ticksPerSecond))
}

// clockName returns the name of the clock for the metadata of the trace.
func clockName() string {
	if counter {
		return "counter of the processor"
	}
	return "monotonic clock of the system"
}
