package main

import (
	"context"
	"net"
	"os"
	"strings"
)

// dial connects to a service by its name, as a cluster's DNS would let it.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, resolve(address))
}

func resolve(address string) string {
	name, _, _ := net.SplitHostPort(address)
	for _, host := range strings.Split(os.Getenv("MESH_HOSTS"), ",") {
		if known, found, _ := strings.Cut(host, "="); known == name {
			return found
		}
	}
	return address
}
