"""Tests of the selection of packages to instrument."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.gobuild.package_filter import Scope, import_path_of
from functrace.sources.go import runtime_copy
from functrace.sources.go.module import Module


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    for folder in ("m/a", "m/nested/x", "m/inner", "m/internal/functrace", "lib"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("m", "m/nested", "m/inner", "lib"):
        (tmp_path / folder / "go.mod").write_text("module x\n")
    for package in ("fmt", "os", "net/http", "strings"):
        file = tmp_path / "go" / "src" / package / "x.go"
        file.parent.mkdir(parents=True)
        file.write_text("package x\n")
    runtime_copy.add(tmp_path / "m" / "internal" / "functrace")
    modules = (("x.org/m", "m"), ("x.org/m/inner", "m/inner"), ("lib", "lib"))
    return Scope(
        tuple(Module(tmp_path / folder, path) for path, folder in modules),
        ("dep.org/d/...", "dep.org/e", "os", "net/*"),
        tmp_path / "go",
        ("fmt",),
    )


@pytest.mark.parametrize(
    "package",
    "x.org/m x.org/m/a x.org/m/a_test[x.org/m/a.test] x.org/m/inner lib command-line-arguments "
    "dep.org/d dep.org/d/x dep.org/e fmt net/x.org".split(),
)
def test_in_scope(scope: Scope, package: str) -> None:
    assert scope.contains(package.replace("[", " ["))


@pytest.mark.parametrize(
    "package",
    "x.org/m/nested x.org/m/nested/x x.org/m/none x.org/mm library dep.org/e/x dep.org/dd os "
    "x.org/m/internal/functrace net/http strings".split(),
)
def test_out_of_scope(scope: Scope, package: str) -> None:
    assert not scope.contains(package)


def test_dependencies_that_match_nothing(scope: Scope) -> None:
    nothing = "matches no package of this build"
    assert list(scope.unmatched(["dep.org/d/x", "dep.org/e_test [dep.org/e.test]", "os"])) == [
        f"--deps os {nothing} outside the standard library; --std instruments that",
        f"--deps net/* {nothing}",
    ]


def test_go_patterns_match_every_package_that_the_glob_matches() -> None:
    globs = ("x.org/...", "x.org/*/y", "./x.org/a?", "*", "a=b", "-x", "", "all", "x.org/a~b+c-d")
    scope = Scope((), globs, Path("go"))
    assert list(scope.dependency_patterns()) == [
        "x.org/...", "x.org/.../y", "x.org/a...", "...", "a...b", "...x", "all", "x.org/a~b+c-d",
    ]  # fmt: skip


def test_import_paths_of_test_packages() -> None:
    assert import_path_of("p [p.test]") == "p"
    assert import_path_of("p_test [p.test]") == "p"
    assert import_path_of("p_test") == "p_test"
