package ids

import (
	"encoding/hex"
	"testing"
)

// What Python's hashlib makes of so many bytes 0, 1, …, 250, 0, …: 32 bytes with a key and a salt,
// and the first 16 of 64 without.
func TestBLAKE2b(t *testing.T) {
	for _, each := range []struct {
		size         int
		keyed, plain string
	}{
		{0, "", "786a02f742015903c6c6fd852552d272"},
		{1, "3e515f5b965a919e3fdc6fd3345b8a2b24ce69c45dc476ae1efe14e6dda6bb38", "2fa3f686df876995167e7c2e5d74c4c7"},
		{127, "ea1d98ad5b811c9baf3d2b1f12c4bd5f4664b1e1ebfd9a92bf5e05ae41535f88", "b6292669ccd38d5f01caae96ba272c76"},
		{128, "be33cb75a3bfda841ae4eb5876afe2282954a6f617b90f30e624e8ebf01ee017", "2319e3789c47e2daa5fe807f61bec2a1"},
		{129, "443c3e4f218b7b5c7258711291eceebd76347b240691dc0b4bcd7853af0cbd06", "f59711d44a031d5f97a9413c065d1e61"},
		{300, "d6524f12e8220c0745a77af2c176b3b14e8e2129d39f4a0dffe7f901142e2fdc", "3a482b7748b0bdc43c3d00c080890c10"},
	} {
		data := make([]byte, each.size)
		for i := range data {
			data[i] = byte(i % 251)
		}
		if each.keyed != "" {
			keyed := newState(32, []byte("key"), 0x1122334455667788)
			hash := keyed.sum(data)
			if got := hex.EncodeToString(hash[:32]); got != each.keyed {
				t.Errorf("%d bytes with a key: %s", each.size, got)
			}
		}
		plain := newState(64, nil, 0)
		hash := plain.sum(data)
		if got := hex.EncodeToString(hash[:16]); got != each.plain {
			t.Errorf("%d bytes: %s", each.size, got)
		}
	}
}

// What functrace/export/otlp/ids.py makes of the same.
func TestIds(t *testing.T) {
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
		{3, 5, "4a2e867691c9b5997eafd249eab1ea9911f8d767d5bf4165"},
		{4, 5, "288487871cc2abb514d102b6632f41c4de5ebbd6fcfc7c43"},
		{3, 5, "7e9c50477bacb982511b4b033209d9d44ce54af211213e5f"},
		{3, 5, "0385b46a9b7fe6cd31c9fa3cb651d09482826f0f04046347"},
		{3, 9, "3d5e0b9f798d1f05c97db8b2bb13be3b5bb0021a7aab8676"},
		{0, 1 << 59, "20b9e1d9e1780b20c0811a710ee3c492cc906edf11f1cf5f"},
	} {
		trace, span := track.Next(each.function, each.start)
		if got := hex.EncodeToString(append(trace[:], span[:]...)); got != each.want {
			t.Errorf("function %d at %d: %s", each.function, each.start, got)
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
			t.Errorf("%v: %q", share, got)
		}
	}
	half := NewRate(0.5)
	if half.Keeps(TraceID{8: 0xff, 9: 0x7f}) || !half.Keeps(TraceID{9: 0x80}) {
		t.Error("it is not the last 56 bits that are compared")
	}
}

func BenchmarkNext(b *testing.B) {
	track := Of("", 1, 1).Track(1)
	for i := 0; i < b.N; i++ {
		track.Next(1, int64(i))
	}
}
