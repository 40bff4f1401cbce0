//go:build trace && go1.21

package functrace

// Request functions: what a request is recorded as a call of.

import (
	"strings"
	"sync"
	"sync/atomic"
)

const (
	maxRequestFunctions = 4096 // names with a path; then one for each method
	maxOtherMethods     = 64
	maxRequestName      = 200
	maxPathSegments     = 8
	maxPathSegment      = 32
	maxMethod           = 16
)

// A requestKind is the direction and the protocol of a request function.
type requestKind struct {
	direction direction
	protocol  Protocol
}

type direction uint8

const (
	inbound  direction = 1
	outbound direction = 2
)

// Request functions by name: an open hash table that is only ever filled.
var requestFunctions struct {
	mu    sync.Mutex // held to add
	count atomic.Int64
	slots [2 * maxRequestFunctions]atomic.Pointer[function]
}

// A requestLine is what a request's name is made of.
type requestLine struct {
	protocol                  Protocol
	method, host, path, query string
}

// requestFunction returns the function that stands for requests with that line; nil if the trace is full.
//
//go:norace
func requestFunction(kind requestKind, line *requestLine) *function {
	var buffer [2 * maxRequestName]byte
	name := line.appendName(buffer[:0], kind)
	if f := namedRequest(kind, name, maxRequestFunctions); f != nil {
		return f
	}
	for limit, method := int64(maxRequestFunctions+maxOtherMethods), line.method; ; limit, method = limit+4, "" {
		name = appendMethod(buffer[:0], method)
		if f := namedRequest(kind, append(name, " (other)"...), limit); f != nil || method == "" {
			return f
		}
	}
}

// routeFunction returns the number of the function for a route: a pattern of http.ServeMux; 0 if there is
// none.
//
//go:norace
func routeFunction(kind requestKind, method, route string) uint64 {
	if route == "" {
		return 0
	}
	var buffer [2 * maxRequestName]byte
	name := buffer[:0]
	if strings.IndexByte(route, ' ') < 0 {
		name = append(appendMethod(name, method), ' ')
	}
	name = appendPrintable(name, route)
	if f := namedRequest(kind, cutName(name), maxRequestFunctions); f != nil {
		return f.number
	}
	return 0
}

// namedRequest returns the function of that name, which it adds unless there are that many.
//
//go:norace
func namedRequest(kind requestKind, name []byte, limit int64) *function {
	r := &requestFunctions
	at := hashName(kind, name)
	f, free := findRequest(kind, name, at)
	if f != nil || r.count.Load() >= limit {
		return f
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f, free = findRequest(kind, name, free)
	if f != nil || r.count.Load() >= limit {
		return f
	}
	f = &function{name: string(name), request: kind}
	if f.number = rec.putFunction(f, 0); f.number == 0 {
		return nil
	}
	r.count.Add(1)
	r.slots[free].Store(f)
	return f
}

// findRequest returns the function of that name, or the free slot behind at.
//
//go:norace
func findRequest(kind requestKind, name []byte, at int) (f *function, free int) {
	slots := &requestFunctions.slots
	for ; ; at++ {
		at %= len(slots)
		f = slots[at].Load()
		if f == nil || f.request == kind && f.name == string(name) {
			return f, at
		}
	}
}

//go:norace
func hashName(kind requestKind, name []byte) int {
	const prime = 0x100000001b3 // FNV-1a
	h := uint64(0xcbf29ce484222325) + uint64(kind.direction)<<8 + uint64(kind.protocol)
	for _, c := range name {
		h = (h ^ uint64(c)) * prime
	}
	return int((h ^ h>>32) % uint64(len(requestFunctions.slots)))
}

// appendName adds the request's name: GET /users/{id}, GET payments/users/{id} or grpc store.Store/Get.
func (l *requestLine) appendName(name []byte, kind requestKind) []byte {
	if l.protocol == GRPC {
		name = append(name, "grpc "...)
		return cutName(appendPrintable(name, strings.TrimPrefix(l.path, "/")))
	}
	name = append(appendMethod(name, l.method), ' ')
	if kind.direction == outbound {
		name = appendHost(name, l.host)
	}
	if settings.fullURLs {
		name = appendPrintable(name, l.path)
		if l.query != "" {
			name = appendPrintable(append(name, '?'), l.query)
		}
		return cutName(name)
	}
	return cutName(appendShape(name, l.path))
}

func cutName(name []byte) []byte { return name[:min(len(name), maxRequestName)] }

// appendMethod adds a method of HTTP.
func appendMethod(name []byte, method string) []byte {
	for i := 0; i < len(method); i++ {
		if method[i] < 'A' || method[i] > 'Z' {
			method = ""
		}
	}
	if method == "" || len(method) > maxMethod {
		method = "OTHER"
	}
	return append(name, method...)
}

// appendHost adds a host without its port.
func appendHost(name []byte, host string) []byte {
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	return appendPrintable(name, host)
}

// appendPrintable adds a text, without what is not printable ASCII, as far as names go.
func appendPrintable(name []byte, text string) []byte {
	for i := 0; i < len(text) && len(name) < maxRequestName; i++ {
		c := text[i]
		if c <= ' ' && c != ' ' || c > '~' {
			c = '?'
		}
		name = append(name, c)
	}
	return name
}

// appendShape adds a path with {id} in place of the segments that look like ids.
func appendShape(name []byte, path string) []byte {
	if path == "" {
		path = "/"
	}
	path, isAbsolute := strings.CutPrefix(path, "/")
	for n := 0; len(name) < maxRequestName; n++ {
		if n == maxPathSegments {
			return append(name, "/…"...)
		}
		segment, rest, more := strings.Cut(path, "/")
		if isAbsolute || n > 0 {
			name = append(name, '/')
		}
		if isIdentifier(segment) {
			name = append(name, "{id}"...)
		} else {
			name = append(name, segment...)
		}
		if !more {
			break
		}
		path = rest
	}
	return name
}

// isIdentifier reports whether a segment of a path looks like an id.
func isIdentifier(segment string) bool {
	if len(segment) > maxPathSegment {
		return true
	}
	digits, hexes := 0, 0
	for i := 0; i < len(segment); i++ {
		switch c := segment[i]; {
		case c <= ' ' || c > '~' || strings.IndexByte("%\"<>\\^`{|}", c) >= 0:
			return true
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hexes++
		}
	}
	isHex := digits+hexes == len(segment)
	return isHex && digits > 0 && (hexes == 0 || len(segment) >= 8)
}

// processKey identifies the process in the traces of others. It is never 0.
var processKey uint64

// appendIdentity adds by what other processes and the user name this one.
func (c *config) appendIdentity(b *strings.Builder) {
	b.WriteString(`,"process_key":"` + hex16(processKey) + `"`)
	if c.service != "" {
		b.WriteString(`,"service":` + quote(cut(c.service)))
	}
	if c.release != "" {
		b.WriteString(`,"release":` + quote(cut(c.release)))
	}
}

// newID returns 16 hexadecimal digits, not all zero, that no other request has.
func newID() string {
	for {
		if id := mix(idSeed + idCount.Add(1)*0x9e3779b97f4a7c15); id != 0 {
			return hex16(id)
		}
	}
}

func newTraceID() string { return newID() + newID() }

var (
	idSeed  uint64
	idCount atomic.Uint64
)

// mix is the output function of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
