from __future__ import annotations

import pytest

from rewriter.edit import apply
from rewriter.golang import Layout, Options, find_package_level_names, plan_inject, plan_strip
from rewriter.golang.aliases import choose_alias

RUNTIME = "example.com/m/functrace"
BODY = b"func f() *int {\n\treturn new(1)\n}\n"


def options(layout: Layout) -> Options:
    return Options(runtime_import=RUNTIME, layout=layout, closures=True)


def test_chooses_first_unused_alias() -> None:
    assert choose_alias(frozenset()) == "functrace"
    assert choose_alias(frozenset(("functrace", "functrace2"))) == "functrace1"


@pytest.mark.parametrize(
    "declaration",
    [
        "var functrace int",
        "var a, functrace int",
        "var (\n\ta         int\n\tfunctrace int\n)",
        "const functrace = 1",
        "type functrace struct{}",
        "type functrace[T any] struct{}",
        "type functrace = int",
        "func functrace() {}",
        "var functrace = new(1)",
        "func (b T[A]) to[B any]() {}\n\nfunc functrace() *int { return new(1) }",
    ],
)
def test_finds_package_level_declarations(declaration: str) -> None:
    assert find_package_level_names(f"package p\n\n{declaration}\n".encode()) == {"functrace"}


@pytest.mark.parametrize(
    "declaration",
    [
        'import functrace "fmt"',
        "func (T) functrace() {}",
        "type T struct{ functrace int }",
        "func f(functrace int) { functrace1 := 1 }",
        'const c = "functrace"',
        "var functraced int",
    ],
)
def test_ignores_names_that_are_not_package_level(declaration: str) -> None:
    assert find_package_level_names(f"package p\n\n{declaration}\n".encode()) == frozenset()


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize(
    "declaration",
    [
        b"type functrace struct{}",
        b"var functrace = new(1)",
        b"const functrace = 1",
        b"func functrace() {}",
        b'import "example.com/other/functrace"\n\nvar x = functrace.X',
        b'import functrace "example.com/other"\n\nvar x = functrace.X',
    ],
)
def test_finds_names_in_unsupported_syntax(declaration: bytes, layout: Layout) -> None:
    source = b"package p\n\n" + declaration + b"\n\n" + BODY
    once = apply(source, plan_inject(source, options(layout)).edits)
    assert b'import functrace1 "example.com/m/functrace"' in once
    assert apply(once, plan_strip(once, options(layout)).edits) == source


@pytest.mark.parametrize("layout", Layout)
def test_reuses_alias_with_non_ascii_letters(layout: Layout) -> None:
    source = 'package p\n\nimport ft_ü "example.com/m/functrace"\n\nvar x = ft_ü.Trace\n\n'.encode()
    source += BODY
    once = apply(source, plan_inject(source, options(layout)).edits)
    assert plan_inject(once, options(layout)).edits == ()
    assert apply(once, plan_strip(once, options(layout)).edits) == source
