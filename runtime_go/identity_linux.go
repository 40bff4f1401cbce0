//go:build trace && go1.21

package functrace

// Identity of an open file by statx(2).

import (
	"runtime"
	"syscall"
	"unsafe"
)

// The system call number of statx(2), which package syscall lacks.
var statxNumber = map[string]uintptr{"amd64": 332, "arm64": 291}[runtime.GOARCH]

// Constants of statx(2).
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

// identityOf returns the device and inode of an open file. It requests the inode alone: fstat(2)
// also returns times, and Linux 6.13 and later make the next write twice as slow to keep
// requested times exact; NFS would first have to send all data written before.
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
	return identityByFstat(number) // an old kernel, or one that disallows statx
}
