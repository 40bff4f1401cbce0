"""The wheel that is published works on a machine without a compiler; the sdist builds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import functrace
from tools import wheel as distributions

pytestmark = pytest.mark.slow

ROOT = distributions.ROOT


@dataclass(frozen=True)
class Distributions:
    """Paths of what ``make wheel`` makes."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    if _cannot_install("setuptools>=77"):
        pytest.skip("PyPI does not answer: nothing to build a wheel with")
    return Distributions(*distributions.build(tmp_path_factory.mktemp("dist")))


def _cannot_install(requirement: str) -> bool:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--retries", "1"]
    words = [*pip, "install", "--ignore-installed", "--dry-run", "--no-deps", requirement]
    return subprocess.run(words, capture_output=True, check=False).returncode != 0


@pytest.fixture
def without_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bin folder of a new environment, which alone is on PATH."""
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / "bin"
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.delenv("CC", raising=False)
    for name in ("cc", "gcc", "clang"):
        assert shutil.which(name) is None
    return binaries


@pytest.mark.skipif(sys.platform != "linux", reason="auditwheel is for Linux")
def test_tags_of_the_wheel(built: Distributions) -> None:
    """One wheel for each CPython, with binaries that need nothing but the C library."""
    release = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    name, _, platform = built.wheel.stem.rpartition("-")
    assert name == f"functrace_cli-{functrace.__version__}-{release}-{release}"
    assert platform.startswith(("manylinux_2_", "manylinux2014_", "musllinux_1_"))
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
    binaries = {name for name in names if ".so" in name}
    folder = "functrace/_native"
    assert binaries == {f"{folder}/_reader.abi3.so", f"{folder}/_recorder{suffix}"}
    assert not [name for name in names if name.endswith((".c", ".h")) or name.startswith("tests/")]


def test_sdist(built: Distributions, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pip", "--quiet", "install", "--no-deps", "--target"]
    subprocess.run([*words, tmp_path / "there", built.sdist], check=True)
    # Not the editable installation: -S leaves its finder out.
    code = "import functrace._native._reader as reader; print(reader.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "there")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(str(tmp_path / "there"))


def test_wheel(built: Distributions, without_compiler: Path, tmp_path: Path) -> None:
    binaries = without_compiler
    subprocess.run([binaries / "pip", "install", "--quiet", built.wheel], check=True)
    check = ROOT / "tools" / "check_installed.py"
    subprocess.run([binaries / "python", check], cwd=tmp_path, check=True)

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
