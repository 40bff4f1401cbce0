//go:build trace && linux

package functrace_test

import (
	"bytes"
	"encoding/binary"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"functrace"
)

const churners = 4

func init() { programs["churn"] = churn }

// churn calls for ever on several goroutines. Behind each call it counts, in memory that
// outlives the process, what must have been recorded by then.
func churn() {
	file, err := os.OpenFile(os.Getenv("FUNCTRACE_TEST_COUNTS"), os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	counts, err := syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	for i := 0; i < churners; i++ {
		count := (*atomic.Uint64)(unsafe.Pointer(&counts[i*64]))
		go callAndCount(count, (*atomic.Uint64)(unsafe.Pointer(&counts[i*64+8])))
	}
	select {}
}

func callAndCount(count, id *atomic.Uint64) {
	defer functrace.Trace()()
	id.Store(functrace.GoroutineID())
	for {
		a()
		count.Add(1)
	}
}

func TestNothingIsLostWhenTheProcessIsKilled(t *testing.T) {
	kills := 25
	if os.Getenv("FUNCTRACE_TEST_KILLS") != "" {
		kills = 200
	}
	for i := 0; i < kills; i++ {
		folder := t.TempDir()
		counts := filepath.Join(folder, "counts")
		os.WriteFile(counts, make([]byte, 4096), 0o600)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "FUNCTRACE_TEST_PROGRAM=churn", "FUNCTRACE_TEST_COUNTS="+counts,
			"FUNCTRACE=record", "FUNCTRACE_OUT="+folder+"/x.ftrace", "FUNCTRACE_MAX_SIZE=256M")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5+rand.Intn(30)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		if head, err := os.ReadFile(folder + "/x.ftrace"); err != nil || !bytes.HasPrefix(head, []byte("FTRACE")) {
			continue // it had not begun
		}
		checkCounts(t, decode(t, folder+"/x.ftrace"), counts)
	}
}

func checkCounts(t *testing.T, d *decoded, path string) {
	counts, _ := os.ReadFile(path)
	for i := 0; i < churners; i++ {
		count := binary.LittleEndian.Uint64(counts[i*64:])
		id := binary.LittleEndian.Uint64(counts[i*64+8:])
		if id == 0 {
			continue
		}
		calls := uint64(0)
		for _, e := range d.track(id).events {
			if e.kind == "<-" && e.name == "a" {
				calls++
			}
		}
		if calls != count && calls != count+1 {
			t.Errorf("goroutine %d made %d calls, %d are in the trace", id, count, calls)
		}
	}
}
