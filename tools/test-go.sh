# The Go runtime's tests with the go on PATH: off, traced, and unless --no-race is
# given, under the race detector, also on public interfaces alone.
set -eu
cd runtime_go
echo "go test on $(go env GOVERSION)"
go test ./...
go test -tags trace ./... | grep -v '^g\['
[ "${1:-}" = --no-race ] && exit
for tags in trace trace,functrace_safe; do
	CGO_ENABLED=1 go test -race -tags "$tags" ./...
done
