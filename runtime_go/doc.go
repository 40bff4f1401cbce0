// functrace:runtime 0.1.0

// Package functrace prints or records the call chains of a running program.
//
// Begin every function that should be traced with
//
//	defer functrace.Trace()()
//
// and build with the tag trace:
//
//	go build -tags trace
//
// Each call is printed at its entry and its exit, with the id of
// its goroutine, indented by its depth:
//
//	g[01]:	->main.main
//	g[01]:		->main.load
//	g[01]:		<-main.load
//	g[01]:	<-main.main
//
// Without the tag, Trace does nothing, is inlined and costs about as much as
// the defer. The command functrace adds and removes these calls and
// reads the recordings.
//
// Environment variables configure a traced program at its start:
//
//	FUNCTRACE              text (the default) prints, record writes a trace file,
//	                       ring keeps the latest calls in memory (docs/ring.md),
//	                       otlp sends calls to an OpenTelemetry collector, off does nothing
//	FUNCTRACE_OUT          text: stdout (the default), stderr, or a path, which is
//	                       appended to. record: a path, functrace-%p.ftrace by default.
//	                       %p is the process id, %% a percent sign
//	FUNCTRACE_MAX_SIZE     maximum size of a file, such as 500M; 1G by default.
//	                       ring, and otlp for the calls not sent yet: 64M by default
//	FUNCTRACE_FULL         when a trace is full: stop (the default), or overwrite the
//	                       oldest calls
//	FUNCTRACE_RING_DIR     the folder of rings, /dev/shm/functrace-UID by default
//	FUNCTRACE_RING_KEEP    how many rings of programs that have ended are kept; 16 by default
//	FUNCTRACE_RING_KEEP_SIZE
//	                       maximum size of all of them; 1G by default
//	FUNCTRACE_DEPTH        calls deeper than this many levels are left out
//	FUNCTRACE_MIN_DURATION calls shorter than this, such as 50us, are not recorded
//	FUNCTRACE_CLOCK        clock of a recording: counter (the default), the
//	                       processor's counter if it is reliable, or system, the system's clock
//	FUNCTRACE_ERROR_TEXT   text of errors in a recording: fields (the default) reads it from
//	                       memory, call calls its Error method
//	FUNCTRACE_INCLUDE      only functions that match one of these globs, separated by commas:
//	                       Get, store.Get, store.*
//	FUNCTRACE_EXCLUDE      no function that matches one of these globs
//	FUNCTRACE_PROPAGATE    trace headers of requests: observe (the default) reads them, forward
//	                       sends them on, span sends ids of its own, off records no requests
//	FUNCTRACE_REQUEST_URLS names of requests: shape (the default) has {id} for what looks like an
//	                       id and no query, full has path and query
//	FUNCTRACE_SERVICE      name of the service; by default OTEL_SERVICE_NAME, or service.name in
//	                       OTEL_RESOURCE_ATTRIBUTES
//	FUNCTRACE_RELEASE      release of the program; by default service.version there
//	FUNCTRACE_SIGNAL       USR1 or USR2: this signal stops tracing, or starts it
//
// With otlp the program records to a temporary file, which another process follows: the
// command functrace-otlp. functrace go build --otlp embeds it in the program; other programs
// search for it on PATH.
//
// An invalid setting, or an output that cannot be written, is reported
// once on standard error; the program runs on untraced.
//
// The tag functrace_safe selects an implementation that uses only public interfaces of the
// Go runtime, which is slower. It is also used if the fast
// implementation disagrees with it, which is checked at every start.
package functrace
