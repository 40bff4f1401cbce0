"""functrace runtime add and remove, and doctor."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run, contents
from tests.support.toolchains import Go


def test_add_and_remove_leave_no_trace(module: Path, functrace: Run) -> None:
    before = contents(module)
    assert functrace("runtime", "add").returncode == 0
    assert "already there" in functrace("runtime", "add").stdout
    assert functrace("runtime", "remove").returncode == 0
    assert contents(module) == before


def test_the_handler_comes_and_goes_with_the_runtime(module: Path, functrace: Run, go: Go) -> None:
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


def test_the_sender_comes_and_goes_with_the_runtime(module: Path, functrace: Run, go: Go) -> None:
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


def test_foreign_folder_is_left_alone(module: Path, functrace: Run) -> None:
    folder = module / "internal" / "functrace"
    folder.mkdir(parents=True)
    (folder / "mine.go").write_text("package functrace\n")
    assert functrace("runtime", "add").returncode == 1
    assert functrace("runtime", "remove").returncode == 1
    assert (folder / "mine.go").exists()


def test_changed_runtime_is_not_removed(module: Path, functrace: Run) -> None:
    functrace("runtime", "add")
    (module / "internal/functrace/glob.go").write_text("package functrace\n")
    assert functrace("runtime", "remove").returncode == 1


def test_required_runtime_is_used(module: Path, functrace: Run) -> None:
    mod = module / "go.mod"
    mod.write_text(mod.read_text() + "\nrequire github.com/bigwhite/functrace v0.1.0\n")
    done = functrace("inject", "main.go")
    assert '"github.com/bigwhite/functrace"' in done.stdout


def test_doctor_says_what_stands_in_the_way(functrace: Run) -> None:
    done = functrace("doctor")
    assert done.returncode == 1
    assert "functrace runtime add" in done.stdout
    functrace("runtime", "add")
    findings = json.loads(functrace("doctor", "--json").stdout)
    sources = next(f for f in findings if f["subject"] == "sources")
    assert sources["state"] == "2 files, 3 functions to instrument"


def test_runtime_builds_in_a_module_of_an_old_language(
    module: Path, functrace: Run, go: Go
) -> None:
    """The runtime is compiled as the module's go line says, but for what its build lines ask."""
    (module / "go.mod").write_text("module example.com/shop\n\ngo 1.12\n")
    functrace("runtime", "add")
    functrace("inject", "-w", ".")
    for tags in ("", "trace", "trace,functrace_safe"):
        run = go.run("vet", "-tags", tags, "./...", cwd=module)
        assert run.returncode == 0, run.stderr


def test_packages_that_the_runtime_needs_are_left_alone(module: Path, functrace: Run) -> None:
    """A trace call there would be an import cycle."""
    tracing = module / "tracing" / "tracing.go"
    tracing.parent.mkdir()
    tracing.write_text('package tracing\n\nimport "example.com/shop/store"\n\nvar _ = store.Get\n')
    arguments = ("--runtime-import", "example.com/shop/tracing", "--check", "--json", ".")
    summary = json.loads(functrace("inject", *arguments).stdout)
    assert summary["functions"] == 1
    assert summary["skipped"] == {"needed by the functrace runtime": 2}
    assert summary["left_alone"]["the functrace runtime"] == 1
