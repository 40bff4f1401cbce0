//go:build trace && !plan9

package functrace

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// described returns the recorded text of a value.
func described(value any) string {
	variable := new(any)
	*variable = value
	var d description
	d.describe(variable)
	return string(d.bytes[:min(d.n, maxText)])
}

func TestTextsOfStandardLibraryErrorsEqualTheirErrorMethods(t *testing.T) {
	_, open := os.Open("/nonexistent")
	_, number := strconv.Atoi("x\"")
	_, control := strconv.Atoi("\a\b\t\n\v\f\r\x01\x7f\u00e4")
	_, scheme := http.Get("nonesuch://x")
	//lint:ignore SA1000 it is to fail
	_, expression := regexp.Compile("(")
	_, program := exec.LookPath("nonesuch")
	_, dial := net.Dial("tcp", "127.0.0.1:1")
	_, network := net.Dial("nonesuch", "x")
	_, escape := url.PathUnescape("%zz")
	_, coded := base64.StdEncoding.DecodeString("!")
	_, parsed := time.Parse(time.RFC3339, "x")
	expired, cancel := context.WithTimeout(context.Background(), 0)
	cancel()
	status := exec.Command("sh", "-c", "exit 3").Run()
	closed, _ := os.Open(os.DevNull)
	closed.Close()
	_, read := closed.Read(nil)
	for _, err := range []error{
		io.EOF, errors.New("\"a\"\n"), fmt.Errorf("no price: %w", io.EOF), fmt.Errorf("%w and %w", io.EOF, os.ErrExist),
		errors.Join(io.EOF, open), open, number, control, scheme, expression, program, dial, network, escape, coded, parsed,
		expired.Err(), context.Canceled, status, read, closed.Close(),
		json.Unmarshal([]byte("{"), new(int)), syscall.ENOENT,
		&os.LinkError{Op: "link", Old: "a", New: "b", Err: syscall.EPERM}, os.NewSyscallError("open", syscall.EINTR),
		&net.DNSError{Err: "no such host", Name: "x", Server: "y"}, &net.AddrError{Err: "bad", Addr: "x"},
		&net.AddrError{Err: "bad"}, &net.ParseError{Type: "IP address", Text: "x"}, net.ErrClosed, os.ErrDeadlineExceeded,
		&net.OpError{Op: "accept", Net: "tcp", Source: &net.TCPAddr{IP: net.ParseIP("::1"), Port: 1}, Addr: &net.TCPAddr{IP: net.ParseIP("1.2.3.4"), Port: 2}, Err: net.ErrClosed},
		&net.OpError{Op: "read", Net: "unix", Source: &net.UnixAddr{Name: "@x"}, Err: io.EOF},
		&net.OpError{Op: "x", Err: io.EOF},
		&http.MaxBytesError{Limit: 1}, http.ErrNotSupported, tls.RecordHeaderError{Msg: "x"},
		&fs.PathError{Op: "a", Path: "b", Err: &fs.PathError{Op: "c", Path: "d", Err: fs.ErrNotExist}},
	} {
		if want := err.Error(); described(err) != want {
			t.Errorf("%T:\n%s\nwant:\n%s", err, described(err), want)
		}
	}
}

func TestAddressesAreFormattedAsInPackageNet(t *testing.T) {
	for _, text := range []string{"::", "::1", "1::", "1:0:0:2::3", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8", "1:0:2:3:4:5:6:7",
		"10.0.0.1", "::ffff:1.2.3.4", "fe80::1", "0:0:1::", "1:2:3:4:5:6::"} {
		ip := net.ParseIP(text)
		for _, address := range []net.Addr{&net.TCPAddr{IP: ip, Port: 80}, &net.IPAddr{IP: ip}, &net.UDPAddr{Port: 7}} {
			if got := described(address); got != address.String() {
				t.Errorf("%s, not %s", got, address)
			}
		}
	}
	for _, zone := range []string{"", "eth0"} {
		for _, ip := range []net.IP{net.ParseIP("fe80::1"), net.ParseIP("10.0.0.1"), nil} {
			for _, address := range []net.Addr{
				&net.TCPAddr{IP: ip, Port: 80, Zone: zone}, &net.UDPAddr{IP: ip, Port: 80, Zone: zone}, &net.IPAddr{IP: ip, Zone: zone},
			} {
				if got := described(address); got != address.String() {
					t.Errorf("%s, not %s", got, address)
				}
			}
		}
	}
}

func TestTextsOfGoRuntimeErrorsEqualTheirErrorMethods(t *testing.T) {
	var noMap map[string]int
	var nothing any
	var pointer *int
	for _, fail := range []func(){
		func() { noMap["x"] = 1 },
		func() { _ = nothing.(fmt.Stringer) },
		func() { nothing = 1; _ = nothing.(string) },
		func() { nothing = []int{}; _ = map[any]int{nothing: 1} },
		func() { _ = []int{}[len(noMap)] },
		func() { _ = make([]int, 2)[len(noMap)+3 : 1+len(noMap)] },
		func() { *pointer = 1 },
		func() { _ = 1 / len(noMap) },
		func() { close((chan int)(nil)) },
		func() { panic(nil) },
	} {
		func() {
			defer func() {
				err := recover().(error)
				if got := described(err); got != err.Error() {
					t.Errorf("%s, not %s", got, err)
				}
			}()
			fail()
		}()
	}
}

// The errors below fail the test when one of their methods is called.
type untouchable struct{}

func (untouchable) Error() string  { panic("Error is called") }
func (untouchable) String() string { panic("String is called") }

type (
	message string
	code    int
	flags   uint8
	ratio   float32
	list    []error
	byName  map[string]error
	fixed   [2]string
	hook    func()
	channel chan int
	one     struct {
		untouchable
		Field *one
	}
	notFound struct {
		Code  int
		Msg   string
		Err   error
		small int8
		Wait  time.Duration
		Hard  bool
	}
	holder struct {
		untouchable
		Any      any
		Stringer fmt.Stringer
		Store    *strings.Builder
		Name     *string
		Bytes    []byte
		Names    []string
		Map      map[int]bool
		Errno    syscall.Errno
		Password string
		_        int
		//lint:ignore U1000 it is read from memory
		inner struct{ X, Y int }
	}
	generic[T any] struct{ Value T }
)

func (message) Error() string    { panic("Error is called") }
func (code) Error() string       { panic("Error is called") }
func (flags) Error() string      { panic("Error is called") }
func (ratio) Error() string      { panic("Error is called") }
func (list) Error() string       { panic("Error is called") }
func (byName) Error() string     { panic("Error is called") }
func (fixed) Error() string      { panic("Error is called") }
func (hook) Error() string       { panic("Error is called") }
func (channel) Error() string    { panic("Error is called") }
func (*notFound) Error() string  { panic("Error is called") }
func (generic[T]) Error() string { panic("Error is called") }

func TestProgramErrorsAreDescribedByTheirFields(t *testing.T) {
	name := "n"
	cycle := &one{}
	cycle.Field = cycle
	missing := &notFound{Code: 404, Msg: "no item \"13\"", Err: io.EOF, small: -1, Wait: time.Second, Hard: true}
	for _, c := range []struct {
		err  any
		want string
	}{
		{untouchable{}, `functrace.untouchable{}`},
		{&untouchable{}, `&functrace.untouchable{}`},
		{(*notFound)(nil), `(*functrace.notFound)(nil)`},
		{missing, `&functrace.notFound{Code: 404, Msg: "no item \"13\"", Err: "EOF", small: -1, Wait: 1s, Hard: true}`},
		{message("a b"), `functrace.message("a b")`},
		{code(7), `functrace.code(7)`},
		{flags(200), `functrace.flags(200)`},
		{ratio(0.5), `functrace.ratio(0.5)`},
		{list{io.EOF, nil, message("x")}, `functrace.list[3]{"EOF", nil, functrace.message("x")}`},
		{list{io.EOF, io.EOF, io.EOF, io.EOF, io.EOF}, `functrace.list[5]{"EOF", "EOF", "EOF", "EOF", …}`},
		{list(nil), `functrace.list[0]`},
		{byName{"a": nil}, `functrace.byName[1]`},
		{byName(nil), `functrace.byName[0]`},
		{fixed{"a", "b"}, `functrace.fixed[2]{"a", "b"}`},
		{hook(nil), `functrace.hook(nil)`},
		{list{hook(nil)}, `functrace.list[1]{functrace.hook(nil)}`},
		{make(channel), `functrace.channel`},
		{generic[int]{3}, `functrace.generic[int]{Value: 3}`},
		{fmt.Errorf("a: %w", io.EOF), `a: EOF`},
		{&fs.PathError{Op: "open", Path: "x", Err: message("no")}, `open x: functrace.message("no")`},
		{errors.Join(io.EOF, missing.Err, code(1)), "EOF\nEOF\nfunctrace.code(1)"},
		{&url.Error{Op: "Get", URL: "u", Err: (*notFound)(nil)}, `Get "u": (*functrace.notFound)(nil)`},
		{&holder{Any: 3, Stringer: untouchable{}, Name: &name, Bytes: []byte("x"), Names: []string{"a"}, Map: map[int]bool{1: true}, Errno: syscall.EPERM, Password: "p"},
			`&functrace.holder{untouchable: {}, Any: 3, Stringer: functrace.untouchable{}, Store: nil, Name: &"n", Bytes: [1], Names: [1]{"a"}, Map: [1], Errno: "operation not permitted", Password: …, inner: {X:`},
		{cycle, strings.Repeat("&functrace.one{untouchable: {}, Field: ", 3) + "&functrace.one{untouchable: …, Field: …}}}}"},
		// What panics are about.
		{"oops", "oops"},
		{42, "42"},
		{true, "true"},
		{[]int{1, 2}, "[2]{1, 2}"},
		{nil, ""},
		{struct{ A int }{1}, "struct { A int }{A: 1}"},
	} {
		if got := described(c.err); got != c.want {
			t.Errorf("%T:\n%s\nwant:\n%s", c.err, got, c.want)
		}
	}
}

// While another goroutine writes, what an interface or a string consists of may not match. Two
// words of this variable are replaced, as if that happened, by what would be a fault to follow.
func TestMismatchedWordsAreHarmless(t *testing.T) {
	type mutable struct {
		untouchable
		err   error
		any   any
		text  string
		items []error
	}
	for _, garbage := range []uintptr{0, 1, 1 << 20, 0xdead << (8*wordSize - 24), 1 << (8*wordSize - 1), ^uintptr(0)} {
		var other [16]uintptr
		for i := range other {
			other[i] = garbage
		}
		m := &mutable{err: &fs.PathError{}, any: &fs.PathError{}, text: "x", items: []error{io.EOF}}
		describe := func() {
			if got := described(m); !strings.HasPrefix(got, "&functrace.mutable{untouchable: {}, err: ") {
				t.Error(got)
			}
		}
		wordsOfInterface(&m.err)[1] = addressOf(&other)
		wordsOfInterface(&m.any)[1] = addressOf(&other)
		describe()
		m.err, m.any = list{}, notFound{Err: io.EOF}
		wordsOfInterface(&m.err)[1] = addressOf(&other)
		wordsOfInterface(&m.any)[1] = addressOf(&other)
		describe()
		m.err, m.any = &one{}, nil
		wordsOfInterface(&m.err)[1] = addressOf(&other)
		wordsOfInterface(&m.text)[1] = garbage
		*(*[2]uintptr)(unsafe.Pointer(&m.items)) = [2]uintptr{addressOf(&other), garbage}
		describe()
		runtime.KeepAlive(&other)
	}
}
