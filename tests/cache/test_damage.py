"""Recovery from a damaged cache: the next run is correct and rewrites the entry."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import pythons
from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE

_APP = "import lib\n\ndef main():\n    print(lib.answer(6))\n\nmain()\n"
_LIB = "def answer(n):\n    return n * 7\n"
_GO = """package main

func answer(n int) int { return n * 7 }

func main() { println(answer(6)) }
"""
_CALLS = "t[01]:\t->__main__.main\nt[01]:\t\t->lib.answer\nt[01]:\t\t<-lib.answer\n42\n"

Damage = Callable[[list[Path]], None]


def _rewrite(files: list[Path], change: Callable[[bytes], bytes]) -> None:
    for file in files:
        file.write_bytes(change(file.read_bytes()))


def _cut(files: list[Path]) -> None:
    _rewrite(files, lambda content: content[: len(content) * 2 // 3])


def _empty(files: list[Path]) -> None:
    _rewrite(files, lambda _: b"")


def _flip_in_the_middle(files: list[Path]) -> None:
    _rewrite(files, lambda content: _flipped(content, len(content) // 2))


def _flip_everywhere(files: list[Path]) -> None:
    """Flip one bit in eight bytes: unmarshalling that crashes the interpreter."""

    def change(content: bytes) -> bytes:
        for at in range(28, len(content), 8):
            content = _flipped(content, at)
        return content

    _rewrite(files, change)


def _flip_at_the_ends(files: list[Path]) -> None:
    _rewrite(files, lambda content: _flipped(_flipped(content, 0), len(content) - 1))


def _change_a_digit(files: list[Path]) -> None:
    _rewrite(files, lambda content: content.replace(b"n * 7", b"n * 8"))
    _rewrite(files, lambda content: content.replace(b"\xe9\x07\0\0\0", b"\xe9\x08\0\0\0"))


def _swap(files: list[Path]) -> None:
    contents = [file.read_bytes() for file in files]
    for file, content in zip(files, [*contents[1:], contents[0]], strict=True):
        file.write_bytes(content)


DAMAGES: list[Damage] = [
    _cut,
    _empty,
    _flip_in_the_middle,
    _flip_everywhere,
    _flip_at_the_ends,
    _change_a_digit,
    _swap,
]


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


def _entries(cache: Path) -> list[Path]:
    names = ("*/siphash*", "*/fnv*")
    return sorted(path for name in names for path in cache.glob(name) if path.is_file())


@pytest.mark.parametrize("python", pythons.each_python())
def test_damaged_python_entry(python: pythons.Python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(_APP)
    (tmp_path / "lib.py").write_text(_LIB)
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "functrace", "run", "-q", "--python", python.executable]
    for damage in (lambda _: None, *DAMAGES):
        files = _entries(cache / "python")
        before = [file.read_bytes() for file in files]
        damage(files)
        done = _run([*command, "app.py"], tmp_path, cache)
        assert (done.returncode, done.stderr) == (0, ""), damage
        assert done.stdout.startswith(_CALLS), damage
        assert len(_entries(cache / "python")) == 2
        assert [file.read_bytes() for file in files] == before, damage


@pytest.mark.parametrize("main", ["-m", "-c"])
def test_damaged_main_module_entry(main: str, tmp_path: Path) -> None:
    """Entries that Python itself reads are checked first."""
    (tmp_path / "app.py").write_text(_APP)
    (tmp_path / "lib.py").write_text(_LIB)
    words = {"-m": ["-m", "app"], "-c": ["-c", _APP]}[main]
    command = [sys.executable, "-m", "functrace", "run", "-q", *words]
    for damage in (lambda _: None, _cut, _flip_everywhere):
        damage(_entries(tmp_path / "cache" / "python"))
        done = _run(command, tmp_path, tmp_path / "cache")
        assert (done.returncode, done.stderr) == (0, ""), damage
        assert done.stdout.startswith(_CALLS), damage


def _expect_4201(files: list[Path]) -> None:
    before = [file.read_bytes() for file in files]
    _rewrite(files, lambda content: content.replace(b"\x68\x10\0\0", b"\x69\x10\0\0"))
    assert [file.read_bytes() for file in files] != before


@pytest.mark.parametrize("damage", [_cut, _expect_4201])
def test_damaged_pytest_bytecode(damage: Damage, tmp_path: Path) -> None:
    """pytest compiles test modules itself and writes them to functrace's cache."""
    (tmp_path / "lib.py").write_text(_LIB)
    (tmp_path / "test_lib.py").write_text(
        "import lib\n\ndef test():\n    assert lib.answer(600) == 4200\n"
    )
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_lib.py"]
    command = [sys.executable, "-m", "functrace", "run", *words]
    for _ in range(2):
        done = _run(command, tmp_path, tmp_path / "cache")
        assert done.returncode == 0, done.stderr
        assert "2 functions of 2 modules" in done.stderr
        files = list((tmp_path / "cache").rglob("*.pytest/*.pyc"))
        assert len(files) == 1
        before = [file.read_bytes() for file in files]
        damage(files)
    assert _run(command, tmp_path, tmp_path / "cache").returncode == 0
    assert [file.read_bytes() for file in files] == before


def test_damaged_go_entry(go: Go, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/m\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text(_GO)
    (tmp_path / "other.go").write_text("package main\n\nfunc other() int { return 7 }\n")
    cache = tmp_path / "cache"
    environment = go.environment({k: v for k, v in os.environ.items() if k[:9] != "FUNCTRACE"})
    command = [sys.executable, "-m", "functrace", "go", "-q", "build", "-o", "prog", "."]
    for number, damage in enumerate((lambda _: None, *DAMAGES)):
        files = [f for f in _entries(cache / "go" / "files") if b"third.go" not in f.read_bytes()]
        before = [file.read_bytes() for file in files]
        damage(files)
        # A changed file, so that the go command compiles the package again.
        (tmp_path / "third.go").write_text(f"package main\n\nconst third = {number}\n")
        built = _run(command, tmp_path, cache, environment)
        assert built.returncode == 0, built.stderr
        done = _run([str(tmp_path / "prog")], tmp_path, cache, environment)
        assert done.stderr == "42\n", damage
        assert done.stdout.count("->main.answer\n") == 1, damage
        assert [file.read_bytes() for file in files] == before, damage


def _run(
    command: list[str], folder: Path, cache: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
    return subprocess.run(
        command,
        cwd=folder,
        env={**(environment or kept), "FUNCTRACE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
