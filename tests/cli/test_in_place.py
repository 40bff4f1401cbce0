"""inject -w and strip -w change what they should and nothing else."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run, contents


@pytest.fixture
def before(module: Path, functrace: Run) -> dict[str, bytes]:
    """The module's files once it has the runtime."""
    assert functrace("runtime", "add").returncode == 0
    return contents(module)


def test_strip_restores_every_byte(module: Path, functrace: Run, before: dict[str, bytes]) -> None:
    done = functrace("inject", "-w", "./...")
    assert (done.returncode, done.stdout) == (0, "")
    assert "2 files, 3 functions instrumented" in done.stderr
    assert "left alone: 1 the functrace runtime, 1 testdata" in done.stderr
    assert {n for n, t in contents(module).items() if t != before[n]} == {
        "main.go",
        "store/store.go",
    }
    assert functrace("strip", "-w", ".").returncode == 0
    assert contents(module) == before


@pytest.mark.usefixtures("before")
def test_second_run_changes_nothing(module: Path, functrace: Run) -> None:
    functrace("inject", "-w", ".")
    once = contents(module)
    again = functrace("inject", "-w", ".")
    assert "0 functions instrumented, 3 already traced" in again.stderr
    assert contents(module) == once


@pytest.mark.usefixtures("before")
def test_hand_edits_are_kept(module: Path, functrace: Run) -> None:
    functrace("inject", "-w", ".")
    source = module / "store" / "store.go"
    edited = source.read_text().replace("return help()", "x := help()\n\treturn x")
    source.write_text(edited + "\nfunc added() {\n}\n")
    assert "1 function instrumented, 3 already" in functrace("inject", "-w", ".").stderr
    functrace("strip", "-w", ".")
    assert source.read_text() == (
        "package store\n\nfunc Get() int {\n\tx := help()\n\treturn x\n}\n\n"
        "func help() int { return 1 }\n\nfunc added() {\n}\n"
    )


@pytest.mark.usefixtures("before")
def test_files_without_functions_are_not_instrumented(module: Path, functrace: Run) -> None:
    (module / "store/limits.go").write_text("package store\n\nconst Limit = 1\n")
    (module / "setup.py").write_text("name = 'shop'\n")
    assert "2 of 4 files, 3 functions instrumented" in functrace("inject", "--check", ".").stderr
    summary = json.loads(functrace("inject", "-w", "--json", ".").stdout)
    assert (summary["file_count"], summary["changed_files"], summary["function_count"]) == (4, 2, 3)
    again = functrace("inject", "-w", ".").stderr
    assert "0 of 4 files, 0 functions instrumented, 3 already traced" in again
    assert "2 of 4 files, 3 functions stripped" in functrace("strip", "-w", ".").stderr


@pytest.mark.usefixtures("before")
def test_filters_that_match_nothing_are_reported(module: Path, functrace: Run) -> None:
    (module / "tool.py").write_text("class Tool:\n    def use(self): return 1\n")
    given = "--include Get --include Tool.use --exclude none.* --exclude Tool --exclude help"
    given += " --exclude-path store/none"
    done = functrace("inject", "--check", *given.split(), ".")
    assert "2 functions instrumented" in done.stderr
    tool = "Tool.* matches what is in it, --exclude-path Tool a package or path"
    none = "matches no function outside the files left alone as a whole"
    assert [line for line in done.stderr.splitlines() if "matches no" in line] == [
        f"  note: --exclude none.* {none}",
        f"  note: --exclude Tool {none}; {tool}",
        "  note: --exclude-path store/none matches no file, folder, package or module",
    ]
    nothing = functrace("inject", "--check", "--include", "Nonesuch", ".")
    assert nothing.returncode == 1
    assert "note: --include Nonesuch matches no function outside" in nothing.stderr


def test_inject_refuses_to_break_a_build(module: Path, functrace: Run) -> None:
    before = contents(module)
    done = functrace("inject", "-w", ".")
    assert done.returncode == 1
    assert "functrace runtime add" in done.stderr
    assert contents(module) == before


@pytest.mark.usefixtures("before")
def test_mode_and_symbolic_links_are_kept(module: Path, functrace: Run) -> None:
    source = module / "main.go"
    source.chmod(0o640)
    (module / "link.go").symlink_to("store/store.go")
    functrace("inject", "-w", "main.go", "link.go")
    assert stat.S_IMODE(source.stat().st_mode) == 0o640
    assert (module / "link.go").is_symlink()
    assert "functrace.Trace" in (module / "store" / "store.go").read_text()


@pytest.mark.usefixtures("before")
def test_bad_file_is_reported_and_others_processed(module: Path, functrace: Run) -> None:
    bad = module / "store" / "bad.go"
    bad.write_text("package store\n\nfunc f() {\n\tx := := 1\n}\n")
    done = functrace("inject", "-w", ".")
    assert done.returncode == 1
    assert "store/bad.go:4:7: " in done.stderr
    assert "Traceback" not in done.stderr
    assert bad.read_text().count("Trace") == 0
    assert "Trace" in (module / "main.go").read_text()


@pytest.mark.usefixtures("before")
def test_leftovers_of_a_killed_run_are_removed(module: Path, functrace: Run) -> None:
    left = module / f".main.go.functrace-{2**22 + 1}.tmp"
    left.write_text("half a fi")
    functrace("inject", "-w", ".")
    assert not left.exists()


@pytest.mark.usefixtures("before")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_folder_is_an_error(module: Path, functrace: Run) -> None:
    (module / "store").chmod(0o555)
    done = functrace("inject", "-w", ".")
    (module / "store").chmod(0o755)
    assert done.returncode == 1
    assert "store/store.go: Permission denied" in done.stderr
