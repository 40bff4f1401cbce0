//go:build trace && go1.21

package functrace

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Sizes in bytes. A goroutine's first chunk is small, since most goroutines call little.
const (
	formatVersion = 2
	headerSize    = 4096
	chunkHead     = 40
	minChunk      = 512
	maxGrowth     = 7 // to chunks of 64 KB
	growthStep    = 3
	minChunks     = 128
	factsSize     = 32 << 10

	minSegment        = 64 << 10
	maxSegment        = 2 << 20
	preallocationStep = 256 << 10
	minTrace          = headerSize + factsSize + 4*minSegment
)

// Flags of the header.
const (
	endedCleanly = 1 << iota
	stoppedFull
	overwrites
	writeFailed
)

// A recorder allocates chunks of the trace file. Its lock is needed only when a track needs a new
// chunk or a function is called for the first time.
type recorder struct {
	mu       sync.Mutex
	file     *output
	header   []uint64
	size     int64 // bytes mapped
	written  int64 // length of the file
	maxSize  int64
	onTop    int64 // bytes of facts that do not count
	sequence uint64
	failure  error // the reason why recording ended

	isUnreported bool          // the failure has not been reported yet
	evaluateAt   atomic.Uint64 // ticks, see evaluate

	segments []*segment   // those with events, in file order
	current  int          // index of the segment that chunks are allocated from
	position atomic.Int64 // bytes allocated for chunks, overwritten ones included

	// In bytes allocated since: when old chunks are overwritten, a chunk is revoked, and open calls are
	// listed again.
	revokeAfter, listAfter int64
	maxListed              int // open calls in a list

	facts    []uint64 // the current facts chunk
	used     int      // words used in facts
	numbered uint64   // number of functions with a number
	budget   budget
	main     uint64 // the number of main.main
}

// A segment is a mapped part of the trace file.
type segment struct {
	memory   []byte
	used     int
	last     uint64 // sequence number of its latest chunk
	released bool   // see release
}

var rec recorder

var errTraceFull = errors.New("the trace has reached FUNCTRACE_MAX_SIZE")

// open creates the trace file and starts it.
func (r *recorder) open(c *config) error {
	if c.maxSize < minTrace {
		return errors.New("FUNCTRACE_MAX_SIZE is too small for a trace: set it to 1M or more")
	}
	if c.mode == modeRing {
		var err error
		if c, err = prepareRing(*c); err != nil {
			return err
		}
	}
	for create := createAnonymous; ; create = createNamed {
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

// openWith starts the trace in a file created by create. r.file is nil if creating it fails.
func (r *recorder) openWith(c *config, create func(path string) (*output, error)) error {
	file, err := createTrace(c, create)
	if err != nil {
		return err
	}
	r.file, r.maxSize = file, c.maxSize
	disableRaceDetector()
	hasStarted := r.writeHeader(c)
	enableRaceDetector()
	if !hasStarted {
		err = r.failure
		r.discard()
	}
	return err
}

// createNamed creates a new file at path.
func createNamed(path string) (*output, error) {
	return openOutput(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// discard deletes the file of a trace that could not be started. It contains no events.
func (r *recorder) discard() {
	file := r.file
	*r = recorder{}
	file.remove()
}

// createTrace creates the trace file that the settings specify.
func createTrace(c *config, create func(path string) (*output, error)) (*output, error) {
	switch c.mode {
	case modeLive:
		return createTemporary()
	case modeRing:
		file, err := create(c.out)
		if err == nil {
			file.lock()
		}
		return file, err
	}
	file, err := createNew(c.out, create)
	if err != nil {
		return nil, outError(err)
	}
	return file, nil
}

// createTemporary creates a trace file for a sender in the directory for temporary files.
func createTemporary() (*output, error) {
	file, err := os.CreateTemp("", "functrace-otlp-"+strconv.Itoa(os.Getpid())+"-*.ftrace")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return openOutput(file.Name(), os.O_RDWR)
}

// createNew creates a file that did not exist: an existing trace may be that of a crash under
// investigation, or belong to another process. It appends a number to the name until it is
// unique.
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
				writeMessage(stem + extension + " exists; the trace goes to " + path)
			}
			return file, err
		}
		path = stem + "-" + strconv.Itoa(n) + extension
	}
}

const defaultTrace = "functrace-%p.ftrace"

// tracePath returns the path of the trace and creates its directory. A trace cannot be written to
// a stream, a pipe or a device.
func tracePath(out string) (string, error) {
	path := expand(out)
	if streamOf(path) != noStream {
		return "", errors.New("a trace requires a file, but " + out + " is a stream")
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
	return "", errors.New("a trace requires a file, but " + path + " is a pipe or a device")
}

// writeHeader writes the header and the first facts. The magic number is stored last: it makes
// the file a trace.
func (r *recorder) writeHeader(c *config) bool {
	header := r.grow(headerSize)
	if header == nil {
		return false
	}
	h := wordsOf(header)
	h[1] = formatVersion | headerSize<<32
	h[2] = uint64(os.Getpid()) | 1<<32
	h[3] = ticksPerSecond
	h[4], h[5] = startTicks, uint64(startWall)
	r.revokeAfter, r.listAfter = math.MaxInt64, math.MaxInt64
	if c.overwrite {
		h[6] = overwrites
		r.setMaxSize(r.maxSize)
	}
	h[0] = 0x0a0d454341525446 // FTRACE\r\n
	r.header = h
	if !r.newFactsChunk() {
		return false
	}
	r.putProcess(c)
	r.startBudget(c)
	return true
}

// wordsOf returns mapped memory, which is aligned, as words.
func wordsOf(memory []byte) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/8)
}

// grow extends the file and maps the new part. On failure it stops recording and returns nil.
//
//go:norace
func (r *recorder) grow(size int) []byte {
	var memory []byte
	err := r.extendFile(r.size + int64(size))
	if err == nil {
		// Package syscall records mappings in a table whose lock the race detector must see.
		enableRaceDetector()
		memory, err = r.file.mapPart(r.size, size)
		disableRaceDetector()
	}
	if err != nil {
		r.stop(writeFailed, errors.New("cannot write the trace: "+err.Error()))
		return nil
	}
	r.size += int64(size)
	return memory
}

var zeros [1 << 20]byte

// extendFile extends the file to size bytes. It writes the bytes before they are mapped: a full
// disk is an error here, but would later be a signal that ends the program; and the kernel maps
// pages that are in its cache at a fraction of the cost.
//
//go:norace
func (r *recorder) extendFile(size int64) error {
	for r.written < size {
		n, err := r.file.WriteAt(zeros[:min(int64(len(zeros)), size-r.written)], r.written)
		r.written += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// preallocate writes a small part of the next segment, so that no goroutine has to wait for all
// of it. An error is ignored here: grow will report it.
//
//go:norace
func (r *recorder) preallocate() {
	s := r.segments[r.current]
	size := r.size + int64(s.used)&^(preallocationStep-1)
	if r.current == len(r.segments)-1 && size <= r.maxSize+r.onTop {
		_ = r.extendFile(size)
	}
}

// stop ends recording. unlock reports the reason.
//
//go:norace
func (r *recorder) stop(flag uint64, reason error) {
	r.failure, r.isUnreported = reason, true
	if r.header != nil {
		r.header[6] |= flag
	}
}

// unlock unlocks r.mu, and then reports why recording ended: the message may have to wait until standard
// error is read.
//
//go:norace
func (r *recorder) unlock() {
	failure, isUnreported := r.failure, r.isUnreported
	r.isUnreported = false
	r.mu.Unlock()
	if isUnreported {
		disableTracing(failure)
	}
}

// newChunk allocates a spare chunk for the writer, with room for that many words.
//
//go:norace
func (r *recorder) newChunk(w *writer, need int) bool {
	r.mu.Lock()
	defer r.unlock()
	if r.failure != nil {
		r.header[7]++
		return false
	}
	if c := w.left.Swap(nil); c != nil {
		if c.segment.released {
			c.segment.releaseChunk(c.words)
		} else {
			r.budget.count(c)
		}
	}
	r.evaluateBudget()
	minSize := roundUp(chunkHead + 8*need)
	if c := w.spare.Load(); c != nil {
		if len(c.words)*8 >= minSize {
			return true // another goroutine of the thread has allocated it
		}
		if w.spare.CompareAndSwap(c, nil) {
			c.putHead(factsChunk) // an empty chunk: the format allows no gaps
		}
	}
	c := r.allocate(minSize, r.chunkSize(w, minSize))
	if c == nil {
		r.header[7]++
		return false
	}
	r.preallocate()
	r.calibrate()
	w.spare.Store(c)
	return true
}

// losesWord reports whether recording has ended. Then it counts a lost word.
//
//go:norace
func (r *recorder) losesWord() bool {
	r.mu.Lock()
	defer r.unlock()
	if r.failure == nil {
		return false
	}
	r.header[7]++
	return true
}

// chunkSize returns the size of the writer's next chunk. Where old chunks are overwritten, all are
// small beside the file.
//
//go:norace
func (r *recorder) chunkSize(w *writer, minSize int) int {
	size := minChunk << w.growth
	if r.header[6]&overwrites != 0 {
		size = min(size, int(r.maxSize/minChunks)&^(minChunk-1))
	}
	return max(size, minSize)
}

const (
	chunkMagic  = 0x4b4e4843 // CHNK
	factsChunk  = 1
	eventsChunk = 2

	maxOpenListed = 1 << 11 // the entries of deeper calls may be overwritten
)

func roundUp(size int) int { return (size + minChunk - 1) &^ (minChunk - 1) }

// allocate returns a chunk of size bytes, or of at least minSize bytes, with zeroed memory; nil if
// there is none left.
//
//go:norace
func (r *recorder) allocate(minSize, size int) *chunk {
	for {
		if len(r.segments) > 0 {
			s := r.segments[r.current]
			if left := len(s.memory) - s.used; left >= minSize {
				return r.newChunkIn(s, min(size, left))
			} else if left > 0 {
				r.newChunkIn(s, left).putHead(factsChunk) // an empty chunk: the format allows no gaps
			}
		}
		if !r.nextSegment(minSize) {
			return nil
		}
	}
}

// newChunkIn returns the next size bytes of the segment as a chunk.
//
//go:norace
func (r *recorder) newChunkIn(s *segment, size int) *chunk {
	c := r.newChunkOf(s.memory[s.used : s.used+size : s.used+size])
	c.segment, c.position = s, r.position.Load()
	s.last = c.sequence
	s.used += size
	r.position.Add(int64(size))
	return c
}

// newChunkOf returns a chunk with the next sequence number.
//
//go:norace
func (r *recorder) newChunkOf(memory []byte) *chunk {
	r.sequence++
	return &chunk{words: wordsOf(memory), sequence: r.sequence}
}

// putHead writes the head of a chunk. Its first word makes the chunk valid. It becomes visible to
// other processes after everything that its thread stored before.
//
//go:norace
func (c *chunk) putHead(kind uint64) {
	c.words[1] = uint64(8 * len(c.words))
	c.words[2] = c.sequence
	atomic.StoreUint64(&c.words[0], chunkMagic|kind<<32)
}

// nextSegment maps or reuses a segment with room for a chunk of size bytes.
//
//go:norace
func (r *recorder) nextSegment(size int) bool {
	if r.header[6]&overwrites != 0 {
		r.revokeOld()
	}
	want := minSegment
	if n := len(r.segments); n > 0 {
		want = min(2*len(r.segments[n-1].memory), maxSegment)
	}
	want = max(want, (size+4095)&^4095)
	if limit := r.maxSize / 8; r.header[6]&overwrites != 0 && int64(want) > limit {
		want = max(minSegment, int(limit)&^4095)
	}
	fits := r.size+int64(want) <= r.maxSize+r.onTop
	if fits && r.canOverwrite() && r.extendFile(r.size+int64(want)) != nil {
		r.setMaxSize(r.size - r.onTop) // the file system is full
		fits = false
	}
	if !fits {
		return r.reuseOldestSegment(size)
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

// canOverwrite reports whether the oldest segment can be overwritten.
//
//go:norace
func (r *recorder) canOverwrite() bool { return r.header[6]&overwrites != 0 && len(r.segments) >= 3 }

// setMaxSize sets the size that an overwriting trace grows to.
//
//go:norace
func (r *recorder) setMaxSize(size int64) {
	r.maxSize = size
	r.revokeAfter = size / 8
	r.setListAfter(size / 4)
}

// setListAfter sets the distance between lists. A list is short beside it: otherwise the lists of a few
// tracks would move each other past the distance.
//
//go:norace
func (r *recorder) setListAfter(distance int64) {
	const share = 64
	r.listAfter = distance
	r.maxListed = int(min(max(distance/(share*8*openRecordWords), maxShortList), maxOpenListed))
}

// setDistances derives the distances from the segments, which may be much smaller than the file: its
// facts are not overwritten.
//
//go:norace
func (r *recorder) setDistances() {
	var all, largest int64
	for _, s := range r.segments {
		all += int64(len(s.memory))
		largest = max(largest, int64(len(s.memory)))
	}
	r.setListAfter(min(r.listAfter, all/4))
	r.revokeAfter = min(r.revokeAfter, all/8, max(0, (all-2*largest)/2))
}

// reuseOldestSegment makes the oldest segment available, or stops recording if nothing may be
// overwritten.
//
//go:norace
func (r *recorder) reuseOldestSegment(size int) bool {
	if !r.canOverwrite() {
		r.stop(stoppedFull, errTraceFull)
		return false
	}
	r.setDistances()
	r.revokeOld()
	r.current = (r.current + 1) % len(r.segments)
	s := r.segments[r.current]
	events := countEvents(wordsOf(s.memory[:s.used]))
	atomic.StoreUint64(&r.header[18], s.last)
	atomic.LoadUint64(&r.header[18]) // on arm64 too, stores behind a load that follows a store stay behind both
	r.header[17] += events
	clear(s.memory)
	s.used, s.released = 0, false
	r.releaseOld()
	return size <= len(s.memory)
}

// countEvents returns the number of entries and exits in chunks that follow each other.
//
//go:norace
func countEvents(words []uint64) (events uint64) {
	for len(words) > chunkHead/8 {
		chunk := words[:min(max(int(uint32(words[1]))/8, minChunk/8), len(words))]
		words = words[len(chunk):]
		if chunk[0] != chunkMagic|eventsChunk<<32 {
			continue
		}
		for at := chunkHead / 8; at < len(chunk) && chunk[at] != 0; at++ {
			if word := chunk[at]; word&3 != recordWord {
				events++
			} else {
				at += wordsFor(int(word>>8&0xFFFF)) - 1
			}
		}
	}
	return events
}

// revokeOld revokes the chunks that are too old to be continued. So each part of the file contains
// words of about the same time, and a thread that was interrupted just before storing a word has time
// to store it before the chunk is overwritten.
//
//go:norace
func (r *recorder) revokeOld() {
	for _, w := range r.allWriters() {
		if c := w.spare.Load(); c != nil && r.isOld(c) && w.spare.CompareAndSwap(c, nil) {
			c.putHead(factsChunk)
		}
		if position := w.position.Load(); r.position.Load()-position > r.revokeAfter {
			w.isRevoked.Store(true)
			w.limit.Store(0)
		}
	}
}

//go:norace
func (r *recorder) isOld(c *chunk) bool { return r.position.Load()-c.position > r.revokeAfter }

// calibrate updates the older of the two calibrations, pairs of ticks and time.
//
//go:norace
func (r *recorder) calibrate() {
	pair := r.header[8+4*(r.sequence&1):][:4]
	pair[0] = r.sequence
	pair[1], pair[2] = readClocks()
	pair[3] = r.sequence
}

// markEnded marks the trace as that of a program that ended normally.
//
//go:norace
func (r *recorder) markEnded() {
	disableRaceDetector()
	r.mu.Lock()
	r.header[6] |= endedCleanly
	r.calibrate()
	r.mu.Unlock()
	enableRaceDetector()
}
