"""Which folders code may be read from: those that no other user can write to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from functrace.cache import folders
from functrace.cache.trust import distrust, distrust_parent

_OTHER = 4321
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of another user")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder that everybody may enter, unlike pytest's own."""
    for folder in (tmp_path, *tmp_path.parents):  # each worker of pytest-xdist has its own below
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    return tmp_path


def _own(base: Path) -> Path:
    folder = base / "a" / "cache"
    folder.mkdir(parents=True)
    for made in (folder.parent, folder):
        made.chmod(0o755)
    return folder


def _writable_by_group(base: Path) -> Path:
    _own(base).chmod(0o770)
    return base / "a" / "cache"


def _sticky(base: Path) -> Path:
    _own(base).chmod(0o1777)
    return base / "a" / "cache"


def _below_writable(base: Path) -> Path:
    folder = _own(base)
    folder.parent.chmod(0o777)
    return folder


def _below_sticky(base: Path) -> Path:
    folder = _own(base)
    folder.parent.chmod(0o1777)
    return folder


def _below_writable_in_closed(base: Path) -> Path:
    base.chmod(0o700)
    return _below_writable(base)


def _linked(base: Path) -> Path:
    (base / "link").symlink_to(_own(base).parent)
    return base / "link" / "cache"


def _linked_out_of_closed(base: Path) -> Path:
    """A closed folder protects what it contains, and not what a link in it leads to."""
    closed = base / "closed"
    closed.mkdir(0o700)
    (closed / "link").symlink_to("../a")
    _below_writable(base)
    return closed / "link" / "cache"


def _linked_in_writable(base: Path) -> Path:
    shared = base / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (shared / "link").symlink_to(_own(base))
    return shared / "link"


def _loop(base: Path) -> Path:
    (base / "x").symlink_to("y")
    (base / "y").symlink_to("x")
    return base / "x"


def _of_another(base: Path) -> Path:
    folder = _own(base)
    os.chown(folder, _OTHER, _OTHER)
    return folder


def _below_another(base: Path) -> Path:
    folder = _own(base)
    os.chown(folder.parent, _OTHER, _OTHER)
    return folder


def _link_of_another(base: Path) -> Path:
    link = _linked(base)
    os.chown(link.parent, _OTHER, _OTHER, follow_symlinks=False)
    return link


SAFE: list[Callable[[Path], Path]] = [_own, _below_sticky, _below_writable_in_closed, _linked]
UNSAFE: list[Callable[[Path], Path]] = [
    _writable_by_group,
    _sticky,
    _below_writable,
    _linked_out_of_closed,
    _linked_in_writable,
    _loop,
]
OF_ANOTHER: list[Callable[[Path], Path]] = [_of_another, _below_another, _link_of_another]


@pytest.mark.parametrize("make", SAFE)
def test_safe(make: Callable[[Path], Path], base: Path) -> None:
    assert distrust(str(make(base))) == ""


@pytest.mark.parametrize("make", UNSAFE)
def test_unsafe(make: Callable[[Path], Path], base: Path) -> None:
    folder = make(base)
    assert distrust(str(folder)).startswith(str(base))
    assert folders.make(str(folder)) != ""


@needs_root
@pytest.mark.parametrize("make", OF_ANOTHER)
def test_of_another_user(make: Callable[[Path], Path], base: Path) -> None:
    assert distrust(str(make(base))).endswith("belongs to another user")


def test_dots_are_followed_as_the_system_does(base: Path) -> None:
    link = _linked(base).parent
    assert distrust(f"{link}/./cache/../cache") == ""


def test_temporary_files_may_be_made_in_sticky_folders_only(base: Path) -> None:
    assert distrust_parent(str(_sticky(base))) == ""
    (base / "a" / "cache").chmod(0o777)
    assert distrust_parent(str(base / "a" / "cache")) != ""


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_folders_are_made_for_their_owner_alone(base: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert folders.make(str(base / "x" / "y" / "z")) == ""
    finally:
        os.umask(before)
    for made in ("x", "x/y", "x/y/z"):
        assert (base / made).stat().st_mode & 0o7777 == 0o700


@needs_root
def test_nothing_is_made_in_a_folder_of_another(base: Path) -> None:
    """As root with another user's HOME would do, whose cache it would break."""
    folder = _of_another(base)
    assert "belongs to another user" in folders.make(str(folder / "functrace" / "python"))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("home", ["relative", "", None])
@pytest.mark.parametrize("cache_home", ["relative", "", None])
def test_a_relative_folder_is_no_place_for_a_cache(
    home: str | None, cache_home: str | None, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(base)
    monkeypatch.delenv("FUNCTRACE_CACHE", raising=False)
    monkeypatch.setenv("TMPDIR", str(base))
    for name, value in (("HOME", home), ("XDG_CACHE_HOME", cache_home)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(folders, "make", lambda _: "")
    assert os.path.isabs(folders.choose("python").folder)


def test_a_cache_that_was_asked_for_and_is_not_safe_is_named(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _writable_by_group(base)
    monkeypatch.setenv("FUNCTRACE_CACHE", str(asked))
    monkeypatch.setenv("TMPDIR", str(base))
    choice = folders.choose("python")
    private = base / f"functrace-{os.geteuid()}"
    assert choice.folder == str(private / "python")
    assert choice.complaint == (
        f"FUNCTRACE_CACHE: {asked} can be written to by other users; the cache is in {private}"
    )
    private.chmod(0o777)
    choice = folders.choose("python")
    assert choice.folder == ""
    assert choice.complaint == (
        f"nothing is kept in a cache: {asked} can be written to by other users; "
        f"{private} can be written to by other users"
    )
