//go:build trace

package functrace

import (
	"strings"
	"testing"
)

func TestNamesOfRequests(t *testing.T) {
	for _, c := range []struct{ method, host, path, want string }{
		{"GET", "", "/", "GET /"},
		{"GET", "", "", "GET /"},
		{"POST", "payments:8080", "/pay", "POST payments/pay"},
		{"GET", "[::1]:80", "/a", "GET [::1]/a"},
		{"GET", "[::1]", "/a", "GET [::1]/a"},
		{"GET", "", "/users/17/orders/00000000-0000-4000-8000-000000000000", "GET /users/{id}/orders/{id}"},
		{"GET", "", "/blob/deadbeef1", "GET /blob/{id}"},
		{"GET", "", "/blob/deadbeef", "GET /blob/deadbeef"},
		{"GET", "", "/v1/a1b2", "GET /v1/a1b2"},
		{"GET", "", "/" + strings.Repeat("x", 33), "GET /{id}"},
		{"GET", "", "/a%2Fb/ä/a b/c", "GET /{id}/{id}/{id}/c"},
		{"GET", "", "/1/2/3/4/5/6/7/8", "GET /{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}"},
		{"GET", "", "/1/2/3/4/5/6/7/8/9", "GET /{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/…"},
		{"GET", "", "/a//b/", "GET /a//b/"},
		{"OPTIONS", "", "*", "OPTIONS *"},
		{"get", "", "/", "OTHER /"},
		{"AVERYLONGMETHODOFHTTP", "", "/", "OTHER /"},
		{"GET", "ev\x1bil\n", "/", "GET ev?il?/"},
	} {
		kind := requestKind{inbound, HTTP}
		if c.host != "" {
			kind.direction = outbound
		}
		line := requestLine{HTTP, c.method, c.host, c.path, "q=secret"}
		if got := string(line.appendName(nil, kind)); got != c.want {
			t.Errorf("%q is named %q, not %q", c.path, got, c.want)
		}
	}
	line := requestLine{protocol: GRPC, path: "/store.Store/Get"}
	if got := string(line.appendName(nil, requestKind{outbound, GRPC})); got != "grpc store.Store/Get" {
		t.Error(got)
	}
}

func TestFullNamesOfRequests(t *testing.T) {
	settings.fullURLs = true
	defer func() { settings.fullURLs = false }()
	line := requestLine{HTTP, "GET", "", "/users/17", "q=1"}
	if got := string(line.appendName(nil, requestKind{inbound, HTTP})); got != "GET /users/17?q=1" {
		t.Error(got)
	}
}

func FuzzNamesOfRequests(f *testing.F) {
	f.Add("GET", "a:80", "/a/1")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, method, host, path string) {
		line := requestLine{HTTP, method, host, path, ""}
		name := string(line.appendName(nil, requestKind{outbound, HTTP}))
		if len(name) > maxRequestName || !strings.Contains(name, " ") {
			t.Errorf("%q", name)
		}
		for _, c := range strings.ReplaceAll(name, "…", "") {
			if (c < ' ' || c > '~') && len(name) < maxRequestName {
				t.Errorf("%q", name)
			}
		}
	})
}
