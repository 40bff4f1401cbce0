# Every target sets up what it needs: a virtual environment in .venv, Go
# toolchains in build/go where PATH has none that will do.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DOCS   := $(VENV)/.docs
# The oldest Go that is supported and the newest, and one between.
ENDS   := 1.21.13 1.27.3
MIDDLE := 1.24.11
GOS    := $(ENDS) $(MIDDLE)

export GOTOOLCHAIN := local
export GOFLAGS     ?= -buildvcs=false

# Runs a command with the virtual environment and a Go on PATH.
WITH_GO = PATH="$(CURDIR)/$(BIN):$$($(BIN)/python tools/toolchain.py):$$PATH"

.PHONY: demo test test-all lint lint-all toolchains test-go test-go-all test-python test-python-all \
	docs wheel web test-debian conformance fuzz fuzz-traces fuzz-reader soak soak-ring bench pictures golden clean

demo: $(READY)
	@$(WITH_GO) sh examples/demo.sh

# What a change needs: one Go, one Python, no race builds. Go's tests wait more than they compute:
# both at a time.
test: lint
	@$(MAKE) --no-print-directory --jobs=2 test-go test-python

# The rest, and nothing twice: the ends of Go and Python, race builds, large sources, programs of
# others.
test-all: lint-all docs
	@$(MAKE) --no-print-directory --jobs=2 test-go-all test-python-all
	@$(MAKE) --no-print-directory fuzz-reader SECONDS=40
	@$(MAKE) --no-print-directory test-debian

$(READY): pyproject.toml setup.py $(wildcard functrace/_native/*/*.[ch]) | build
	@echo "setting up a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --editable . --group test --group lint > build/setup.log 2>&1 || \
		{ cat build/setup.log; exit 1; }
	@touch $(READY)

lint: $(READY) | build
	@echo "lint: ruff, mypy, import contracts, C"
	@$(BIN)/python tools/lint_c.py
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > build/imports.log 2>&1 || { cat build/imports.log; exit 1; }
	@$(WITH_GO) sh tools/lint-go.sh
	@$(WITH_GO) sh tools/lint-workflows.sh

lint-all: $(READY) | build
	@$(WITH_GO) sh tools/lint-go.sh --all
	@sh tools/lint-web.sh

# The site in build/site, with every link checked. Requires Python 3.11 or newer.
docs: $(DOCS)
	@$(BIN)/python tools/docs.py

$(DOCS): $(READY) pyproject.toml
	@$(BIN)/python -m pip install --quiet --group docs
	@touch $(DOCS)

# The newest Python in a chroot of Debian testing, where it can be had.
test-debian: | build
	@sh tools/test-debian.sh $(TESTS)

# An sdist and a wheel in build/dist, the wheel with the manylinux tag of this system.
wheel: $(READY)
	@$(BIN)/python tools/wheel.py

# The files of the viewer's page, which are committed: only whoever changes them requires Node.
web:
	@sh tools/web.sh

toolchains: $(READY)
	@$(BIN)/python tools/toolchain.py $(GOS) > /dev/null

test-go: $(READY)
	@$(WITH_GO) sh tools/test-go.sh

test-go-all: toolchains
	@for bin in $$($(BIN)/python tools/toolchain.py $(GOS)); do \
		PATH="$$bin:$$PATH" sh tools/test-go.sh || exit 1; \
	done
	@for bin in $$($(BIN)/python tools/toolchain.py $(ENDS)); do \
		PATH="$$bin:$$PATH" sh tools/test-go.sh --race || exit 1; \
	done

# TESTS: folders, files or tests, instead of all; MARKED: other tests than pyproject.toml chooses.
test-python: $(READY)
	@echo "pytest"
	@$(WITH_GO) $(BIN)/python -m pytest -q -n auto --dist worksteal $(if $(MARKED),-m "$(MARKED)") $(TESTS)

test-python-all: toolchains
	@$(MAKE) --no-print-directory test-python MARKED="slow or versions"

# More of the Go distribution's packages, more of Python's library, and more Pythons than make
# test-all has time for.
conformance: toolchains
	@FUNCTRACE_CONFORMANCE=all $(MAKE) --no-print-directory test-python \
		MARKED="slow or not slow" TESTS="tests/conformance tests/python_rewriter/test_stdlib.py tests/cli/test_python_out.py \
		tests/python_runtime tests/python_run tests/rewriter/test_census.py"

# Property tests with new examples each time, until one fails.
fuzz: $(READY)
	@while $(BIN)/python -m pytest -q -n auto -m hypothesis --hypothesis-profile=search $(TESTS); do :; done

# 500 kills of recorded programs, whose own count of their calls is compared with the trace; make test
# has 20. Then the six faults of examples/faults, which need a machine without other load.
soak: export FUNCTRACE_TEST_KILLS = 50
soak: export FUNCTRACE_TEST_FAULTS = 1
soak: $(READY)
	@$(WITH_GO) sh -c 'cd runtime_go && go test -tags trace -count=1 -timeout=1h -run CallsBeforeAKill .'
	@$(WITH_GO) $(BIN)/python -m pytest -q -m "slow or not slow" tests/python_runtime/test_kills.py tests/watch/test_faults.py

# An hour of a ring with 20,000 goroutines, whose own count of their calls is compared with the ring.
soak-ring: $(READY)
	@$(WITH_GO) $(BIN)/python benchmarks/hour.py

# All verbs and exports over mutated traces; a fault leaves its trace in build/.
SECONDS ?= 60
SEED    ?= 1
fuzz-traces: $(READY) | build
	@$(BIN)/python -m tests.cli.fuzz $(SECONDS) $(SEED)

# The C reader, built with sanitizers, over mutated traces: whole ones against the reference
# implementation, and ones that grow. A fault leaves its trace in build/.
SANITIZED := build/_reader.so
fuzz-reader: $(READY) | build
	@echo "fuzz-reader: $(SECONDS) s"
	@cc -g -O1 -std=c99 -fsanitize=address,undefined -fno-sanitize-recover=all -shared -fPIC \
		-DPy_LIMITED_API=0x030A0000 -o $(SANITIZED) functrace/_native/reader/*.c \
		-I"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')"
	@ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$$(cc -print-file-name=libasan.so)" \
		$(BIN)/python -m tests.tracefile.fuzz $(SECONDS) $(SEED) $(SANITIZED)

# PROGRAMS: folders of main packages, of any size, to build with and without functrace.
bench: $(READY)
	@$(WITH_GO) $(BIN)/python benchmarks/run.py $(PROGRAMS)

# Wants graphviz, Chromium and npm.
pictures: $(READY)
	@$(WITH_GO) $(BIN)/python tools/pictures.py

golden: $(READY)
	@$(WITH_GO) $(BIN)/python -m pytest -q tests/rewriter/test_golden.py tests/python_rewriter/test_golden.py --golden

build:
	@mkdir -p $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
