"""Marks in the compiler's flags, by which Go's build cache separates builds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from functrace.gobuild import prepare
from functrace.gobuild.go_command import parse
from functrace.gobuild.go_environment import Environment
from functrace.gobuild.prepare import Request
from functrace.gobuild.session import Session
from functrace.sources.go.module import Module
from rewriter.filters import Filters
from rewriter.golang import Options
from tests.support.toolchains import Go

OPTIONS = (
    Options(),
    Options(errors=True),
    Options(closures=True),
    Options(filters=Filters(exclude_path=("x.org/m/a",))),
)
DEPENDENCIES = (
    (),
    ("...",),
    ("all",),
    ("*",),
    ("dep.org/d/...",),
    ("dep.org/*/e",),
    ("x.org/...",),
)
FLAGS = ((), ("-gcflags=all=-N",), ("-gcflags=-m",), ("-gcflags=dep.org/...=-l",), ("-tags=trace",))
PACKAGES = "x.org/m x.org/m/a x.org/m/nested dep.org/d/e container/list os".split()


@pytest.fixture
def where(go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("FUNCTRACE_CACHE", str(tmp_path / "cache"))
    for folder in ("m/a", "m/nested"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "m/nested/go.mod").write_text("module x.org/m/nested\n")
    modules = (Module(tmp_path / "m", "x.org/m"),)
    return Environment(
        go.binaries / "go", go.source.parent, tmp_path, (), (), modules, (), is_for_this_system=True
    )


def test_packages_instrumented_differently_have_different_marks(
    where: Environment, tmp_path: Path
) -> None:
    seen: dict[tuple[str, ...], object] = {}
    nested = replace(
        where, modules=(*where.modules, Module(tmp_path / "m/nested", "x.org/m/nested"))
    )
    for place, options, deps, std in product((where, nested), OPTIONS, DEPENDENCIES, (False, True)):
        session = _session(Request(options, deps, std), place, tmp_path)
        for flags in FLAGS:
            words = prepare.build_command_line(session, parse("build", [*flags, "."]), place)
            for package in PACKAGES:
                key = (package, *_compiler_flags(words, package, session))
                is_traced = session.scope.contains(package)
                assert not is_traced or any(word.startswith("-functrace=") for word in key)
                content = (is_traced, session.options if is_traced else None)
                assert seen.setdefault(key, content) == content, (key, deps, std, flags)


def test_light_builds_have_marks_of_their_own(where: Environment, tmp_path: Path) -> None:
    named = Options(filters=Filters(include=("f",)))  # all that is left is named

    def marks(options: Options, *, light: bool) -> dict[str, str]:
        return _session(Request(options, light=light), where, tmp_path).marks()

    assert marks(Options(), light=True) != marks(Options(), light=False)
    assert marks(named, light=True) == marks(named, light=False)


def _session(request: Request, where: Environment, folder: Path) -> Session:
    """Return the session of a request, without the go commands that ``std`` needs."""
    session = prepare.create_session(replace(request, std=False), where, folder)
    standard = ("container/list",) if request.std else ()
    return replace(session, scope=replace(session.scope, std=standard))


def _compiler_flags(words: list[str], package: str, session: Session) -> Iterator[str]:
    """Yield the flags that the go command passes to the compiler for a package.

    Source: https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies, ``-gcflags``.
    """
    flags = ""
    for word in (w.removeprefix("-gcflags=") for w in words if w.startswith("-gcflags=")):
        pattern, value = ("", word) if word.startswith("-") else word.split("=", 1)
        if _is_matched(pattern, package, session):
            flags = value
    yield from flags.split()


def _is_matched(pattern: str, package: str, session: Session) -> bool:
    if pattern == "":
        return package == "x.org/m"  # the package on the command line
    if pattern == "std":
        return session.scope.is_standard(package)
    head, tail = (pattern[:-4], "(/.*)?") if pattern.endswith("/...") else (pattern, "")
    wild = re.escape(head).replace(re.escape("..."), ".*") + tail
    return pattern == "all" or re.fullmatch(wild, package) is not None
