"""inject --out: a complete tree beside the sources."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run, contents
from tests.support.toolchains import Go


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "traced"


def test_tree_builds_and_runs_without_further_steps(
    module: Path, functrace: Run, out: Path, go: Go
) -> None:
    before = contents(module)
    assert functrace("inject", "--out", str(out), ".").returncode == 0
    assert contents(module) == before
    made = contents(out)
    assert {n for n in before if made[n] != before[n]} == {"main.go", "store/store.go"}
    for tags in ("", "trace"):
        assert go.run("vet", "-tags", tags, "./...", cwd=out).returncode == 0
    run = go.run("run", "-tags", "trace", ".", cwd=out)
    assert "g[01]:\t->main.main\ng[01]:\t\t->example.com/shop/store.Get\n" in run.stdout


def test_second_run_processes_only_changes(module: Path, functrace: Run, out: Path) -> None:
    functrace("inject", "--out", str(out), ".")
    before = {n: (out / n).stat().st_mtime_ns for n in contents(out)}
    (module / "main.go").write_text("package main\n\nfunc main() {\n}\n")
    (module / "store" / "notes.txt").unlink()
    done = functrace("inject", "--out", str(out), ".")
    assert "up to date" in done.stderr
    after = {n: (out / n).stat().st_mtime_ns for n in contents(out)}
    assert before.keys() - after.keys() == {"store/notes.txt"}
    assert "main.go" in {n for n in after if after[n] != before[n]}
    assert after["go.mod"] != 0
    assert "store/testdata/x.go" not in {n for n in after if after[n] != before[n]}


def test_other_options_instrument_everything_again(functrace: Run, out: Path) -> None:
    functrace("inject", "--out", str(out), ".")
    functrace("inject", "--out", str(out), "--exclude", "*", ".")
    assert b"Trace()()" not in contents(out)["main.go"]


def test_foreign_output_folder_is_refused(functrace: Run, out: Path) -> None:
    out.mkdir()
    (out / "precious").write_text("mine")
    done = functrace("inject", "--out", str(out), ".")
    assert done.returncode == 2
    assert contents(out) == {"precious": b"mine"}


def test_output_inside_the_sources(module: Path, functrace: Run) -> None:
    for _ in range(2):
        assert functrace("inject", "--out", "build/traced", ".").returncode == 0
    assert not (module / "build/traced/build/traced").exists()


def test_links_out_of_the_tree_keep_their_targets(module: Path, functrace: Run, out: Path) -> None:
    (module / "go.mod").write_text(
        "module example.com/shop\n\ngo 1.21\n\nreplace example.com/x => ../x\n"
        "replace example.com/store => ./store\n"
    )
    (module / "outside").symlink_to("../x")
    (module / "inside").symlink_to("store/notes.txt")
    functrace("inject", "--out", str(out), ".")
    text = (out / "go.mod").read_text()
    assert f"replace example.com/x => {module.parent / 'x'}\n" in text
    assert "replace example.com/store => ./store\n" in text
    assert str((out / "outside").readlink()) == str(module.parent / "x")
    assert str((out / "inside").readlink()) == "store/notes.txt"


def test_killed_run_leaves_complete_files_and_can_be_repeated(
    module: Path, functrace: Run, out: Path
) -> None:
    for i in range(400):
        folder = module / f"p{i}"
        folder.mkdir()
        body = "".join(f"func F{k}() int {{\n\treturn {k}\n}}\n\n" for k in range(150))
        (folder / "p.go").write_text(f"package p{i}\n\n{body}")
    command = [sys.executable, "-m", "functrace", "inject", "--out", str(out), "."]
    for signum in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(command, cwd=module, stderr=subprocess.DEVNULL)
        while not any(out.glob("p*/p.go")) and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signum)
        process.wait()
        for name, text in contents(out).items():
            assert Path(name).name != "p.go" or text.endswith(b"149\n}\n\n")
    assert functrace("inject", "--out", str(out), ".").returncode == 0
    fresh = out.with_name("fresh")
    functrace("inject", "--out", str(fresh), ".")
    made = {n: t for n, t in contents(out).items() if not n.endswith(".tmp")}
    assert made == contents(fresh)


def test_each_module_of_a_workspace_gets_a_runtime(
    tmp_path: Path, functrace: Run, out: Path, go: Go
) -> None:
    """A workspace: no module encloses these, so neither is nested in another."""
    work = tmp_path / "work"
    for name in ("one", "two"):
        (work / name).mkdir(parents=True)
        (work / name / "go.mod").write_text(f"module example.com/{name}\n\ngo 1.21\n")
        (work / name / "main.go").write_text("package main\n\nfunc main() {\n}\n")
    (work / "go.work").write_text("go 1.21\n\nuse ./one\nuse ./two\n")
    done = functrace("inject", "--out", str(out), ".", cwd=work)
    assert "2 files, 2 functions instrumented" in done.stderr
    for name in ("one", "two"):
        run = go.run("run", "-tags", "trace", f"./{name}", cwd=out)
        assert run.stdout == "g[01]:\t->main.main\ng[01]:\t<-main.main\n", run.stderr


def test_stripped_tree_gets_no_runtime(module: Path, functrace: Run, out: Path) -> None:
    before = contents(module)
    functrace("runtime", "add")
    functrace("inject", "-w", ".")
    functrace("runtime", "remove", "--force")
    assert functrace("strip", "--out", str(out), ".").returncode == 0
    assert contents(out) == before
