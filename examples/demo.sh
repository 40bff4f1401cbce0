# What `make demo` shows: real programs, from instrumenting to call chains.
# Works on copies below build/demo; the examples themselves stay as they are.
set -eu
root=$PWD
work=$root/build/demo
rm -rf "$work"
mkdir -p "$work"
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

say "1. Recorded under load, killed, asked"
cd examples/http
run functrace go build -o "$work/shop" .
echo '$ functrace record -o shop.ftrace -- ./shop load    # for two seconds, then SIGKILL'
cd "$work"
functrace record -q -o shop.ftrace -- timeout -s KILL 2 ./shop load || true
echo
echo "What went wrong? The first page of an investigation:"
run functrace triage shop.ftrace
echo
echo "Look at Failing: the calls of store.check that failed, their share and their error text, below them the call chain."
echo "Look at Not returned by the caller: main.price failed, main.invoice did not pass the error on."
echo "The last line of each finding is the command that shows more. The first one, for the caller store.Get:"
run functrace callers --errors store.Get shop.ftrace
cd "$root"

say "2. A Python program, across tasks and threads"
cd examples/orders
echo '$ functrace run --record -o orders.ftrace app.py load    # for some seconds, then SIGKILL'
timeout -s KILL 5 functrace run -q --record -o "$work/orders.ftrace" app.py load || true
cd "$work"
echo
echo "stock.check fails now and then. Which call chain was it?"
run functrace callers --errors stock.check orders.ftrace
cd "$root"

say "3. //go:generate: instrumented in place, printed, taken out again"
cp -R examples/gen-demo "$work/gen-demo"
cd "$work/gen-demo"
run functrace runtime add
run go generate ./...
run sed -n 9,22p main.go
run go run -tags trace .
run functrace strip -w .
run functrace runtime remove
cmp main.go "$root/examples/gen-demo/main.go" && echo "main.go is what it was, byte for byte"

say "4. A tree for a build, as CI makes it"
cd "$root"
run functrace inject --out "$work/traced" examples/http
cd "$work/traced"
run go build -tags trace -o shop .
echo '$ FUNCTRACE_OUT=chains.txt ./shop && head -n 4 chains.txt'
FUNCTRACE_OUT=chains.txt ./shop
head -n 4 chains.txt

say "5. A watcher saves a bundle when a failure rate rises"
cd "$root"
echo '$ functrace watch --out bundles    # some seconds later, payments begin to fail in one call chain'
python examples/faults/run.py --out "$work/bundles" --services shop --faults decline --quiet 12 --rest 0
echo
cat "$work"/bundles/shop-*-failure-rate/triage.txt | head -n 8

say "6. In the browser"
echo "The recordings of parts 1 and 2 on a page, until Ctrl-C:"
echo "\$ .venv/bin/functrace view build/demo/shop.ftrace build/demo/orders.ftrace"
