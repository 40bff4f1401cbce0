# The Go runtime's tests with the go on PATH: off, traced, traced on public
# interfaces alone, and both under the race detector.
set -eu
cd runtime_go
echo "go test on $(go env GOVERSION)"
go test ./...
go test -tags trace ./... | grep -v '^g\['
for tags in trace trace,functrace_safe; do
	CGO_ENABLED=1 go test -race -tags "$tags" ./...
done
