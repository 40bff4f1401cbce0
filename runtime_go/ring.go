//go:build trace && go1.21 && unix

package functrace

// Rings: traces in memory that keep the latest calls, one for each process; see docs/ring.md.

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

const (
	ringExtension = ".ftrace"
	maxRingName   = 64 // bytes of the program's name
)

// A ring is the file of a process, with what its name says.
type ring struct {
	path    string
	program string
	pid     int
	start   uint64 // of the process
	number  int    // among the rings of the process; a program that replaces itself has several

	size   int64
	latest int64 // when it was last written, nanoseconds since 1970
}

// prepareRing returns the settings for the ring of this process, after removing old ones of
// processes that have ended.
func prepareRing(c config) (*config, error) {
	folder, err := ringFolder(c.ringFolder)
	var rings []ring
	if err == nil {
		rings, err = findRings(folder)
	}
	if err == nil {
		dead := limitRings(deadRings(rings), c.keptRings, c.keptRingsSize)
		c.maxSize, err = fitRing(folder, c.maxSize, dead)
	}
	if err != nil {
		return nil, errors.New("FUNCTRACE=ring: " + err.Error())
	}
	own := ring{program: ringName(programName()), pid: os.Getpid(), start: processStart(), number: 1}
	for _, r := range rings {
		if r.pid == own.pid && r.start == own.start {
			own.number = max(own.number, r.number+1)
		}
	}
	c.out = folder + "/" + own.fileName()
	return &c, nil
}

// ringFolder returns the folder of this user's rings.
func ringFolder(asked string) (string, error) {
	if asked != "" {
		folder := absolute(asked)
		if err := makeFolder(folder); err != nil {
			return "", err
		}
		return folder, makePrivate(folder)
	}
	name := "/functrace-" + strconv.Itoa(os.Geteuid())
	if sharedMemory != "" {
		if err := makePrivate(sharedMemory + name); !isUnavailable(err) {
			return sharedMemory + name, err
		}
	}
	folder := os.TempDir() + name
	return folder, makePrivate(folder)
}

// isUnavailable reports whether the system has no shared memory for the user, as in some containers.
func isUnavailable(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// makePrivate creates a folder that only this user can use, or checks the existing one, since
// another user can have created it.
func makePrivate(folder string) error {
	if err := os.Mkdir(folder, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	var stat syscall.Stat_t
	err := syscall.Lstat(folder, &stat)
	switch {
	case err != nil:
		return &os.PathError{Op: "lstat", Path: folder, Err: err}
	case stat.Mode&syscall.S_IFMT != syscall.S_IFDIR:
		return errors.New(folder + " is not a folder; remove it, or set FUNCTRACE_RING_DIR")
	case int(stat.Uid) != os.Geteuid():
		return errors.New(folder + " belongs to another user; set FUNCTRACE_RING_DIR to a folder of your own")
	case stat.Mode&0o077 != 0:
		return errors.New(folder + " is open to other users; set its mode to 0700")
	}
	return nil
}

// programName returns the name of the program's file.
func programName() string {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

// ringName returns a name that is safe in a file's name.
func ringName(program string) string {
	name := []byte(program[:min(len(program), maxRingName)])
	for i, c := range name {
		isSafe := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			c == '-' || c == '_' || c == '.' && i > 0
		if !isSafe {
			name[i] = '_'
		}
	}
	if len(name) == 0 {
		return "program"
	}
	return string(name)
}

// fileName returns name-pid-start.ftrace, with a number behind the start from the process's second
// ring on.
func (r *ring) fileName() string {
	name := r.program + "-" + strconv.Itoa(r.pid) + "-" + strconv.FormatUint(r.start, 10)
	if r.number > 1 {
		name += "." + strconv.Itoa(r.number)
	}
	return name + ringExtension
}

// parseRing returns the ring that a file's name describes.
func parseRing(name string) (r ring, ok bool) {
	stem, ok := strings.CutSuffix(name, ringExtension)
	parts := strings.Split(stem, "-")
	if !ok || len(parts) < 3 {
		return r, false
	}
	last := len(parts) - 1
	r.program, r.number = strings.Join(parts[:last-1], "-"), 1
	start, number, isNumbered := strings.Cut(parts[last], ".")
	var errs [3]error
	r.pid, errs[0] = strconv.Atoi(parts[last-1])
	r.start, errs[1] = strconv.ParseUint(start, 10, 64)
	if isNumbered {
		r.number, errs[2] = strconv.Atoi(number)
	}
	return r, errs == [3]error{} && r.program != ""
}

// findRings returns the rings in a folder.
func findRings(folder string) (rings []ring, err error) {
	names, err := readFolder(folder)
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: folder, Err: err}
	}
	for _, name := range names {
		if r, ok := parseRing(name); ok {
			r.path = folder + "/" + name
			rings = append(rings, r)
		}
	}
	return rings, nil
}

// deadRings returns the rings of processes that have ended, oldest first.
func deadRings(rings []ring) (dead []ring) {
	newest := map[int]int{} // ring number by process id
	for _, r := range rings {
		newest[r.pid] = max(newest[r.pid], r.number)
	}
	for _, r := range rings {
		mayLive := r.number == newest[r.pid] && isProcess(r.pid, r.start)
		if mayLive || !r.inspect() {
			continue
		}
		dead = append(dead, r)
		for i := len(dead) - 1; i > 0 && dead[i-1].latest > dead[i].latest; i-- {
			dead[i-1], dead[i] = dead[i], dead[i-1]
		}
	}
	return dead
}

// inspect reads the ring's size and the time when it was last written. It reports whether the ring
// is not in use.
func (r *ring) inspect() bool {
	number, err := syscall.Open(r.path, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(number)
	var stat syscall.Stat_t
	if syscall.Fstat(number, &stat) != nil || !lockShared(number) {
		return false
	}
	r.size = stat.Size
	var header [16]uint64
	if n, err := syscall.Pread(number, bytesOf(header[:]), 0); err == nil && n == 8*len(header) {
		r.latest = int64(header[5] + max(header[10], header[14])) // at the later calibration
	}
	return true
}

// readFolder returns the names in a folder. os.ReadDir would start the Go runtime's poller, see
// readFile.
func readFolder(folder string) (names []string, err error) {
	number, err := syscall.Open(folder, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(number)
	var buffer [8 << 10]byte
	for {
		n, err := syscall.ReadDirent(number, buffer[:])
		if err != nil || n <= 0 {
			return names, err
		}
		_, _, names = syscall.ParseDirent(buffer[:n], -1, names)
	}
}

// bytesOf returns words as bytes.
func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))
}

// limitRings removes the oldest rings beyond the limits and returns the others.
func limitRings(dead []ring, count int, size int64) []ring {
	var total int64
	for _, r := range dead {
		total += r.size
	}
	for len(dead) > 0 && (len(dead) > count || total > size) {
		total -= dead[0].size
		os.Remove(dead[0].path)
		dead = dead[1:]
	}
	return dead
}

// fitRing returns the size of a new ring: the wanted one, or half of the space in the folder if that
// is less. It makes room by removing rings of dead processes, except the latest.
func fitRing(folder string, want int64, dead []ring) (int64, error) {
	free := freeBytes(folder)
	for ; free/2 < want && len(dead) > 1; dead = dead[1:] {
		os.Remove(dead[0].path)
		free = freeBytes(folder)
	}
	size := min(want, free/2)
	if size < minTrace && size < want {
		return 0, errors.New(folder + " has too little space for a ring: " +
			inKilobytes(free) + " are free; set FUNCTRACE_RING_DIR to another folder")
	}
	if size < want {
		writeMessage("FUNCTRACE=ring: the ring has " + inKilobytes(size) + " instead of " +
			inKilobytes(want) + ": half of the space that is free in " + folder)
	}
	return size, nil
}

func inKilobytes(size int64) string { return strconv.FormatInt(size>>10, 10) + " KB" }
