// Package follow reads a trace file while its program writes it: the functions, and the words of each
// track in order. docs/trace-format.md defines the format.
package follow

import (
	"errors"
	"io"
	"os"

	"functrace/otlp/internal/format"
)

const windowBytes = 64 << 10

// A window is a buffered part of the file, since chunks may be small and many.
type window struct {
	file   *os.File
	buffer [windowBytes]byte
	at     int64
	filled int
}

// invalidate makes the next access read the file again.
func (w *window) invalidate() { w.filled = 0 }

// head returns the chunk head at an offset, whether there is one, and whether the offset is inside the
// file.
func (w *window) head(at int64) (head format.Head, isChunk, isFile bool) {
	if at < w.at || at+format.HeadBytes > w.at+int64(w.filled) {
		w.at = at
		w.filled, _ = w.file.ReadAt(w.buffer[:], at)
	}
	data := w.buffer[min(at-w.at, int64(w.filled)):w.filled]
	head, isChunk = format.HeadAt(data)
	return head, isChunk, len(data) > 0
}

// sequence returns the current sequence number of the chunk at an offset, 0 if there is none.
func (w *window) sequence(at int64) uint64 {
	var data [format.HeadBytes]byte
	if _, err := w.file.ReadAt(data[:], at); err != nil {
		return 0
	}
	head, _ := format.HeadAt(data[:])
	return head.Sequence
}

// read fills the buffer from an offset on, as far as the file goes.
func read(file *os.File, buffer []byte, at int64) ([]byte, error) {
	n, err := file.ReadAt(buffer, at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buffer[:n], err
}
