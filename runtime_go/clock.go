//go:build trace && go1.21

package functrace

import "time"

// The clock of a trace counts ticks: those of the processor's counter where it can be
// relied on, else nanoseconds.
var (
	ticksPerSecond uint64 = 1e9
	startTicks     uint64
	startWall      int64     // nanoseconds since 1970
	startTime      time.Time // the same instant, monotonic
)

// initClock chooses the clock and relates it to the time of day.
func initClock() {
	startTime = time.Now()
	counter = !settings.systemClock && hasCounter()
	if counter {
		counter = calibrateCounter()
	}
	startTime = time.Now()
	startTicks, startWall = ticks(), startTime.UnixNano()
}

// calibrated measures how fast the counter counts, twice: if it counts evenly it will do
// for the first moments, after which the trace has better figures.
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

// countRate returns ticks per second.
func countRate(interval time.Duration) float64 {
	begin, first := time.Now(), ticks()
	for time.Since(begin) < interval {
	}
	passed, last := time.Since(begin), ticks()
	return float64(last-first) / passed.Seconds()
}

// readClocks returns the ticks, and the nanoseconds since the start at about the same instant.
//
//go:norace
func readClocks() (now, nanoseconds uint64) {
	nanoseconds = uint64(time.Since(startTime))
	return ticks(), nanoseconds
}

func toTicks(d time.Duration) uint64 {
	return uint64(d.Seconds() * float64(ticksPerSecond))
}

func clockName() string {
	if counter {
		return "counter of the processor"
	}
	return "monotonic clock of the system"
}
