# The Go runtime's tests with the go on PATH, off and traced; with --race under the race detector
# instead, traced, also on public interfaces alone.
set -eu
cd runtime_go
if [ "${1:-}" = --race ]; then
	echo "go test -race on $(go env GOVERSION)"
	for tags in trace trace,functrace_safe; do
		CGO_ENABLED=1 go test -race -tags "$tags" ./...
	done
	exit
fi
echo "go test on $(go env GOVERSION)"
go test ./...
traced=$(go test -tags trace ./...) || { echo "$traced"; exit 1; }
echo "$traced" | grep -v '^g\['
if (cd otlp && go mod download) 2>/dev/null; then
	(cd otlp && go test ./...)
else
	echo "go test: the sender skipped, the Go module proxy does not answer"
fi
