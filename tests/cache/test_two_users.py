"""Files planted by another user of the machine are never executed."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from _frozen_importlib_external import MAGIC_NUMBER
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs commands as two users")
_USER, _OTHER = 4321, 4322
_APP = "import lib\n\ndef main():\n    print(lib.answer(6))\n\nmain()\n"
_LIB = "def answer(n):\n    return n * 7\n"
_CALLS = "t[01]:\t->__main__.main\nt[01]:\t\t->lib.answer\nt[01]:\t\t<-lib.answer\n42\n"
_FUNCTRACE = [sys.executable, "-m", "functrace"]


@pytest.fixture
def shared() -> Iterator[Path]:
    """Create a sticky temporary directory like /tmp."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o1777)
        yield Path(name)


@pytest.fixture
def work(shared: Path) -> Path:
    """Create the victim's working directory, writable by everybody, with a program in it."""
    folder = shared / "work"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "app.py").write_text(_APP)
    (folder / "lib.py").write_text(_LIB)
    return folder


def _run(
    words: list[str], folder: Path, user: int, **more: str
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
    return subprocess.run(
        words,
        cwd=folder,
        env={**kept, "XDG_CACHE_HOME": "", **more},
        user=user,
        group=user,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.fixture(params=[0, _USER])
def victim(request: pytest.FixtureRequest, shared: Path) -> int:
    user: int = request.param
    try:
        _run([*_FUNCTRACE, "--version"], shared, user).check_returncode()
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("no user but root can read this Python")
    return user


def _own(path: Path, user: int) -> None:
    for found in (path, *path.rglob("*")):
        os.chown(found, user, user)


def _plant(cache: Path) -> None:
    """Replace the code of every cache entry, with a valid digest."""
    from functrace.cache import entries

    code = marshal.dumps(compile("print('PLANTED')", "planted", "exec"))
    for path in cache.glob("python/*/*-*"):
        key = path.name.partition("-")[2]
        content = entries.read(str(cache / "python"), key)
        assert content is not None
        size = 16 if key.endswith(".pyc") else 24
        assert content[:4] == MAGIC_NUMBER
        entries.put(str(cache / "python"), key, content[:size] + code)


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_planted_temporary_cache_is_not_used(
    shared: Path, work: Path, victim: int, kind: str
) -> None:
    """There is no home directory, and the attacker owns the one in TMPDIR."""
    place = shared / f"functrace-{victim}"
    (shared / "others").mkdir(0o777)
    (shared / "others").chmod(0o777)
    if kind == "folder":
        place.mkdir(0o777)
    elif kind == "file":
        place.write_text("")
    else:
        place.symlink_to(shared / "others")
    os.chown(place, _OTHER, _OTHER, follow_symlinks=False)
    before = sorted(work.iterdir())
    done = _run(
        [*_FUNCTRACE, "run", "-q", "app.py"], work, victim, HOME="/dev/null", TMPDIR=str(shared)
    )
    assert done.stdout.startswith(_CALLS)
    assert done.stderr.startswith("functrace: caching is disabled: ")
    assert f"{place} belongs to another user" in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(work.iterdir()) == before, "files in the current folder"
    assert list((shared / "others").iterdir()) == []


def test_root_with_another_users_home(shared: Path, work: Path) -> None:
    """As with a sudo that keeps HOME and all variables: the planted cache matches exactly."""
    home = shared / "home"
    cache = home / ".cache" / "functrace"
    asked = {"FUNCTRACE_CACHE": str(cache), "TMPDIR": str(shared)}
    words = [*_FUNCTRACE, "run", "-q", "app.py"]
    assert _run(words, work, 0, **asked).stdout.startswith(_CALLS)
    _plant(cache)
    assert "PLANTED" in _run(words, work, 0, **asked).stdout, "the test plants nothing"
    _own(home, _OTHER)
    before = sorted(cache.rglob("*"))
    for more in (asked, {"HOME": str(home), "TMPDIR": str(shared)}):
        done = _run(words, work, 0, **more)
        assert done.stdout.startswith(_CALLS)
    assert sorted(cache.rglob("*")) == before, "root has written to the other's cache"
    hook = {"FUNCTRACE_HOOK": f"cache={cache}/python", "PYTHONPATH": _start()}
    done = _run([sys.executable, "app.py"], work, 0, FUNCTRACE="text", TMPDIR=str(shared), **hook)
    assert done.stdout.startswith(_CALLS), done.stderr


def test_unsafe_functrace_cache_is_named_on_stderr(shared: Path, work: Path, victim: int) -> None:
    cache = shared / "cache"
    cache.mkdir()
    _own(cache, _OTHER)
    done = _run(
        [*_FUNCTRACE, "run", "-q", "app.py"], work, victim,
        FUNCTRACE_CACHE=str(cache), TMPDIR=str(shared),
    )  # fmt: skip
    private = shared / f"functrace-{victim}"
    assert done.stderr == (
        f"functrace: FUNCTRACE_CACHE: {cache} belongs to another user; "
        f"using {private} for the cache\n"
    )
    assert done.stdout.startswith(_CALLS)
    assert private.stat().st_mode & 0o777 == 0o700


def test_build_with_another_users_cache(go: Go, shared: Path, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/m\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() { println(42) }\n")
    cache = shared / "cache"
    environment = go.environment({k: v for k, v in os.environ.items() if k[:9] != "FUNCTRACE"})
    more = {**environment, "FUNCTRACE_CACHE": str(cache), "TMPDIR": str(shared)}
    words = [*_FUNCTRACE, "go", "-q", "build", "-o", "prog", "."]
    assert _run(words, tmp_path, 0, **more).returncode == 0
    _own(cache, _OTHER)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    done = _run(words, tmp_path, 0, **more)
    assert done.returncode == 0
    assert (
        f"{cache} belongs to another user; using {shared}/functrace-0 for the cache" in done.stderr
    )
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before
    assert (shared / "functrace-0" / "go" / "files").is_dir()


def test_clean_keeps_directories_of_other_users(shared: Path) -> None:
    place = shared / "functrace-0"
    (place / "python").mkdir(parents=True)
    _own(place, _OTHER)
    done = _run(
        [*_FUNCTRACE, "go", "clean"], shared, 0,
        HOME=str(shared), TMPDIR=str(shared), FUNCTRACE_CACHE=str(place),
    )  # fmt: skip
    assert done.returncode == 0
    assert (place / "python").is_dir()


@pytest.mark.parametrize("content", ['runtime-import = "evil.example/functrace"', "no TOML"])
def test_configuration_file_of_another_user_is_ignored(shared: Path, content: str) -> None:
    """The modules it names would be imported by every instrumented file."""
    module = shared / "module"
    module.mkdir()
    (module / "go.mod").write_text("module example.com/m\n\ngo 1.21\n")
    (module / "main.go").write_text("package main\n\nfunc main() {}\n")
    (shared / "functrace.toml").write_text(content)
    os.chown(shared / "functrace.toml", _OTHER, _OTHER)
    done = _run([*_FUNCTRACE, "inject", "--out", "../out", "."], module, 0, TMPDIR=str(shared))
    assert "evil.example" not in done.stdout + done.stderr
    assert "evil.example" not in "".join(
        path.read_text() for path in (shared / "out").rglob("*.go")
    )
    assert "no TOML" in content or (
        f"functrace: {shared}/functrace.toml: ignored, since it belongs to another user\n"
        in done.stderr
    )
    os.chown(shared / "functrace.toml", 0, 0)
    assert "is ignored" not in _run([*_FUNCTRACE, "doctor"], module, 0).stderr


def _start() -> str:
    from functrace.pyimport.launch import START

    return START
