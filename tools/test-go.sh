# The Go runtime's tests with the go on PATH: off, traced, and unless --no-race is
# given, under the race detector, also on public interfaces alone.
set -eu
cd runtime_go
echo "go test on $(go env GOVERSION)"
go test ./...
traced=$(go test -tags trace ./...) || { echo "$traced"; exit 1; }
echo "$traced" | grep -v '^g\['
if (cd otlp && go mod download) 2>/dev/null; then
	(cd otlp && go test ./...)
else
	echo "go test: the sender skipped, the Go module proxy does not answer"
fi
[ "${1:-}" = --no-race ] && exit
for tags in trace trace,functrace_safe; do
	CGO_ENABLED=1 go test -race -tags "$tags" ./...
done
