# What `make demo` shows: two real programs, from instrumenting to call chains.
# Works on copies below build/demo; the examples themselves stay as they are.
set -eu
root=$PWD
work=$root/build/demo
rm -rf "$work"
mkdir -p "$work"
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

say "1. functrace go: not one byte of the sources changes"
cd examples/http
echo '$ FUNCTRACE_OUT=chains.txt functrace go run .'
FUNCTRACE_OUT=$work/chains.txt functrace go run .
echo
echo "GET /invoice?id=13 failed. Which call chain was it?"
echo "$ grep -B8 -- '->main.fail' chains.txt"
grep -B8 -- '->main.fail' "$work/chains.txt"
echo
echo "price called store.Get, store.check found item 13 locked: /order never goes that way."
cd "$root"

say "2. //go:generate: instrumented in place, printed, taken out again"
cp -R examples/gen-demo "$work/gen-demo"
cd "$work/gen-demo"
run functrace runtime add
run go generate ./...
run sed -n 9,22p main.go
run go run -tags trace .
run functrace strip -w .
run functrace runtime remove
cmp main.go "$root/examples/gen-demo/main.go" && echo "main.go is what it was, byte for byte"

say "3. A tree for a build, as CI makes it"
cd "$root"
run functrace inject --out "$work/shop" examples/http
cd "$work/shop"
run go build -tags trace -o shop .
echo '$ FUNCTRACE_OUT=chains.txt ./shop && head -n 4 chains.txt'
FUNCTRACE_OUT=chains.txt ./shop
head -n 4 chains.txt
