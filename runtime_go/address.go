//go:build trace && go1.21

package functrace

// Text of Internet addresses, read from memory.

// ip adds an Internet address. In host:port an IPv6 address is in brackets, with its zone: the
// verb host adds the opening bracket and the address, the verb end the closing bracket.
//
//go:norace
func (d *description) ip(at location, verb string) {
	size := at.plus(wordSize).word()
	if size != 4 && size != 16 {
		return
	}
	bytes, ok := at.target(size)
	isUnknown := !ok || !isReadable(bytes.address, size)
	hasBrackets := verb != "ip" && !isUnknown && size == 16 && !isMapped(bytes.address)
	switch {
	case hasBrackets && verb == "end":
		d.addByte(']')
	case hasBrackets:
		d.addByte('[')
	}
	switch {
	case verb == "end":
	case isUnknown:
		d.add("…")
	case size == 4:
		d.ip4(bytes.address)
	case isMapped(bytes.address):
		d.ip4(bytes.address + 12)
	default:
		d.ip6(bytes.address)
	}
}

// isMapped reports whether the 16 bytes are an IPv4 address mapped to IPv6.
//
//go:norace
func isMapped(address uintptr) bool {
	for i := uintptr(0); i < 10; i++ {
		if load[byte](address+i) != 0 {
			return false
		}
	}
	return load[byte](address+10) == 0xff && load[byte](address+11) == 0xff
}

// ip4 adds an IPv4 address.
//
//go:norace
func (d *description) ip4(address uintptr) {
	for i := uintptr(0); i < 4; i++ {
		if i > 0 {
			d.addByte('.')
		}
		d.addUint(uint64(load[byte](address + i)))
	}
}

// ip6 adds an IPv6 address without its longest run of zeros, as RFC 5952 specifies.
//
//go:norace
func (d *description) ip6(address uintptr) {
	var groups [8]uint64
	for i := range groups {
		at := address + 2*uintptr(i)
		groups[i] = uint64(load[byte](at))<<8 | uint64(load[byte](at+1))
	}
	first, last := zeros6(&groups)
	for i := 0; i < len(groups); i++ {
		if i == first {
			d.add("::")
			i = last - 1
			continue
		}
		if i > 0 && i != last {
			d.addByte(':')
		}
		d.addHex(groups[i])
	}
}

// zeros6 returns the start and the end of the longest run of two or more zeros.
//
//go:norace
func zeros6(groups *[8]uint64) (first, last int) {
	first = -1
	for i := range groups {
		end := i
		for end < len(groups) && groups[end] == 0 {
			end++
		}
		if end-i > max(1, last-first) || first < 0 && end-i > 1 {
			first, last = i, end
		}
	}
	return first, last
}
