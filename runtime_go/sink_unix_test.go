//go:build trace && unix

package functrace

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// Longer than the buffer of a pipe or a socket.
const longLine = 200_000

func TestLongLinesNeverMix(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (reader, writer *os.File){
		"pipe":              pipe,
		"non-blocking pipe": nonBlockingPipe,
		"socket":            socketPair,
	} {
		t.Run(name, func(t *testing.T) {
			reader, writer := open(t)
			go func() {
				defer writer.Close()
				printFromFour(newSink(writer, false))
			}()
			text, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			checkFromFour(t, text)
		})
	}
	t.Run("file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "out")
		s, err := openSink(path, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		printFromFour(s)
		text, _ := os.ReadFile(path)
		checkFromFour(t, text)
	})
}

// printFromFour prints ten lines of one letter and of different lengths from each
// of four goroutines.
func printFromFour(s *sink) {
	var wg sync.WaitGroup
	for w := 0; w < 4; w++ {
		line := bytes.Repeat([]byte{byte('a' + w)}, longLine>>(3*w))
		wg.Add(1)
		go func() {
			defer wg.Done()
			t := newTrack(0, trackLink{})
			t.line = append(line, '\n')
			for i := 0; i < 10; i++ {
				s.write(t.trackPrinting)
			}
		}()
	}
	wg.Wait()
}

func checkFromFour(t *testing.T, text []byte) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(lines) != 40 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		letter := line[:min(1, len(line))]
		if len(line) == 0 || len(line) != longLine>>(3*(letter[0]-'a')) || len(bytes.Trim(line, string(letter))) != 0 {
			t.Fatalf("a line of %d bytes: %.40q", len(line), line)
		}
	}
}

func pipe(t *testing.T) (reader, writer *os.File) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader, blocking(t, writer)
}

func nonBlockingPipe(t *testing.T) (reader, writer *os.File) {
	reader, writer = pipe(t)
	if err := syscall.SetNonblock(int(writer.Fd()), true); err != nil {
		t.Fatal(err)
	}
	return reader, writer
}

func socketPair(t *testing.T) (reader, writer *os.File) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	reader, writer = os.NewFile(uintptr(fds[0]), "reader"), os.NewFile(uintptr(fds[1]), "writer")
	t.Cleanup(func() { reader.Close() })
	return reader, writer
}

// blocking undoes what os.Pipe did.
func blocking(t *testing.T, file *os.File) *os.File {
	if err := syscall.SetNonblock(int(file.Fd()), false); err != nil {
		t.Fatal(err)
	}
	return file
}
