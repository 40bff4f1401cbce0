//go:build trace && go1.21

package functrace

const version = "0.1.0"
