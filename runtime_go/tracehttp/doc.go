// functrace:runtime 0.1.0

// Package tracehttp records the call chains of a running program over HTTP, as
// net/http/pprof does for profiles. The program has to mount its handler:
//
//	http.Handle("/debug/functrace/", tracehttp.Handler())
//
// Requests use POST:
//
//	curl -X POST -o shop.ftrace localhost:8080/debug/functrace/trace?seconds=5
//
// Anyone who can reach the handler can read what the program does: mount it on a private address,
// or require a Token.
package tracehttp
