//go:build trace && go1.21

package functrace

import (
	"runtime"
	"syscall"
	"unsafe"
)

// The number of statx(2), which package syscall does not have.
var statxNumber = map[string]uintptr{"amd64": 332, "arm64": 291}[runtime.GOARCH]

// The parts of statx(2) that are used here.
const (
	statxEmptyPath = 0x1000
	statxDontSync  = 0x4000
	statxInode     = 0x100
)

type statxResult struct {
	_                        [4]uint64
	inode                    uint64
	_                        [12]uint64
	deviceMajor, deviceMinor uint32
	_                        [14]uint64
}

var emptyPath byte

// identityOf asks for the inode alone. fstat(2) returns times as well, and once they have been
// asked for, Linux 6.13 and later make the next write twice as slow to keep them exact; NFS would
// have to send all that was written before.
//
//go:norace
func identityOf(number int) (identity, error) {
	if statxNumber != 0 {
		var result statxResult
		_, _, problem := syscall.RawSyscall6(statxNumber, uintptr(number), uintptr(unsafe.Pointer(&emptyPath)),
			statxEmptyPath|statxDontSync, statxInode, uintptr(unsafe.Pointer(&result)), 0)
		if problem == 0 {
			major, minor := uint64(result.deviceMajor), uint64(result.deviceMinor)
			return identity{minor&0xff | major&0xfff<<8 | minor&^0xff<<12 | major&^0xfff<<32, result.inode}, nil
		}
	}
	return identityByFstat(number) // an old kernel, or one that forbids statx
}
