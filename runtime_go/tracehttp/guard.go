package tracehttp

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// An Option configures which requests the handler accepts.
type Option func(*guard)

// Token accepts only requests with the header "Authorization: Bearer token", for any host name.
// An empty token rejects all requests.
func Token(token string) Option {
	return func(g *guard) { g.token, g.requiresToken = token, true }
}

// Hosts accepts requests for these hosts, in addition to localhost, the machine's own name and IP
// addresses. Ports are ignored.
func Hosts(names ...string) Option {
	return func(g *guard) {
		for _, name := range names {
			g.hosts = append(g.hosts, strings.ToLower(name))
		}
	}
}

// A guard rejects requests that a web page of another site makes a browser send. Such a page does
// not have the token; without a token, the origin or the host in the request reveals it.
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

// refusal returns the status and the reason if a request is rejected; 0 if it is accepted.
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

// isAllowedHost reports whether a request may name that host. It rejects pages whose host name
// resolves to this machine (DNS rebinding): they cannot choose an IP address as their name.
func (g *guard) isAllowedHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if net.ParseIP(host) != nil {
		return true
	}
	for _, allowed := range g.hosts {
		if host == allowed {
			return true
		}
	}
	return false
}

// isSameOrigin reports whether the request has no header that marks it as coming from another
// site. See the Origin header in the Fetch standard and the W3C's Fetch Metadata.
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
