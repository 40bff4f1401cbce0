"""inject and strip change no file outside the tree through a link."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run, contents

SOURCES = {
    "go": b"package store\n\nfunc Put() {\n\tprintln(1)\n}\n",
    "py": b"def put():\n    print(1)\n",
}


@pytest.fixture(params=SOURCES)
def suffix(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def elsewhere(module: Path, functrace: Run, suffix: str) -> Path:
    """A source beside the module, which has the runtime."""
    functrace("runtime", "add")
    file = module.parent / "elsewhere" / f"put.{suffix}"
    file.parent.mkdir()
    file.write_bytes(SOURCES[suffix])
    return file


def test_symbolic_link_out_of_the_tree_is_not_followed(
    module: Path, functrace: Run, elsewhere: Path, suffix: str
) -> None:
    before = contents(module)
    link = module / "store" / elsewhere.name
    link.symlink_to(elsewhere)
    done = functrace("inject", "-w", "-v", ".")
    assert f"store/put.{suffix}: symbolic link\n" in done.stderr
    assert "1 testdata, 1 symbolic link\n" in done.stderr
    assert elsewhere.read_bytes() == SOURCES[suffix]
    assert b"functrace" in (module / "main.go").read_bytes()

    functrace("inject", "-w", str(elsewhere))
    traced = elsewhere.read_bytes()
    assert traced != SOURCES[suffix]
    functrace("strip", "-w", ".")
    assert elsewhere.read_bytes() == traced
    link.unlink()
    assert contents(module) == before


def test_named_link_is_followed(module: Path, functrace: Run, elsewhere: Path, suffix: str) -> None:
    link = module / "store" / elsewhere.name
    link.symlink_to(elsewhere)
    assert functrace("inject", "-w", f"store/put.{suffix}").returncode == 0
    assert link.is_symlink()
    assert b"functrace" in elsewhere.read_bytes()
    functrace("strip", "-w", f"store/put.{suffix}")
    assert elsewhere.read_bytes() == SOURCES[suffix]


def test_file_with_two_names_is_processed_once(
    module: Path, functrace: Run, elsewhere: Path
) -> None:
    link, file = module / elsewhere.name, module / "store" / elsewhere.name
    file.write_bytes(elsewhere.read_bytes())
    without = json.loads(functrace("inject", "--check", "--json", ".").stdout)
    link.symlink_to(file)
    assert json.loads(functrace("inject", "--check", "--json", ".").stdout) == without
    functrace("inject", "-w", ".")
    assert link.is_symlink()
    assert b"functrace" in file.read_bytes()


def test_names_declared_in_a_linked_file_are_avoided(module: Path, functrace: Run) -> None:
    """The file belongs to the package, wherever the link leads."""
    functrace("runtime", "add")
    other = module.parent / "names.go"
    other.write_text("package store\n\nvar functrace, functrace1 int\n")
    (module / "store" / "names.go").symlink_to(other)
    functrace("inject", "-w", ".")
    assert 'import functrace2 "' in (module / "store" / "store.go").read_text()


def test_hard_link_keeps_its_bytes(
    module: Path, functrace: Run, elsewhere: Path, suffix: str
) -> None:
    file = module / "store" / elsewhere.name
    os.link(elsewhere, file)
    functrace("inject", "-w", ".")
    assert b"functrace" in file.read_bytes()
    assert elsewhere.read_bytes() == SOURCES[suffix]

    traced = file.read_bytes()
    elsewhere.unlink()
    os.link(file, elsewhere)
    functrace("strip", "-w", ".")
    assert file.read_bytes() == SOURCES[suffix]
    assert elsewhere.read_bytes() == traced


def test_output_tree_contains_files_for_links(
    module: Path, functrace: Run, elsewhere: Path, suffix: str
) -> None:
    (module / "store" / elsewhere.name).symlink_to(elsewhere)
    made = module.parent / "out" / "store" / elsewhere.name
    functrace("inject", "--out", "../out", ".")
    assert not made.is_symlink()
    assert b"functrace" in made.read_bytes()
    assert elsewhere.read_bytes() == SOURCES[suffix]

    elsewhere.write_bytes(SOURCES[suffix].replace(b"1", b"23"))
    functrace("inject", "--out", "../out", ".")
    assert b"23" in made.read_bytes()


@pytest.mark.parametrize("verb", ["inject", "strip"])
@pytest.mark.parametrize("name", ["loop", "loop.go", "loop.py"])
def test_link_to_itself_is_reported(module: Path, functrace: Run, verb: str, name: str) -> None:
    """The rest of the tree is processed as if the link did not exist."""
    functrace("runtime", "add")
    (module / "store" / name).symlink_to(name)
    done = functrace(verb, "-w", "-v", ".")
    assert f"store/{name}: unreadable symbolic link\n" in done.stderr
    assert "1 unreadable symbolic link" in done.stderr.splitlines()[-1]
    assert done.returncode == 0
    assert (b"functrace" in (module / "main.go").read_bytes()) == (verb == "inject")
    named = functrace(verb, "-w", f"store/{name}")
    assert (named.returncode, named.stderr.count("\n")) == (1, 1)
    assert f"store/{name}: Too many levels of symbolic links" in named.stderr


def test_link_to_itself_is_copied(module: Path, functrace: Run) -> None:
    functrace("runtime", "add")
    (module / "store" / "loop").symlink_to("loop")
    done = functrace("inject", "--out", "../out", ".")
    assert (done.returncode, "1 unreadable symbolic link" in done.stderr) == (0, True)
    assert (module.parent / "out" / "store" / "loop").readlink() == Path("loop")


def test_unreadable_folder_is_reported(
    module: Path, functrace: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is processed, with status 1. Even root cannot read a folder with a too long path."""
    functrace("runtime", "add")
    monkeypatch.chdir(module)
    for _ in range(20):
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
    done = functrace("inject", "-w", ".")
    assert done.returncode == 1
    assert "/" + "d" * 250 + ": File name too long\n" in done.stderr
    assert "  failed: 1 folder, left as it was\n" in done.stderr
    assert b"functrace" in (module / "main.go").read_bytes()
