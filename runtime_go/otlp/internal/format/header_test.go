package format

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestOtherVersionsAreRefused(t *testing.T) {
	for version, want := range map[uint32]string{
		1: "cannot follow a trace of format version 1, only of version 2; use a program and a sender of the same release",
		3: "format version 3 is newer than the supported version 2",
		0: "corrupt header",
	} {
		data := make([]byte, HeaderBytes)
		copy(data, magic)
		binary.LittleEndian.PutUint32(data[8:], version)
		if _, err := ParseHeader(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("version %d: %v, want %s", version, err, want)
		}
	}
}

func TestASlowClockIsRefused(t *testing.T) {
	data := make([]byte, HeaderBytes)
	copy(data, magic)
	binary.LittleEndian.PutUint32(data[8:], version)
	binary.LittleEndian.PutUint32(data[12:], HeaderBytes)
	for i, value := range []uint64{1, 1, 2_000_000_000, 1} { // a calibration of 0.5 Hz
		binary.LittleEndian.PutUint64(data[64+8*i:], value)
	}
	const want = "corrupt header: clock rate below 1 Hz"
	if _, err := ParseHeader(data); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
