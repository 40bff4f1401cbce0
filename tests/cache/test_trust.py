"""Cache directories must not be writable by other users."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from functrace.cache import folders
from functrace.cache.trust import find_parent_risk, find_risk

_OTHER = 4321
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of another user")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Return a directory that everybody can enter, unlike pytest's own."""
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
    """A private directory protects its content, but not the target of a link in it."""
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


def _owned_by_other(base: Path) -> Path:
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
OWNED_BY_OTHER: list[Callable[[Path], Path]] = [_owned_by_other, _below_another, _link_of_another]


@pytest.mark.parametrize("make", SAFE)
def test_safe_directories(make: Callable[[Path], Path], base: Path) -> None:
    assert find_risk(str(make(base))) == ""


@pytest.mark.parametrize("make", UNSAFE)
def test_unsafe_directories(make: Callable[[Path], Path], base: Path) -> None:
    folder = make(base)
    assert find_risk(str(folder)).startswith(str(base))
    assert folders.make(str(folder)) != ""


@needs_root
@pytest.mark.parametrize("make", OWNED_BY_OTHER)
def test_directories_of_another_user_are_unsafe(make: Callable[[Path], Path], base: Path) -> None:
    assert find_risk(str(make(base))).endswith("belongs to another user")


def test_dots_resolve_as_in_the_kernel(base: Path) -> None:
    link = _linked(base).parent
    assert find_risk(f"{link}/./cache/../cache") == ""


def test_shared_parent_must_be_sticky(base: Path) -> None:
    assert find_parent_risk(str(_sticky(base))) == ""
    (base / "a" / "cache").chmod(0o777)
    assert find_parent_risk(str(base / "a" / "cache")) != ""


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_created_directories_are_private(base: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert folders.make(str(base / "x" / "y" / "z")) == ""
    finally:
        os.umask(before)
    for made in ("x", "x/y", "x/y/z"):
        assert (base / made).stat().st_mode & 0o7777 == 0o700


@needs_root
def test_nothing_is_created_in_another_users_directory(base: Path) -> None:
    """Like root with another user's HOME, which would break that user's cache."""
    folder = _owned_by_other(base)
    assert "belongs to another user" in folders.make(str(folder / "functrace" / "python"))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("home", ["relative", "", None])
@pytest.mark.parametrize("cache_home", ["relative", "", None])
def test_relative_cache_directory_is_ignored(
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


def test_unsafe_functrace_cache_is_reported(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _writable_by_group(base)
    monkeypatch.setenv("FUNCTRACE_CACHE", str(asked))
    monkeypatch.setenv("TMPDIR", str(base))
    choice = folders.choose("python")
    private = base / f"functrace-{os.geteuid()}"
    assert choice.folder == str(private / "python")
    assert choice.warning == (
        f"FUNCTRACE_CACHE: {asked} is writable by other users; using {private} for the cache"
    )
    private.chmod(0o777)
    choice = folders.choose("python")
    assert choice.folder == ""
    assert choice.warning == (
        f"caching is disabled: {asked} is writable by other users; "
        f"{private} is writable by other users"
    )
