"""Which packages of a build are instrumented."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.golang import runtime
from functrace.golang.gobuild.scope import Scope, plain
from functrace.golang.module import Module


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    for folder in ("m/a", "m/nested/x", "m/inner", "m/internal/functrace", "lib"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("m", "m/nested", "m/inner", "lib"):
        (tmp_path / folder / "go.mod").write_text("module x\n")
    runtime.add(tmp_path / "m" / "internal" / "functrace")
    modules = (("x.org/m", "m"), ("x.org/m/inner", "m/inner"), ("lib", "lib"))
    return Scope(
        tuple(Module(tmp_path / folder, path) for path, folder in modules),
        ("dep.org/d/...", "dep.org/e"),
        ("fmt",),
    )


@pytest.mark.parametrize(
    "package",
    "x.org/m x.org/m/a x.org/m/a_test[x.org/m/a.test] x.org/m/inner lib command-line-arguments "
    "dep.org/d dep.org/d/x dep.org/e fmt".split(),
)
def test_in_scope(scope: Scope, package: str) -> None:
    assert scope.holds(package.replace("[", " ["))


@pytest.mark.parametrize(
    "package",
    "x.org/m/nested x.org/m/nested/x x.org/m/none x.org/mm library dep.org/e/x dep.org/dd os "
    "x.org/m/internal/functrace".split(),
)
def test_out_of_scope(scope: Scope, package: str) -> None:
    assert not scope.holds(package)


def test_plain_names() -> None:
    assert plain("p [p.test]") == "p"
    assert plain("p_test [p.test]") == "p"
    assert plain("p_test") == "p_test"
