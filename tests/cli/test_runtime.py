"""functrace runtime add and remove, and doctor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functrace.errors import FunctraceError
from functrace.sources.go import runtime_copy
from tests.cli.conftest import Run, contents
from tests.support.toolchains import Go


def test_add_and_remove_leave_no_trace(module: Path, functrace: Run) -> None:
    before = contents(module)
    assert functrace("runtime", "add").returncode == 0
    assert "already there" in functrace("runtime", "add").stdout
    assert functrace("runtime", "remove").returncode == 0
    assert contents(module) == before


def test_handler_is_added_and_removed_with_the_runtime(
    module: Path, functrace: Run, go: Go
) -> None:
    before = contents(module)
    assert functrace("runtime", "add", "--http").returncode == 0
    main = module / "main.go"
    text = main.read_text()
    main.write_text(
        text.replace(
            'import "', 'import _ "example.com/shop/internal/functrace/tracehttp"\nimport "', 1
        )
    )
    assert functrace("inject", "-w", ".").returncode == 0
    run = go.run("vet", "-tags", "trace", "./...", cwd=module)
    assert run.returncode == 0, run.stderr
    assert functrace("strip", "-w", ".").returncode == 0
    main.write_text(text)
    assert functrace("runtime", "remove").returncode == 0
    assert contents(module) == before


def test_sender_is_added_and_removed_with_the_runtime(module: Path, functrace: Run, go: Go) -> None:
    before = contents(module)
    done = functrace("runtime", "add", "--otlp")
    assert "go build -C internal/functrace/otlp -o functrace-otlp ." in done.stdout
    sender = module / "internal" / "functrace" / "otlp"
    assert (sender / "go.mod").read_text().startswith("module functrace/otlp\n")
    assert not list(sender.rglob("*_test.go"))
    mine = contents(sender)
    assert functrace("inject", "-w", "--all", ".").returncode == 0
    assert contents(sender) == mine
    run = go.run("list", "./...", cwd=module)
    assert "otlp" not in run.stdout, run.stderr
    assert functrace("strip", "-w", "--all", ".").returncode == 0
    assert functrace("runtime", "remove").returncode == 0
    assert contents(module) == before


def test_remove_refuses_while_files_import_it(functrace: Run) -> None:
    functrace("runtime", "add")
    functrace("inject", "-w", ".")
    done = functrace("runtime", "remove")
    assert done.returncode == 1
    assert "2 files import example.com/shop/internal/functrace" in done.stderr


OWN_TRACE = "package functrace\n\nfunc Trace() func() { return nil }\n"
# What may stand where the runtime would go, by the files that make it so.
NAMESAKES = {
    "a package": {"internal/functrace/mine.go": OWN_TRACE},
    "a package of another name": {"internal/functrace/mine.go": "package other\n\nfunc F() {}\n"},
    "tests alone": {"internal/functrace/mine_test.go": "package functrace\n\nfunc f() {}\n"},
    "a file": {"internal/functrace": "text\n"},
    "internal is a file": {"internal": "text\n"},
    "a nested module": {
        "internal/functrace/go.mod": "module example.com/shop/internal/functrace\n",
        "internal/functrace/mine.go": "package functrace\n",
    },
    "more than one": {
        "internal/functrace/mine.go": "package functrace\n\nfunc F() {}\n",
        "internal/tracing/functrace/mine.go": "package functrace\n\nfunc F() {}\n",
        "tracing": "text\n",
    },
}


@pytest.mark.parametrize("files", NAMESAKES.values(), ids=NAMESAKES.keys())
def test_runtime_avoids_an_occupied_folder(
    module: Path, functrace: Run, go: Go, files: dict[str, str]
) -> None:
    _write(module, files)
    before = contents(module)
    assert functrace("inject", "--out", "../out", ".").returncode == 0
    added = functrace("runtime", "add")
    assert added.returncode == 0, added.stderr
    path = added.stdout.partition(":")[0]
    assert path != "example.com/shop/internal/functrace"
    assert functrace("runtime", "add").stdout.startswith(f"{path}: already there\n")
    assert "runtime" not in functrace("doctor").stderr
    assert functrace("inject", "-w", "./...").returncode == 0
    assert f'"{path}"' in (module / "main.go").read_text()
    for tree in (module, module.parent / "out"):
        run = go.run("vet", "-tags", "trace", "./...", cwd=tree)
        assert run.returncode == 0, run.stderr
    assert f"files import {path}, such as" in functrace("runtime", "remove").stderr
    assert functrace("strip", "-w", "./...").returncode == 0
    assert functrace("runtime", "remove").returncode == 0
    assert contents(module) == before


def test_runtime_is_added_to_the_given_folder(module: Path, functrace: Run) -> None:
    before = contents(module)
    added = functrace("runtime", "add", "--out", "pkg/tracing", "--http", "--otlp", "store")
    assert added.stdout.startswith("example.com/shop/pkg/tracing/functrace: ")
    assert "go build -C pkg/tracing/functrace/otlp " in added.stdout
    again = functrace("runtime", "add", "--out", "pkg/tracing/functrace", "--http", "--otlp")
    assert "already there" in again.stdout
    assert functrace("inject", "-w", ".").returncode == 0
    assert '"example.com/shop/pkg/tracing/functrace"' in (module / "store/store.go").read_text()
    other = functrace("runtime", "add", "--out", "internal")
    assert (other.returncode, "has the functrace runtime in pkg/tracing" in other.stderr) == (
        1,
        True,
    )
    assert functrace("strip", "-w", ".").returncode == 0
    assert functrace("runtime", "remove").returncode == 0
    assert contents(module) == before


def test_moved_runtime_is_found(module: Path, functrace: Run, go: Go) -> None:
    failing = "package main\n\nfunc init() {\n\tdefer func() { recover() }()\n\tfail()\n}\n\n"
    _write(module, {"fail.go": failing + 'func fail() error {\n\tpanic("no")\n}\n'})
    functrace("runtime", "add")
    (module / "internal/functrace").rename(module / "calls")
    assert functrace("inject", "-w", "--record-errors", ".").returncode == 0
    assert 'functrace "example.com/shop/calls"' in (module / "main.go").read_text()
    trace = {"FUNCTRACE": "record", "FUNCTRACE_OUT": str(module / "t.ftrace")}
    run = go.run("run", "-tags", "trace", ".", cwd=module, **trace)
    assert run.returncode == 0, run.stderr
    replayed = functrace("replay", "t.ftrace").stdout
    assert "example.com/shop/store.Get" in replayed
    assert "panic: no" in replayed
    assert functrace("strip", "-w", ".").returncode == 0
    assert functrace("runtime", "remove").returncode == 0
    assert not (module / "calls").exists()


@pytest.mark.parametrize(
    ("to", "status", "message"),
    [
        ("../elsewhere", 2, "not in module example.com/shop"),
        ("store/testdata", 2, "testdata cannot be part of the import path"),
        ("_x", 2, "_x cannot be part"),
        ("a b", 2, "a b cannot be part"),
        ("main.go", 1, "main.go is a file"),
        ("taken", 1, "taken/functrace exists and is not the functrace runtime"),
        ("nested", 1, "nested is a module of its own"),
    ],
)
def test_invalid_folders_for_the_runtime(
    module: Path, functrace: Run, to: str, status: int, message: str
) -> None:
    _write(module, {"taken/functrace/x.go": "package functrace\n", "nested/go.mod": "module n\n"})
    before = contents(module)
    done = functrace("runtime", "add", "--out", to)
    assert (done.returncode, message in done.stderr) == (status, True), done.stderr
    assert contents(module) == before


def test_calls_of_a_namesake_are_not_stripped(module: Path, functrace: Run) -> None:
    """A call of its Trace is not one of ours: it is neither skipped nor stripped."""
    own = "package own\n\nimport %s\n\nfunc F() {\n\tdefer functrace.Trace()()\n}\n"
    _write(
        module,
        {
            "internal/functrace/mine.go": OWN_TRACE,
            "own/own.go": own % '"example.com/shop/internal/functrace"',
        },
    )
    before = contents(module)
    functrace("runtime", "add")
    summary = json.loads(functrace("inject", "-w", "--json", "own").stdout)
    assert (summary["function_count"], summary["already_traced"]) == (1, 0)
    assert functrace("strip", "-w", ".").returncode == 0
    functrace("runtime", "remove")
    assert contents(module) == before


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("file", ["functrace", "internal"])
def test_file_in_place_of_the_folder(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "internal" / "functrace"
    path = tmp_path / "internal" if file == "internal" else folder
    path.parent.mkdir(exist_ok=True)
    path.write_text("notes\n")
    with pytest.raises(FunctraceError, match=f"{file} is a file, not a directory"):
        runtime_copy.add(folder)
    assert path.read_text() == "notes\n"


def test_changed_runtime_is_not_removed(module: Path, functrace: Run) -> None:
    functrace("runtime", "add")
    (module / "internal/functrace/glob.go").write_text("package functrace\n")
    assert functrace("runtime", "remove").returncode == 1


def test_required_predecessor_is_used(module: Path, functrace: Run) -> None:
    mod = module / "go.mod"
    mod.write_text(mod.read_text() + "\nrequire github.com/bigwhite/functrace v0.1.0\n")
    done = functrace("inject", "main.go")
    assert '"github.com/bigwhite/functrace"' in done.stdout


@pytest.mark.parametrize("is_runtime", [True, False])
def test_required_module_that_is_called_functrace(
    module: Path, functrace: Run, is_runtime: bool
) -> None:
    """It counts only if it is the runtime."""
    required = module.parent / "functrace"
    _write(required, {"go.mod": "module example.com/functrace\n", "f.go": "package functrace\n"})
    if is_runtime:
        functrace("runtime", "add")
        (module / "internal" / "functrace").rename(module.parent / "runtime")
        for file in (module.parent / "runtime").iterdir():
            file.rename(required / file.name)
        (required / "f.go").unlink()
    mod = module / "go.mod"
    mod.write_text(
        mod.read_text()
        + "\nrequire example.com/functrace v0.1.0 // tracing\n"
        + "\nreplace example.com/functrace => ../functrace\n"
    )
    done = functrace("inject", "main.go")
    assert ('"example.com/functrace"' in done.stdout) == is_runtime
    assert ('"example.com/shop/internal/functrace"' in done.stdout) != is_runtime


def test_required_module_that_is_not_on_this_machine(module: Path, functrace: Run) -> None:
    mod = module / "go.mod"
    mod.write_text(mod.read_text() + "\nrequire functrace.invalid/functrace v0.1.0\n")
    done = functrace("inject", "main.go")
    assert '"example.com/shop/internal/functrace"' in done.stdout


def test_doctor_reports_obstacles(functrace: Run) -> None:
    done = functrace("doctor")
    assert done.returncode == 1
    assert "functrace runtime add" in done.stdout
    functrace("runtime", "add")
    findings = json.loads(functrace("doctor", "--json").stdout)["findings"]
    sources = next(f for f in findings if f["subject"] == "sources")
    assert sources["state"] == "2 files, 3 functions to instrument"


def test_runtime_builds_in_a_module_of_an_old_language(
    module: Path, functrace: Run, go: Go
) -> None:
    """The runtime is compiled for the module's go version unless its build lines differ."""
    (module / "go.mod").write_text("module example.com/shop\n\ngo 1.12\n")
    functrace("runtime", "add")
    functrace("inject", "-w", ".")
    for tags in ("", "trace", "trace,functrace_safe"):
        run = go.run("vet", "-tags", tags, "./...", cwd=module)
        assert run.returncode == 0, run.stderr


def test_dependencies_of_the_runtime_are_skipped(module: Path, functrace: Run) -> None:
    """A trace call in them would be an import cycle."""
    tracing = module / "tracing" / "tracing.go"
    tracing.parent.mkdir()
    tracing.write_text('package tracing\n\nimport "example.com/shop/store"\n\nvar _ = store.Get\n')
    arguments = ("--runtime-import", "example.com/shop/tracing", "--check", "--json", ".")
    summary = json.loads(functrace("inject", *arguments).stdout)
    assert summary["function_count"] == 1
    assert summary["skipped"] == {"needed by the functrace runtime": 2}
    assert summary["left_alone"]["the functrace runtime"] == 1
