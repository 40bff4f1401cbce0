package tracehttp

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// An Option changes who may use the handler.
type Option func(*guard)

// Token lets only requests with the header "Authorization: Bearer token" through, whatever host they
// name. An empty token lets none through.
func Token(token string) Option {
	return func(g *guard) { g.token, g.requiresToken = token, true }
}

// Hosts lets requests through that name one of these hosts, besides localhost, the machine's own name
// and IP addresses. Ports are left out.
func Hosts(names ...string) Option {
	return func(g *guard) {
		for _, name := range names {
			g.hosts = append(g.hosts, strings.ToLower(name))
		}
	}
}

// A guard refuses requests that a web page elsewhere makes a browser send: it cannot send a POST with
// the token, and without one, its origin or the host that it names gives it away.
type guard struct {
	token         string
	requiresToken bool
	hosts         []string
}

func newGuard(options []Option) *guard {
	g := &guard{hosts: []string{"localhost"}}
	if name, err := os.Hostname(); err == nil {
		g.hosts = append(g.hosts, strings.ToLower(name))
	}
	for _, option := range options {
		option(g)
	}
	return g
}

// refusal returns why a request is refused, with its status; 0 if it is not.
func (g *guard) refusal(r *http.Request) (status int, why string) {
	switch {
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed, "use POST"
	case g.requiresToken:
		if !g.hasToken(r) {
			return http.StatusUnauthorized, "missing or wrong token; send Authorization: Bearer TOKEN"
		}
	case !g.isAllowedHost(r.Host):
		return http.StatusForbidden, "unknown host; name it in tracehttp.Hosts"
	case !isSameOrigin(r):
		return http.StatusForbidden, "cross-site request"
	}
	return 0, ""
}

func (g *guard) hasToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	isEqual := subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(g.token)) == 1
	return g.token != "" && strings.EqualFold(scheme, "Bearer") && isEqual
}

// knowsHost keeps away pages whose host's name resolves to this machine (DNS rebinding): they cannot
// choose an address as their name.
func (g *guard) isAllowedHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if net.ParseIP(host) != nil {
		return true
	}
	for _, known := range g.hosts {
		if host == known {
			return true
		}
	}
	return false
}

// isSameOrigin reports whether no browser says that the request comes from another site. See the Fetch
// standard's Origin header and the W3C's Fetch Metadata.
func isSameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	from, err := url.Parse(origin)
	return err == nil && strings.EqualFold(from.Host, r.Host)
}
