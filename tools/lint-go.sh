# gofmt, vet and staticcheck over the Go that is ours, with the go on PATH.
set -eu
echo "lint: gofmt, go vet on $(go env GOVERSION)"
unformatted=$(gofmt -l runtime_go examples benchmarks)
if [ -n "$unformatted" ]; then
	echo "not gofmt-clean: $unformatted"
	exit 1
fi
tools=$PWD/build/bin
if [ ! -x "$tools/staticcheck" ] && ! GOBIN="$tools" go install honnef.co/go/tools/cmd/staticcheck@latest >build/staticcheck.log 2>&1; then
	echo "lint: staticcheck skipped, the Go module proxy does not answer"
fi
cd runtime_go
for tags in "" trace trace,functrace_safe; do
	go vet -tags "$tags" ./...
	if [ -x "$tools/staticcheck" ]; then "$tools/staticcheck" -tags "$tags" ./...; fi
done
if (cd otlp && go mod download) 2>/dev/null; then
	(
		cd otlp
		go vet ./...
		if [ -x "$tools/staticcheck" ]; then "$tools/staticcheck" ./...; fi
		for target in darwin/arm64 windows/amd64; do
			GOOS=${target%/*} GOARCH=${target#*/} go build -o /dev/null .
		done
	)
else
	echo "lint: the sender skipped, the Go module proxy does not answer"
fi
for target in linux/arm64 linux/386 darwin/arm64 windows/amd64 freebsd/amd64 plan9/amd64 js/wasm wasip1/wasm; do
	GOOS=${target%/*} GOARCH=${target#*/} go vet -tags trace .
done
