package ids

import (
	"encoding/hex"
	"testing"
)

// functrace/export/otlp/ids.py computes the same.
func TestIDsEqualThoseOfPython(t *testing.T) {
	process := Of("web1 ü", 4711, 1_700_000_000_000_000_000)
	if got := process.Instance(); got != "27ee5d16-0cfb-42d3-afd3-21b869914184" {
		t.Error(got)
	}
	track := process.Track(1<<64 - 2)
	for _, each := range []struct {
		function int32
		start    int64
		want     string
	}{
		{3, 5, "8131d8b4c93d0d1948a3a773389611b580b50e75a2b66e68"},
		{4, 5, "76ae4f65a1627c8f4267401526c27c973aecf39d11de18b6"},
		{3, 5, "fa84327351aa8b1c2732b304db61dce1cfdb8dfbd071a8ee"},
		{3, 5, "df120f845fd24230f2d43c3b68ae4c71bbf78c0de7585510"},
		{3, 9, "c98674a79898ed0fad6c562a701acadda1b3b1594eba5c4f"},
		{0, 1 << 59, "4d6e7db74891e2a3c4a95c1b72272c5131727057fe625728"},
	} {
		trace, span := track.Next(each.function, each.start)
		if got := hex.EncodeToString(append(trace[:], span[:]...)); got != each.want {
			t.Errorf("function %d at %d: %s, want %s", each.function, each.start, got, each.want)
		}
	}
}

func TestRate(t *testing.T) {
	for share, want := range map[float64]string{
		1:     "",
		0.5:   "ot=th:8",
		0.25:  "ot=th:c",
		0.01:  "ot=th:fd70a3d70a3d7",
		1e-9:  "ot=th:fffffffbb47d08",
		1e-18: "ot=th:ffffffffffffff",
	} {
		if got := NewRate(share).State(); got != want {
			t.Errorf("State of %v: %q, want %q", share, got, want)
		}
	}
	half := NewRate(0.5)
	if half.IsSampled(TraceID{8: 0xff, 9: 0x7f}) || !half.IsSampled(TraceID{9: 0x80}) {
		t.Error("IsSampled does not compare the last 56 bits")
	}
}

func BenchmarkNext(b *testing.B) {
	track := Of("", 1, 1).Track(1)
	for i := 0; i < b.N; i++ {
		track.Next(1, int64(i))
	}
}
