package ids

import (
	"encoding/binary"
	"math/bits"
)

// BLAKE2b of RFC 7693 with the salt of the parameter block, which golang.org/x/crypto does not take.

const blockBytes = 128

var initial = [8]uint64{
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
}

var order = [10][16]byte{
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
}

// A state is what is left of the blocks hashed so far.
type state struct {
	h      [8]uint64
	hashed uint64 // bytes
}

// newState begins a hash of size bytes. The key may be empty; the salt has 8 bytes of 16, the
// rest is zero.
func newState(size int, key []byte, salt uint64) state {
	s := state{h: initial}
	s.h[0] ^= uint64(size) | uint64(len(key))<<8 | 1<<16 | 1<<24
	s.h[4] ^= salt
	if len(key) > 0 {
		var block [blockBytes]byte
		copy(block[:], key)
		s.compress(&block, blockBytes, false)
	}
	return s
}

// sum returns the hash where the data comes next and last; behind a key there is some.
func (s state) sum(data []byte) (out [64]byte) {
	var block [blockBytes]byte
	for len(data) > blockBytes {
		copy(block[:], data)
		data = data[blockBytes:]
		s.compress(&block, blockBytes, false)
	}
	block = [blockBytes]byte{}
	copy(block[:], data)
	s.compress(&block, len(data), true)
	for i, word := range s.h {
		binary.LittleEndian.PutUint64(out[8*i:], word)
	}
	return out
}

func (s *state) compress(block *[blockBytes]byte, size int, isLast bool) {
	var m [16]uint64
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(block[8*i:])
	}
	s.hashed += uint64(size)
	v0, v1, v2, v3 := s.h[0], s.h[1], s.h[2], s.h[3]
	v4, v5, v6, v7 := s.h[4], s.h[5], s.h[6], s.h[7]
	v8, v9, v10, v11 := initial[0], initial[1], initial[2], initial[3]
	v12, v13, v14, v15 := initial[4]^s.hashed, initial[5], initial[6], initial[7]
	if isLast {
		v14 = ^v14
	}
	for round := 0; round < 12; round++ {
		o := &order[round%10]
		v0, v4, v8, v12 = mix(v0, v4, v8, v12, m[o[0]&15], m[o[1]&15])
		v1, v5, v9, v13 = mix(v1, v5, v9, v13, m[o[2]&15], m[o[3]&15])
		v2, v6, v10, v14 = mix(v2, v6, v10, v14, m[o[4]&15], m[o[5]&15])
		v3, v7, v11, v15 = mix(v3, v7, v11, v15, m[o[6]&15], m[o[7]&15])
		v0, v5, v10, v15 = mix(v0, v5, v10, v15, m[o[8]&15], m[o[9]&15])
		v1, v6, v11, v12 = mix(v1, v6, v11, v12, m[o[10]&15], m[o[11]&15])
		v2, v7, v8, v13 = mix(v2, v7, v8, v13, m[o[12]&15], m[o[13]&15])
		v3, v4, v9, v14 = mix(v3, v4, v9, v14, m[o[14]&15], m[o[15]&15])
	}
	s.h[0] ^= v0 ^ v8
	s.h[1] ^= v1 ^ v9
	s.h[2] ^= v2 ^ v10
	s.h[3] ^= v3 ^ v11
	s.h[4] ^= v4 ^ v12
	s.h[5] ^= v5 ^ v13
	s.h[6] ^= v6 ^ v14
	s.h[7] ^= v7 ^ v15
}

func mix(a, b, c, d, x, y uint64) (uint64, uint64, uint64, uint64) {
	a += b + x
	d = bits.RotateLeft64(d^a, -32)
	c += d
	b = bits.RotateLeft64(b^c, -24)
	a += b + y
	d = bits.RotateLeft64(d^a, -16)
	c += d
	b = bits.RotateLeft64(b^c, -63)
	return a, b, c, d
}
