// Package follow reads a trace file while its program writes it: which functions there are, and
// the words of each track in their order. docs/trace-format.md has the format.
package follow

import (
	"errors"
	"io"
	"os"

	"functrace/otlp/internal/format"
)

const windowBytes = 64 << 10

// A window is a part of the file that was read at once, since chunks may be small and many.
type window struct {
	file   *os.File
	buffer [windowBytes]byte
	at     int64
	filled int
}

// forget has what is asked for next read anew.
func (w *window) forget() { w.filled = 0 }

// head returns the head of the chunk at a place in the file, false where none begins; and
// whether the file goes on there.
func (w *window) head(at int64) (head format.Head, isChunk, isFile bool) {
	if at < w.at || at+format.HeadBytes > w.at+int64(w.filled) {
		w.at = at
		w.filled, _ = w.file.ReadAt(w.buffer[:], at)
	}
	data := w.buffer[min(at-w.at, int64(w.filled)):w.filled]
	head, isChunk = format.HeadAt(data)
	return head, isChunk, len(data) > 0
}

// sequence returns that of the chunk at a place now, 0 where there is none.
func (w *window) sequence(at int64) uint64 {
	var data [format.HeadBytes]byte
	if _, err := w.file.ReadAt(data[:], at); err != nil {
		return 0
	}
	head, _ := format.HeadAt(data[:])
	return head.Sequence
}

// read fills the buffer from a place in the file on, as far as that goes.
func read(file *os.File, buffer []byte, at int64) ([]byte, error) {
	n, err := file.ReadAt(buffer, at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buffer[:n], err
}
