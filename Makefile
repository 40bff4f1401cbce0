# Every target sets up what it needs: a virtual environment in .venv, Go
# toolchains in build/go where PATH has none that will do.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# The oldest Go that is supported and the newest, and one between.
ENDS   := 1.21.13 1.27.3
MIDDLE := 1.24.11
GOS    := $(ENDS) $(MIDDLE)

export GOTOOLCHAIN := local
export GOFLAGS     ?= -buildvcs=false

.PHONY: demo test lint toolchains test-go test-python conformance fuzz bench pictures golden clean

demo: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$($(BIN)/python tools/toolchain.py):$$PATH" sh examples/demo.sh

# Go's tests wait more than they compute: both at a time.
test: lint toolchains
	@$(MAKE) --no-print-directory --jobs=2 test-go test-python

$(READY): pyproject.toml setup.py $(wildcard functrace/_native/*.[ch] functrace/_native/recorder/*.[ch]) | build
	@echo "setting up a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --editable . --group test --group lint > build/setup.log 2>&1 || \
		{ cat build/setup.log; exit 1; }
	@touch $(READY)

lint: $(READY) | build
	@echo "lint: ruff, mypy, import contracts, C"
	@cc -std=c99 -Wall -Wextra -Werror -fsyntax-only functrace/_native/*.c
	@$(BIN)/python tools/lint_recorder.py
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > build/imports.log 2>&1 || { cat build/imports.log; exit 1; }
	@PATH="$$($(BIN)/python tools/toolchain.py):$$PATH" sh tools/lint-go.sh

toolchains: $(READY) | build
	@$(BIN)/python tools/toolchain.py $(GOS) > build/toolchains

test-go: toolchains
	@for bin in $$($(BIN)/python tools/toolchain.py $(ENDS)); do \
		PATH="$$bin:$$PATH" sh tools/test-go.sh || exit 1; \
	done
	@PATH="$$($(BIN)/python tools/toolchain.py $(MIDDLE)):$$PATH" sh tools/test-go.sh --no-race

test-python: toolchains
	@echo "pytest"
	@PATH="$(CURDIR)/$(BIN):$$($(BIN)/python tools/toolchain.py):$$PATH" $(BIN)/python -m pytest -q -n auto --dist worksteal $(TESTS)

# More of the Go distribution's packages, more of Python's library, and more Pythons than make test
# has time for.
conformance:
	@FUNCTRACE_CONFORMANCE=all $(MAKE) --no-print-directory test-python \
		TESTS="tests/conformance tests/python_rewriter/test_stdlib.py tests/cli/test_python_out.py \
		tests/python_runtime tests/python_run tests/rewriter/test_census.py"

# Property tests with new examples each time, until one fails.
fuzz: $(READY)
	@while $(BIN)/python -m pytest -q -n auto -m hypothesis --hypothesis-profile=search $(TESTS); do :; done

# PROGRAMS: folders of main packages, of any size, to build with and without functrace.
bench: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$($(BIN)/python tools/toolchain.py):$$PATH" $(BIN)/python benchmarks/run.py $(PROGRAMS)

# Wants graphviz, Chromium and npm.
pictures: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$($(BIN)/python tools/toolchain.py):$$PATH" $(BIN)/python tools/pictures.py

golden: $(READY)
	@PATH="$$($(BIN)/python tools/toolchain.py):$$PATH" $(BIN)/python -m pytest -q tests/rewriter/test_golden.py tests/python_rewriter/test_golden.py --golden

build:
	@mkdir -p $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
