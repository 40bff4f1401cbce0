//go:build trace && go1.21

package functrace

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"unsafe"
)

// Sizes in bytes. A goroutine's first chunk is small, since most goroutines call little.
const (
	headerSize    = 4096
	chunkHead     = 40
	smallestChunk = 512
	largestGrowth = 7 // to chunks of 64 KB
	factsSize     = 32 << 10

	smallestSegment = 64 << 10
	largestSegment  = 2 << 20
	writtenAtOnce   = 256 << 10
	smallestTrace   = headerSize + factsSize + 4*smallestSegment
)

// Flags of the header.
const (
	endedCleanly = 1 << iota
	stoppedFull
	overwrites
	writeFailed
)

// A recorder hands out chunks of the trace file. It is locked but when a track needs a
// new one, and when a function is seen for the first time.
type recorder struct {
	mu       sync.Mutex
	file     *output
	header   []uint64
	size     int64 // of what has been mapped
	written  int64 // how long the file is
	maxSize  int64
	sequence uint64
	failure  error // why no more can be recorded

	segments []*segment // all that hold events, in the order of their places
	current  int        // the one that chunks are cut from
	facts    []uint64   // the chunk that facts go to
	used     int        // words of it
	numbered uint64     // functions that have a number
	main     uint64     // the number of main.main
}

// A segment is a part of the file that has been mapped.
type segment struct {
	memory   []byte
	used     int
	owners   []*track // of its chunks, where old ones are overwritten
	released bool     // see release
}

var rec recorder

var errTraceFull = errors.New("the trace has reached FUNCTRACE_MAX_SIZE")

// open starts the trace.
func (r *recorder) open(c *config) error {
	if c.maxSize < smallestTrace {
		return errors.New("FUNCTRACE_MAX_SIZE is too small for a trace: 1M will do")
	}
	for create := createNameless; ; create = createNamed {
		err := r.openWith(c, create)
		if err == nil {
			err = r.file.publish()
		}
		if err == nil || r.file == nil {
			return err
		}
		r.discard()
	}
}

// openWith starts the trace in a file that create creates. The file is nil if it cannot.
func (r *recorder) openWith(c *config, create func(path string) (*output, error)) error {
	file, err := createTrace(c, create)
	if err != nil {
		return err
	}
	r.file, r.maxSize = file, c.maxSize
	hideFromRaceDetector()
	hasBegun := r.begin(c)
	showToRaceDetector()
	if !hasBegun {
		err = r.failure
		r.discard()
	}
	return err
}

func createNamed(path string) (*output, error) {
	return openOutput(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// discard leaves no file behind of a trace that cannot go on: there is nothing in it.
func (r *recorder) discard() {
	file := r.file
	*r = recorder{}
	file.remove()
}

// createTrace makes the file that the settings ask for.
func createTrace(c *config, create func(path string) (*output, error)) (*output, error) {
	if c.mode == modeLive {
		return createTemporary()
	}
	file, err := createNew(c.out, create)
	if err != nil {
		return nil, outError(err)
	}
	return file, nil
}

func createTemporary() (*output, error) {
	file, err := os.CreateTemp("", "functrace-otlp-"+strconv.Itoa(os.Getpid())+"-*.ftrace")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return openOutput(file.Name(), os.O_RDWR)
}

// createNew makes a new file: a trace that is there already may be the one of the crash
// that somebody is after, or another process's.
func createNew(out string, create func(path string) (*output, error)) (*output, error) {
	isAsked := out != ""
	if !isAsked {
		out = defaultTrace
	}
	path, err := tracePath(out)
	if err != nil {
		return nil, err
	}
	stem, extension := path, ""
	if dot := strings.LastIndexByte(path, '.'); dot > strings.LastIndexByte(path, '/') {
		stem, extension = path[:dot], path[dot:]
	}
	for n := 2; ; n++ {
		file, err := create(path)
		if err == nil || !os.IsExist(err) || n > 1<<16 {
			if err == nil && n > 2 && isAsked {
				say(stem + extension + " exists; the trace goes to " + path)
			}
			return file, err
		}
		path = stem + "-" + strconv.Itoa(n) + extension
	}
}

const defaultTrace = "functrace-%p.ftrace"

// tracePath returns the path of the trace, whose folder it makes. A trace cannot be written to a
// stream, a pipe or a device.
func tracePath(out string) (string, error) {
	path := expand(out)
	if streamOf(path) != noStream {
		return "", errors.New("a trace goes to a file, not to " + out)
	}
	if err := makeFolder(path); err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil || info.Mode().IsRegular():
		return path, nil
	case info.IsDir():
		return path + expand("/"+defaultTrace), nil
	}
	return "", errors.New("a trace goes to a file, not to " + path + ", which is a pipe or a device")
}

// begin fills in the header, with whose first bytes the file becomes a trace, and the first facts.
func (r *recorder) begin(c *config) bool {
	header := r.grow(headerSize)
	if header == nil {
		return false
	}
	h := wordsOf(header)
	h[1] = 1 | headerSize<<32
	h[2] = uint64(os.Getpid()) | 1<<32
	h[3] = ticksPerSecond
	h[4], h[5] = startTicks, uint64(startWall)
	if c.overwrite {
		h[6] = overwrites
	}
	h[0] = 0x0a0d454341525446 // FTRACE\r\n
	r.header = h
	if !r.newFacts() {
		return false
	}
	r.putProcess(c)
	return true
}

// wordsOf returns the memory as words; it is mapped, so it is aligned.
func wordsOf(memory []byte) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/8)
}

// grow lengthens the file and maps what is new. If it cannot it ends recording, and returns nil.
//
//go:norace
func (r *recorder) grow(size int) []byte {
	var memory []byte
	err := r.lengthen(r.size + int64(size))
	if err == nil {
		// Package syscall keeps what it maps in a table under a lock that must be seen.
		showToRaceDetector()
		memory, err = r.file.mapPart(r.size, size)
		hideFromRaceDetector()
	}
	if err != nil {
		r.end(writeFailed, errors.New("cannot write the trace: "+err.Error()))
		return nil
	}
	r.size += int64(size)
	return memory
}

var zeros [1 << 20]byte

// lengthen has the file be that long. What is to be mapped is written first: a full disk is an
// error here, and would be a signal later that ends the program; and the kernel maps what it
// has in its cache at a fraction of the cost.
//
//go:norace
func (r *recorder) lengthen(size int64) error {
	for r.written < size {
		n, err := r.file.WriteAt(zeros[:min(int64(len(zeros)), size-r.written)], r.written)
		r.written += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// prepare writes a little of what the next segment will need, so that nobody waits for all of it
// at once. That it cannot be written is for grow to say, which will need it.
//
//go:norace
func (r *recorder) prepare() {
	s := r.segments[r.current]
	size := r.size + int64(s.used)&^(writtenAtOnce-1)
	if r.current == len(r.segments)-1 && size <= r.maxSize {
		_ = r.lengthen(size)
	}
}

// end has no more recorded, for that reason, and says so.
//
//go:norace
func (r *recorder) end(flag uint64, reason error) {
	r.failure = reason
	if r.header != nil {
		r.header[6] |= flag
	}
	fail(reason)
}

// newChunk gives the track a chunk with room for need words and what comes before them.
//
//go:norace
func (r *recorder) newChunk(t *track, now uint64, need int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure != nil {
		r.header[7]++
		return false
	}
	open := t.recorded()
	if r.header[6]&overwrites == 0 {
		open = nil // the file has their entries
	} else if len(open) > maxOpenRecorded {
		open = open[:maxOpenRecorded]
	}
	least := roundUp(chunkHead + 8*(need+wordsFor(8)+openRecordWords*len(open)))
	memory := r.take(t, least, max(least, smallestChunk<<t.growth))
	if memory == nil {
		r.header[7]++
		return false
	}
	if t.segment != nil && t.segment.released {
		t.segment.releaseChunk(t.words)
	}
	t.segment = r.segments[r.current]
	r.prepare()
	t.growth = min(t.growth+3, largestGrowth)
	words := wordsOf(memory)
	words[1], words[4] = uint64(len(t.recorded()))<<32, now
	if t.begun {
		words[3] = t.id
	}
	r.putHead(memory, eventsChunk)
	r.calibrate()
	t.words, t.used, t.base = words, chunkHead/8, now
	t.limit.Store(int64(len(words)))
	t.putOpen(open)
	return true
}

const (
	chunkMagic  = 0x4b4e4843 // CHNK
	factsChunk  = 1
	eventsChunk = 2

	maxOpenRecorded = 1 << 11 // in a chunk; of the calls deeper in, the entries may be gone
)

func roundUp(size int) int { return (size + smallestChunk - 1) &^ (smallestChunk - 1) }

// putOpen tells which calls are open where the chunk begins.
//
//go:norace
func (t *track) putOpen(open []openCall) {
	for i := range open {
		t.putRecord(openRecord, 0, open[i].entered, open[i].function)
	}
}

const openRecordWords = 1 + 2

// take returns memory for a chunk of size bytes, of least at least, all zero; nil if there is
// no more.
//
//go:norace
func (r *recorder) take(t *track, least, size int) []byte {
	for {
		if len(r.segments) > 0 {
			s := r.segments[r.current]
			if left := len(s.memory) - s.used; left >= least {
				size = min(size, left)
				s.used += size
				if r.header[6]&overwrites != 0 {
					s.owners = append(s.owners, t)
				}
				return s.memory[s.used-size : s.used : s.used]
			} else if left > 0 {
				r.putHead(s.memory[s.used:], factsChunk) // an empty one: there are no gaps
				s.used = len(s.memory)
			}
		}
		if !r.nextSegment(least) {
			return nil
		}
	}
}

// putHead makes a chunk of the memory. Its first word comes last: without it there is none.
//
//go:norace
func (r *recorder) putHead(memory []byte, kind uint64) []uint64 {
	words := wordsOf(memory)
	r.sequence++
	words[2] = r.sequence
	words[1] |= uint64(len(memory))
	words[0] = chunkMagic | kind<<32
	return words
}

// nextSegment makes room for a chunk of that size.
//
//go:norace
func (r *recorder) nextSegment(size int) bool {
	want := smallestSegment
	if n := len(r.segments); n > 0 {
		want = min(2*len(r.segments[n-1].memory), largestSegment)
	}
	want = max(want, (size+4095)&^4095)
	if limit := r.maxSize / 8; r.header[6]&overwrites != 0 && int64(want) > limit {
		want = max(smallestSegment, int(limit)&^4095)
	}
	if r.size+int64(want) > r.maxSize {
		return r.reuse(size)
	}
	memory := r.grow(want)
	if memory == nil {
		return false
	}
	r.segments = append(r.segments, &segment{memory: memory})
	r.current = len(r.segments) - 1
	r.releaseOld()
	return true
}

// reuse gives up the oldest segment, or recording if nothing is to be overwritten.
//
//go:norace
func (r *recorder) reuse(size int) bool {
	if r.header[6]&overwrites == 0 || len(r.segments) < 3 {
		r.end(stoppedFull, errTraceFull)
		return false
	}
	r.current = (r.current + 1) % len(r.segments)
	s := r.segments[r.current]
	s.giveUp()
	// The one after that is given up now, long before it is needed: a goroutine that was
	// interrupted before it stores a word has until then to do so.
	r.segments[(r.current+1)%len(r.segments)].giveUp()
	clear(s.memory)
	s.used, s.released = 0, false
	r.releaseOld()
	return size <= len(s.memory)
}

// giveUp takes the segment's chunks from the tracks that use them.
//
//go:norace
func (s *segment) giveUp() {
	first := uintptr(unsafe.Pointer(unsafe.SliceData(s.memory)))
	for _, t := range s.owners {
		words := uintptr(unsafe.Pointer(unsafe.SliceData(t.words)))
		if words >= first && words < first+uintptr(len(s.memory)) {
			t.taken.Store(true)
			t.limit.Store(0)
		}
	}
	s.owners = nil
}

// calibrate renews one of the two pairs of ticks and time.
//
//go:norace
func (r *recorder) calibrate() {
	pair := r.header[8+4*(r.sequence&1):][:4]
	pair[0] = r.sequence
	pair[1], pair[2] = readClocks()
	pair[3] = r.sequence
}

// ended marks the trace as that of a program that has run to its end.
//
//go:norace
func (r *recorder) ended() {
	hideFromRaceDetector()
	r.mu.Lock()
	r.header[6] |= endedCleanly
	r.calibrate()
	r.mu.Unlock()
	showToRaceDetector()
}
