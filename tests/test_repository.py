"""What the repository offers to contributors, to users on GitHub and to users of pre-commit."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOWS = ROOT / ".github" / "workflows"


def _load(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text())
    assert isinstance(loaded, dict)
    return loaded


def _run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    # A hook of git that runs the tests names its repository in these variables.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git repository with the files of this one, as they are in the working tree."""
    listed = _run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    folder = tmp_path / "functrace"
    for name in listed.stdout.splitlines():
        if not (ROOT / name).exists() or name.startswith("tests/"):
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    for arguments in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "-m", "all"]):
        done = _run("git", *arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def test_all_addresses_are_those_of_the_project() -> None:
    urls = PROJECT["project"]["urls"]
    owner = re.fullmatch(r"https://github\.com/([\w-]+)/functrace", urls["Source"])
    assert owner is not None
    folders = [ROOT / ".github", ROOT / "examples" / "ci"]
    pages = [*ROOT.glob("*.md"), *(path for each in folders for path in each.rglob("*.y*ml"))]
    text = "\n".join(path.read_text() for path in pages)
    owners = set(re.findall(r"github\.com/([\w-]+)/functrace\b", text))
    owners |= set(re.findall(r"uses: ([\w-]+)/functrace@", text))
    owners |= set(re.findall(r"\b([\w-]+)\.github\.io/functrace\b", text))
    assert owners == {owner[1]}


def test_the_oldest_and_the_newest_python_are_tested() -> None:
    prefix = "Programming Language :: Python :: 3."
    classifiers = PROJECT["project"]["classifiers"]
    minors = sorted(int(c.removeprefix(prefix)) for c in classifiers if c.startswith(prefix))
    assert PROJECT["project"]["requires-python"] == f">=3.{minors[0]}"
    matrix = _load(WORKFLOWS / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["include"]
    tested = {job["python"] for job in matrix}
    assert tested == {f"3.{minors[0]}", f"3.{minors[-1]}"}


def test_the_oldest_and_the_newest_go_are_tested() -> None:
    makefile = (ROOT / "Makefile").read_text()
    ends = re.search(r"^ENDS +:= (\d\.\d+)\S* (\d\.\d+)", makefile, re.MULTILINE)
    assert ends is not None
    matrix = _load(WORKFLOWS / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["include"]
    assert {job["go"] for job in matrix} == set(ends.groups())


def test_wheels_of_every_supported_python() -> None:
    """What cibuildwheel makes of its settings, in the version that the workflow runs."""
    pytest.importorskip("cibuildwheel", reason="cibuildwheel requires Python 3.11")
    workflow = (WORKFLOWS / "wheels.yml").read_text()
    version = re.search(r"uses: pypa/cibuildwheel@\w{40} # v(\S+)", workflow)
    assert version is not None
    assert importlib.metadata.version("cibuildwheel") == version[1]

    found = set()
    for platform, archs in (("linux", "x86_64,aarch64"), ("macos", "x86_64,arm64")):
        words = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"]
        words += ["--platform", platform, "--archs", archs, "."]
        done = _run(*words, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        found |= set(done.stdout.split())
    systems = ["macosx_x86_64", "macosx_arm64"]
    for libc in ("manylinux", "musllinux"):
        systems += [f"{libc}_x86_64", f"{libc}_aarch64"]
    pythons = [*(f"cp3{minor}" for minor in range(10, 15)), "cp314t"]
    expected = {f"{python}-{system}" for python in pythons for system in systems}
    assert found == expected


@pytest.mark.parametrize("workflow", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.name)
def test_targets_of_workflows_exist(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for job in _load(workflow)["jobs"].values():
        for step in job.get("steps", ()):
            command = step.get("run", "").partition("#")[0].split()
            if command[:1] == ["make"]:
                assert set(command[1:]) <= targets


class _Action:
    """Runs the steps of action.yml as GitHub would, with a folder for what the runner keeps."""

    def __init__(self, folder: Path, runner: Path, checkout: Path) -> None:
        self._folder = folder
        self._runner = runner
        self._checkout = checkout
        self._action = _load(ROOT / "action.yml")

    def step(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        (step,) = (each for each in self._action["runs"]["steps"] if each.get("name") == name)
        values = {key: each["default"] for key, each in self._action["inputs"].items()} | inputs
        known = {f"inputs.{key}": value for key, value in values.items()}
        known["steps.python.outputs.python-path"] = sys.executable
        environment = {
            key: re.sub(r"\$\{\{ (\S+) \}\}", lambda match: known[match[1]], text)
            for key, text in step["env"].items()
        }
        return _run(
            *("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]),
            cwd=self._folder,
            GITHUB_ACTION_PATH=str(self._checkout),
            GITHUB_PATH=str(self._runner / "path"),
            RUNNER_TEMP=str(self._runner),
            **environment,
        )


@pytest.mark.slow
def test_action(checkout: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("def work():\n    return 1\n")
    runner = tmp_path / "runner"
    runner.mkdir()
    action = _Action(project, runner, checkout)

    done = action.step("Install functrace")
    assert done.returncode == 0, done.stderr
    (on_path,) = (runner / "path").read_text().splitlines()
    assert [path.name for path in Path(on_path).iterdir()] == ["functrace"]
    done = action.step("Run functrace")
    assert done.returncode == 0, done.stderr

    done = action.step("Run functrace", command="inject --include 'w*' --out ../traced .")
    assert done.returncode == 0, done.stderr
    assert "_functrace_.trace" in (tmp_path / "traced" / "app.py").read_text()

    command = Path(on_path, "functrace")
    assert _run(command, "inject", "-w", "app.py", cwd=project).returncode == 0
    done = action.step("Run functrace")
    assert done.returncode != 0
    assert "app.py: 1 function" in done.stdout


@pytest.mark.slow
def test_hooks_of_pre_commit(checkout: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    source = "def work():\n    return 1\n"
    (project / "app.py").write_text(source)
    _run("git", "init", "-q", cwd=project)

    def hook(name: str) -> subprocess.CompletedProcess[str]:
        _run("git", "add", "-A", cwd=project)
        pre_commit = Path(sys.executable).with_name("pre-commit")
        words = [pre_commit, "try-repo", checkout, name, "--all-files"]
        return _run(*words, cwd=project, PRE_COMMIT_HOME=str(tmp_path / "home"))

    done = hook("functrace-strip-check")
    assert done.returncode == 0, done.stdout
    inject = [sys.executable, "-m", "functrace", "inject", "-w", "app.py"]
    assert _run(*inject, cwd=project).returncode == 0
    done = hook("functrace-strip-check")
    assert done.returncode == 1
    assert "app.py: 1 function" in done.stdout
    assert hook("functrace-strip").returncode == 1  # pre-commit fails where a hook changes files
    assert (project / "app.py").read_text() == source
    assert hook("functrace-strip").returncode == 0


def test_every_package_is_published() -> None:
    """A wheel contains the packages that pyproject.toml lists, and no others."""
    folders = [
        file.parent
        for name in ("functrace", "rewriter")
        for file in (ROOT / name).rglob("__init__.py")
    ]
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert {*PROJECT["tool"]["setuptools"]["packages"]} == {*packages, "runtime_go"}
