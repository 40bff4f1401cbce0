"""inject -w and strip -w on Python sources, and on Python and Go at once."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.cli import mixed
from tests.cli.conftest import Run, contents

INJECTED = {"app.py", "shop/store.py", "shop/_hidden/work.pyw"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return mixed.make(tmp_path / "python", mixed.FILES)


def _changed(root: Path, before: dict[str, bytes]) -> set[str]:
    return {name for name, text in contents(root).items() if text != before[name]}


def test_strip_restores_every_byte(tree: Path, functrace: Run) -> None:
    before = contents(tree)
    done = functrace("inject", "-w", ".", cwd=tree)
    assert (done.returncode, done.stdout) == (0, "")
    assert "functrace inject: 3 of 4 files, 4 functions instrumented\n" in done.stderr
    assert _changed(tree, before) == INJECTED
    assert (tree / "shop/store.py").read_text() == mixed.TRACED
    once = contents(tree)
    again = functrace("inject", "-w", ".", cwd=tree)
    assert "0 functions instrumented, 4 already traced" in again.stderr
    assert contents(tree) == once
    assert functrace("strip", "-w", ".", cwd=tree).returncode == 0
    assert contents(tree) == before


def test_both_languages_in_one_run(tree: Path, functrace: Run) -> None:
    mixed.make(tree, mixed.GO)
    assert functrace("runtime", "add", cwd=tree).returncode == 0
    before = contents(tree)
    done = functrace("inject", "-w", ".", cwd=tree)
    assert "4 of 5 files, 5 functions instrumented" in done.stderr
    assert _changed(tree, before) == {*INJECTED, "main.go"}
    assert functrace("strip", "--check", ".", cwd=tree).returncode == 1
    functrace("strip", "-w", "--language", "go", ".", cwd=tree)
    assert _changed(tree, before) == INJECTED
    functrace("strip", "-w", ".", cwd=tree)
    assert contents(tree) == before


def test_skipped_files(tree: Path, functrace: Run) -> None:
    done = functrace("inject", "--check", "--json", ".", cwd=tree)
    assert json.loads(done.stdout)["left_alone"] == {
        "name starts with a dot": 1,
        "name starts with _": 1,
        "node_modules": 1,
        "testdata": 1,
        "virtual environment": 1,
    }
    everything = functrace("inject", "--all", "--check", "--language", "python", ".", cwd=tree)
    assert everything.stdout.count("\n") == len(INJECTED) + 4
    assert "__pycache__" not in everything.stdout


def test_named_files_are_processed_wherever_they_are(tree: Path, functrace: Run) -> None:
    before = contents(tree)
    named = ("tool", "testdata/x.py", "shop/stub.pyi")
    done = functrace("inject", "-w", *named, cwd=tree)
    assert _changed(tree, before) == {"tool", "testdata/x.py"}
    assert "left alone: 1 stub file" in done.stderr
    (tree / "notes").write_text("#!/bin/sh\n# python\n")
    refused = functrace("inject", "-w", "notes", cwd=tree)
    assert (refused.returncode, "notes: not a Go or Python file" in refused.stderr) == (2, True)


def test_hand_edits_are_kept(tree: Path, functrace: Run) -> None:
    functrace("inject", "-w", ".", cwd=tree)
    source = tree / "shop/store.py"
    source.write_text(source.read_text() + "\n\ndef added():\n    return key\n")
    done = functrace("inject", "-w", ".", cwd=tree)
    assert "1 function instrumented, 4 already traced" in done.stderr
    functrace("strip", "-w", ".", cwd=tree)
    assert source.read_text() == mixed.STORE + "\n\ndef added():\n    return key\n"


def test_strip_keeps_code_that_is_not_ours(tree: Path, functrace: Run) -> None:
    own = (
        "import functrace\nimport functrace as _functrace_\n\n\n"
        "@functrace.trace\ndef f():\n    return 1\n\n\n"
        "@_functrace_.trace  # functrace: keep\ndef g():\n    return 1\n"
    )
    (tree / "own.py").write_text(own)
    functrace("inject", "-w", ".", cwd=tree)
    functrace("strip", "-w", ".", cwd=tree)
    assert (tree / "own.py").read_text() == own


def test_bad_files_are_reported_and_others_processed(tree: Path, functrace: Run) -> None:
    bad = {"bad.py": "def f():\n    return (1\n", "old.py": "def f():\n    print 1\n"}
    mixed.make(tree, bad)
    done = functrace("inject", "-w", ".", cwd=tree)
    assert done.returncode == 1
    assert "bad.py:2:12: " in done.stderr
    assert "old.py:2:5: " in done.stderr
    assert "failed: 2 files, left as they were" in done.stderr
    assert "Traceback" not in done.stderr
    assert {name: (tree / name).read_text() for name in bad} == bad
    assert (tree / "shop/store.py").read_text() == mixed.TRACED


def test_mode_and_symbolic_links_are_kept(tree: Path, functrace: Run) -> None:
    source = tree / "app.py"
    source.chmod(0o555)
    (tree / "link.py").symlink_to("shop/store.py")
    functrace("inject", "-w", "app.py", "link.py", cwd=tree)
    assert stat.S_IMODE(source.stat().st_mode) == 0o555
    assert b"@_functrace_.trace" in source.read_bytes()
    assert (tree / "link.py").is_symlink()
    assert (tree / "shop/store.py").read_text() == mixed.TRACED


def test_modules_that_must_be_importable_are_reported(tree: Path, functrace: Run) -> None:
    advice = "note: the Python sources import functrace: `pip install functrace-cli`"
    assert advice in functrace("inject", "-w", ".", cwd=tree).stderr
    assert advice not in functrace("inject", "-w", ".", cwd=tree).stderr  # nothing was put in
    functrace("strip", "-w", ".", cwd=tree)
    (tree / "env/lib/python3.11/site-packages/functrace_cli-1.dist-info").mkdir()
    assert "note" not in functrace("inject", "-w", "shop", cwd=tree).stderr


def test_submodule_is_not_a_foreign_runtime(tree: Path, functrace: Run) -> None:
    mixed.make(tree, {"shop/functrace.py": "def trace(f): return f\n"})
    done = functrace("inject", "-w", ".", cwd=tree)
    assert "another functrace" not in done.stderr
    assert "@_functrace_.trace" in (tree / "shop/functrace.py").read_text()


@pytest.mark.parametrize(
    "path",
    [
        "functrace.py",
        "functrace/__init__.py",
        "env/lib/python3.11/site-packages/functrace/__init__.py",
    ],
)
def test_foreign_runtime_is_reported(tree: Path, functrace: Run, path: str) -> None:
    mixed.make(tree, {path: "def trace(f): return f\n"})
    done = functrace("inject", "-w", tree.name, cwd=tree.parent)
    there = path.removesuffix("/__init__.py")
    assert f"{tree / there} is another functrace, and would be imported instead" in done.stderr
    assert (tree / path).read_text() == "def trace(f): return f\n"


def test_custom_runtime(tree: Path, functrace: Run) -> None:
    runtime = "def trace(f):\n    return f\n"
    mixed.make(tree, {"shop/tracing.py": runtime})
    done = functrace("inject", "-w", "--runtime-import", "shop.tracing", ".", cwd=tree)
    assert "note: the Python sources import shop.tracing\n" in done.stderr
    assert "1 the functrace runtime" in done.stderr
    assert "import shop.tracing as _functrace_\n" in (tree / "shop/store.py").read_text()
    assert (tree / "shop/tracing.py").read_text() == runtime
    functrace("strip", "-w", "--runtime-import", "shop.tracing", ".", cwd=tree)
    assert (tree / "shop/store.py").read_text() == mixed.STORE


def test_runtime_option_requires_one_language(tree: Path, functrace: Run) -> None:
    mixed.make(tree, mixed.GO)
    before = contents(tree)
    for name, status in (("shop.tracing", 2), ("example.com/shop/tracing", 0)):
        done = functrace("inject", "--diff", "--runtime-import", name, ".", cwd=tree)
        assert done.returncode == status
        assert ("add --language" in done.stderr) == (status == 2)
    assert '"example.com/shop/tracing"' in done.stdout
    assert "import functrace as _functrace_" in done.stdout
    assert contents(tree) == before
