// functrace:runtime 0.1.0

// Package tracehttp lets a running program's call chains be recorded over HTTP, as
// net/http/pprof does for profiles. Nothing is served before the program mounts it:
//
//	http.Handle("/debug/functrace/", tracehttp.Handler())
//
// and used with a POST, as curl -X POST -o shop.ftrace localhost:8080/debug/functrace/trace?seconds=5
// sends it.
//
// Whoever can reach it can read what the program does: mount it where only you can, or give it a Token.
package tracehttp
