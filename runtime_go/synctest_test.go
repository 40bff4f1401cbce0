//go:build trace && go1.25

// Without this a module that says go 1.21 gets timers that know of no bubbles.
//go:debug asynctimerchan=0

package functrace_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// A goroutine started by the runtime here would prevent the bubble from ending.
func TestInsideSynctestBubble(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		go a()
		time.Sleep(time.Hour)
		synctest.Wait()
	})
}
