//go:build trace

package functrace

import (
	"sync"
	"testing"
)

func TestTableKeepsEveryFunctionWhileItGrows(t *testing.T) {
	const n = 20000
	var wg sync.WaitGroup
	for w := 0; w < 4; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for pc := uintptr(1); pc <= n; pc++ {
				if f := functionAt(pc << 4); f.pc != pc<<4 {
					t.Errorf("%#x for %#x", f.pc, pc<<4)
				}
			}
		}()
	}
	wg.Wait()
	for pc := uintptr(1); pc <= n; pc++ {
		if functions.Load().find(pc<<4) == nil {
			t.Fatalf("%#x is lost", pc<<4)
		}
	}
}
