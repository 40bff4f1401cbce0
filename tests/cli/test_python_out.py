"""inject --out on Python sources: a tree that runs, and updates of changed files."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.cli import mixed
from tests.cli.conftest import Run, contents

_LIB = Path(sysconfig.get_path("stdlib"))
_ALL = os.environ.get("FUNCTRACE_CONFORMANCE") == "all"
RUNTIME = "def trace(f):\n    print('traced', f.__qualname__)\n    return f\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return mixed.make(tmp_path / "python", mixed.FILES)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "traced"


def test_tree_runs_without_further_steps(tree: Path, functrace: Run, out: Path) -> None:
    mixed.make(tree, {"shop/tracing.py": RUNTIME})
    before = contents(tree)
    ours = ("--runtime-import", "shop.tracing")
    done = functrace("inject", *ours, "--out", str(out), ".", cwd=tree)
    assert (done.returncode, "note: the Python sources import shop.tracing" in done.stderr) == (
        0,
        True,
    )
    assert contents(tree) == before
    made = contents(out)
    left_out = {n for n in before if n.startswith(("env/", "__pycache__/"))}
    assert made.keys() == before.keys() - left_out
    assert {n for n in made if made[n] != before[n]} == {
        "app.py",
        "shop/store.py",
        "shop/_hidden/work.pyw",
    }
    command = [sys.executable, "app.py"]
    run = subprocess.run(command, cwd=out, capture_output=True, text=True, check=True)
    assert run.stdout == "traced Store.get\ntraced Store._find\ntraced main\n[1, 1]\n"
    back = out.with_name("back")
    functrace("strip", *ours, "--out", str(back), str(out))
    assert contents(back) == {n: before[n] for n in made}


def test_second_run_processes_only_changes(tree: Path, functrace: Run, out: Path) -> None:
    mixed.make(tree, {"other/a.py": "def a(): return 1\n", "other/b.txt": "b\n"})
    functrace("inject", "--out", str(out), ".", cwd=tree)
    before = {name: (out / name).stat().st_mtime_ns for name in contents(out)}
    (tree / "shop/store.py").write_text("def new(): return 1\n")
    (tree / "other/b.txt").unlink()
    done = functrace("inject", "--out", str(out), ".", cwd=tree)
    assert "4 of 5 files, 4 functions instrumented, 7 files up to date" in done.stderr
    after = {name: (out / name).stat().st_mtime_ns for name in contents(out)}
    assert before.keys() - after.keys() == {"other/b.txt"}
    changed = {name for name in after if after[name] != before[name]}
    assert "shop/store.py" in changed
    assert not changed & {"app.py", "tool", "shop/_hidden/work.pyw"}


def test_new_package_is_instrumented_again(tree: Path, functrace: Run, out: Path) -> None:
    """The functions below are renamed, so that filters may match them."""
    asked = ("--include", "lib.shop.*", "--out", str(out), str(tree.parent))
    tree.rename(tree.with_name("lib"))
    assert functrace("inject", *asked).returncode == 1
    (tree.with_name("lib") / "__init__.py").touch()
    done = functrace("inject", *asked)
    assert (done.returncode, "2 functions instrumented" in done.stderr) == (0, True)


def test_large_folders_are_processed_in_parallel(tree: Path, functrace: Run, out: Path) -> None:
    text = "".join(f"def f{i}(): return '{'.' * 500}'\n" for i in range(500))
    mixed.make(tree, {f"large/m{i}.py": text for i in range(6)})
    mixed.make(tree, {"large/bad.py": "def f(:\n", "large/notes.txt": "notes\n"})
    before = contents(tree)
    done = functrace("inject", "--out", str(out), "large", cwd=tree)
    assert "6 of 7 files, 3,000 functions instrumented\n  failed: 1 file," in done.stderr
    made = contents(out)
    assert made["notes.txt"] == b"notes\n"
    assert {n for n, t in made.items() if t == before[f"large/{n}"]} == {"notes.txt", "bad.py"}
    again = functrace("inject", "--out", str(out), "large", cwd=tree)
    assert "6 of 7 files, 3,000 functions instrumented, 8 files up to date" in again.stderr
    functrace("strip", "-w", str(out))
    assert contents(out) == {n.removeprefix("large/"): t for n, t in before.items() if "large" in n}


def test_standard_library_round_trip(functrace: Run, out: Path) -> None:
    """One package or all: skipped files are reported, and strip restores every byte."""
    library = _LIB if _ALL else _LIB / "asyncio"
    done = functrace("inject", "--out", str(out), str(library))
    failed = {line.split(":")[0] for line in done.stderr.splitlines() if ".py:" in line}
    made = contents(out)
    before = {name: text for name, text in contents(library).items() if name in made}
    assert {n for n in made if n.endswith((".py", ".pyw"))} == {
        n for n in contents(library) if n.endswith((".py", ".pyw"))
    }
    assert not {n for n in made if str(library / n) in failed and made[n] != before[n]}
    assert sum(made[n] != before[n] for n in made) > 20
    back = out.with_name("back")
    functrace("strip", "--out", str(back), str(out))
    assert contents(back) == before
