// functrace:runtime 0.1.0

// Package functrace prints or records the call chains of a running program.
//
// Begin every function that is to be seen with
//
//	defer functrace.Trace()()
//
// and build with the tag trace:
//
//	go build -tags trace
//
// Each call is printed when it is entered and when it is left, under the id of
// its goroutine and indented by its depth:
//
//	g[01]:	->main.main
//	g[01]:		->main.load
//	g[01]:		<-main.load
//	g[01]:	<-main.main
//
// Without the tag, Trace does nothing, is inlined and costs about as much as
// the defer. The command functrace puts the calls in, takes them out again, and
// reads what was recorded.
//
// The environment decides at start what a traced program does:
//
//	FUNCTRACE              text (the default) prints, record writes a trace file,
//	                       otlp sends calls to an OpenTelemetry collector, off does nothing
//	FUNCTRACE_OUT          text: stdout (the default), stderr, or a path, which is
//	                       appended to. record: a path, functrace-%p.ftrace by default.
//	                       %p is the process id, %% a percent sign
//	FUNCTRACE_MAX_SIZE     the most bytes that a file gets, such as 500M; 1G by default.
//	                       otlp: of calls that wait to be sent, 64M by default
//	FUNCTRACE_FULL         a trace that is full: stop (the default), or overwrite the
//	                       oldest calls
//	FUNCTRACE_DEPTH        calls deeper than this many levels are left out
//	FUNCTRACE_MIN_DURATION calls shorter than this, such as 50us, are not recorded
//	FUNCTRACE_CLOCK        what the times of a recording come from: counter (the default), the
//	                       processor's where it can be relied on, or system, the system's clock
//	FUNCTRACE_ERROR_TEXT   the text of an error in a recording: fields (the default) reads it from
//	                       memory, call calls its Error method
//	FUNCTRACE_INCLUDE      only functions whose full name one of these globs
//	                       matches; separated by commas, * stands for anything
//	FUNCTRACE_EXCLUDE      no function whose full name one of these matches
//	FUNCTRACE_SIGNAL       USR1 or USR2: such a signal stops tracing, or starts it
//
// With otlp the program records into a temporary file, which another process follows: the
// command functrace-otlp, which a program carries that functrace go build --otlp has made, and
// which is looked for on PATH by others.
//
// A setting that makes no sense, or an output that cannot be written, is said
// once on standard error; the program runs on untraced.
//
// The tag functrace_safe selects an implementation on public interfaces of the
// Go runtime alone, which is slower. It is also what is used wherever the fast
// one does not agree with it, which is checked at every start.
package functrace
