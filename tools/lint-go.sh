# gofmt and vet over the Go that is ours, with the go on PATH; with --all instead what takes
# longer: staticcheck, and vet for other systems.
set -eu
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
tools=$PWD/build/bin

# with_each_tag COMMAND...: on the sources as each set of build tags chooses them
with_each_tag() {
	for tags in "" trace trace,functrace_safe; do "$@" -tags "$tags" ./...; done
}

has_modules() {
	(cd otlp && go mod download) 2>/dev/null || {
		echo "lint: the sender skipped, the Go module proxy does not answer"
		false
	}
}

lint() {
	echo "lint: gofmt, go vet on $(go env GOVERSION)"
	unformatted=$(gofmt -l runtime_go examples benchmarks)
	if [ -n "$unformatted" ]; then
		echo "not gofmt-clean: $unformatted"
		exit 1
	fi
	cd runtime_go
	with_each_tag go vet
	if has_modules; then (cd otlp && go vet ./...); fi
}

lint_all() {
	echo "lint: staticcheck, go vet for other systems on $(go env GOVERSION)"
	cd runtime_go
	if GOBIN="$tools" go install "$staticcheck" >../build/staticcheck.log 2>&1; then
		with_each_tag "$tools/staticcheck"
	else
		echo "lint: staticcheck skipped, the Go module proxy does not answer, or this Go is too old"
	fi
	for target in linux/arm64 linux/386 darwin/arm64 windows/amd64 freebsd/amd64 plan9/amd64 js/wasm wasip1/wasm; do
		GOOS=${target%/*} GOARCH=${target#*/} go vet -tags trace .
	done
	if has_modules; then lint_sender; fi
}

lint_sender() (
	cd otlp
	if [ -x "$tools/staticcheck" ]; then "$tools/staticcheck" ./...; fi
	for target in darwin/arm64 windows/amd64; do
		GOOS=${target%/*} GOARCH=${target#*/} go build -o /dev/null .
	done
)

if [ "${1:-}" = --all ]; then lint_all; else lint; fi
