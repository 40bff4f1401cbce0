"""A wheel built from the tree works outside it, with all that it loads from files of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


def test_wheel(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stderr
    (wheel,) = tmp_path.glob("functrace_cli-*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / "bin"
    subprocess.run([binaries / "pip", "install", "--quiet", wheel], check=True)
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module example.com/m\n\ngo 1.21\n")
    (module / "main.go").write_text("package main\n\nfunc main() {\n}\n")
    for arguments in (["runtime", "add", "--otlp"], ["inject", "-w", "."]):
        subprocess.run([binaries / "functrace", *arguments], cwd=module, check=True)
    assert (module / "internal" / "functrace" / "probe_amd64.s").exists()
    assert not list((module / "internal" / "functrace").rglob("*_test.go"))
    sender = ROOT / "runtime_go" / "otlp"
    own = {path.relative_to(sender) for path in sender.rglob("*.go") if "_test" not in path.name}
    there = module / "internal" / "functrace" / "otlp"
    assert {path.relative_to(there) for path in there.rglob("*.go")} == own
    assert "functrace.Trace" in (module / "main.go").read_text()

    program = tmp_path / "program"
    program.mkdir()
    (program / "app.py").write_text(
        "import subprocess, sys\n"
        "def work(): return 1\n"
        "work()\n"
        "sys.argv[1:] or subprocess.run([sys.executable, 'app.py', 'again'], check=True)\n"
    )
    record = ["run", "--record", "--children", "--out", "traces", "app.py"]
    subprocess.run([binaries / "functrace", *record], cwd=program, check=True)
    assert len(list((program / "traces").glob("*.ftrace"))) == 2
    shown = subprocess.run(
        [binaries / "functrace", "export", "--to", "flamegraph", "traces"],
        cwd=program,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "__main__.work" in shown
    assert "<script" in shown

    _in_the_way(tmp_path / "others", binaries / "functrace", module)
    (there,) = (tmp_path / "venv" / "lib").glob("python*/site-packages/functrace/__init__.py")
    there.write_text("# PyPI's functrace\n")
    done = subprocess.run(
        [binaries / "functrace", "--version"], capture_output=True, text=True, check=False
    )
    said = f"functrace: {there} is another package of that name"
    assert done.stderr == f"{said}; one environment cannot have both\n"
    assert done.returncode == 1


def _in_the_way(folder: Path, command: Path, module: Path) -> None:
    """Packages with the names of ours, where the user's PYTHONPATH is or the user."""
    folder.mkdir()
    for name in ("functrace", "rewriter", "click"):
        (folder / f"{name}.py").write_text("raise RuntimeError('not ours')\n")
    for path in (str(folder), ""):  # the current folder
        environment = {**os.environ, "PYTHONPATH": path}
        words = [str(command), "strip", "-w", str(module)]
        subprocess.run(words, cwd=folder, env=environment, check=True)
