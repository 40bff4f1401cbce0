"""Names for error results: added by inject and removed by strip."""

from __future__ import annotations

import pytest

from rewriter.edit import apply
from rewriter.golang import Layout, Options, find_package_level_names, plan_inject, plan_strip

ERRORS = Options(errors=True, closures=True)
PLAIN = Options(closures=True)


def inject(source: bytes, options: Options = ERRORS) -> bytes:
    return apply(source, plan_inject(source, options).edits)


def strip(source: bytes) -> bytes:
    return apply(source, plan_strip(source, Options()).edits)


def function(head: str) -> bytes:
    return f"package p\n\n{head} {{\n\tpanic(1)\n}}\n".encode()


@pytest.mark.parametrize(
    ("head", "made", "name"),
    [
        ("func f() error", "func f() (functraceErr error)", "functraceErr"),
        ("func f() (error)", "func f() (functraceErr  error)", "functraceErr"),
        ("func f() ( error )", "func f() ( functraceErr error )", "functraceErr"),
        ("func f() (a, error)", "func f() (_ a, functraceErr error)", "functraceErr"),
        ("func f() (a, b error)", "func f() (a, b error)", "b"),
        ("func f() (_, _ error)", "func f() (_, functraceErr0 error)", "functraceErr0"),
        ("func f() (_ error)", "func f() (functraceErr0 error)", "functraceErr0"),
        ("func f() (err error)", "func f() (err error)", "err"),
        ("func f() (größe error)", "func f() (größe error)", "größe"),
        ("func (t T) f() error", "func (t T) f() (functraceErr error)", "functraceErr"),
        ("func f[T any]() error", "func f[T any]() (functraceErr error)", "functraceErr"),
        ("func (T) f[U any]() error", "func (T) f[U any]() (functraceErr error)", "functraceErr"),
    ],
)
@pytest.mark.parametrize("layout", Layout)
def test_names_last_error_result(layout: Layout, head: str, made: str, name: str) -> None:
    source = function(head)
    once = inject(source, Options(errors=True, layout=layout))
    assert f"{made} {{".encode() in once
    assert f"defer functrace.Exit(functrace.Enter(), &{name})".encode() in once
    assert inject(once) == once
    assert strip(once) == source


@pytest.mark.parametrize(
    "head",
    [
        "func f()",
        "func f() int",
        "func f() (error, int)",
        "func f() (a, b error, c int)",
        "func f() *error",
        "func f() []error",
        "func f() func() error",
        "func f() (func() error)",
        "func f() ((error))",
        "func f() pkg.error",
        "func f() error[int]",
        "func f() (functraceErr error)",
        "func f() (functraceErr01 error)",
        "func f(error int) error",
        "func f(a, error int) error",
        "func f[error any]() error",
        "func f[A, error any]() error",
        "func f[A any, /* b */ error any]() error",
        "func (t T[error]) f() error",
        "func (T[A, error]) f() (A, error)",
        "func (T) f[error any]() error",
        "//export f\nfunc f() error",
        "type error int\n\nfunc f() error",
        "type error[T any] int\n\nfunc f() error",
        "type error=int\n\nfunc f() error",
        "type /* a */ error /* b */ int\n\nfunc f() error",
        "type (\n\ta int\n\terror int\n)\n\nfunc f() error",
        "type (a int; error interface{})\n\nfunc f() error",
        "type (error int)\n\nfunc f() error",
        "func g() { type error int }\n\nfunc f() error",
    ],
)
def test_passes_no_error_without_error_result(head: str) -> None:
    source = function(head)
    assert inject(source) == inject(source, PLAIN)


@pytest.mark.parametrize(
    "head",
    [
        "func f(error) error",
        "func f(error, int) error",
        "func f(int, error) error",
        "func f(a []error) error",
        "func f[T error]() error",
        "func f[T interface{ error }]() error",
        "type t struct{ error }\n\nfunc f() error",
        "type t interface {\n\terror\n\tM()\n}\n\nfunc f() error",
        "// The type error is known.\nfunc f() error",
        "const c = `\ntype error int`\n\nfunc f() error",
        "type T[error any] struct{}\n\nfunc f() error",
        "func g[error any]() {}\n\nfunc f() error",
        "//exported f\nfunc f() error",
        "//export f\nfunc f() (err error)",
    ],
)
def test_passes_error_that_is_not_shadowed(head: str) -> None:
    assert b".Exit(functrace.Enter(), &" in inject(function(head))


@pytest.mark.parametrize(
    ("declaration", "names"),
    [
        ("type error int", {"error"}),
        ("type (\n\ta int\n\terror = int\n)", {"error"}),
        ("type error int\nvar functrace int", {"error", "functrace"}),
        ("func f() { type error int }", set()),
        ("type t struct{ error error }", set()),
    ],
)
def test_package_level_names_include_error(declaration: str, names: set[str]) -> None:
    assert find_package_level_names(f"package p\n\n{declaration}\n".encode()) == names


def test_keeps_calls_of_the_other_form() -> None:
    source = function("func f() error")
    for first, second in ((ERRORS, PLAIN), (PLAIN, ERRORS)):
        once = inject(source, first)
        assert inject(once, second) == once


def test_later_function_gets_another_name() -> None:
    old, new = b"func f() error {\n\tpanic(1)\n}\n", b"\nfunc g() error {\n\tpanic(2)\n}\n"
    once = inject(inject(b"package p\n\n" + old) + new)
    assert b"func g() (functraceErr1 error)" in once
    assert strip(once) == b"package p\n\n" + old + new


def test_strip_keeps_name_in_use() -> None:
    once = inject(function("func f() error"))
    edited = once.replace(b"panic(1)", b"return functraceErr")
    assert strip(edited) == (
        b"package p\n\nfunc f() (functraceErr error) {\n\treturn functraceErr\n}\n"
    )


def test_strip_gives_valid_go_after_result_was_added() -> None:
    once = inject(function("func f() error"))
    edited = once.replace(b"(functraceErr error)", b"(n int, functraceErr error)")
    assert strip(edited) == function("func f() (n int, _ error)")


def test_strip_follows_gofmt_run_in_between() -> None:
    once = inject(function("func f() (error)"))
    formatted = once.replace(b"functraceErr  error", b"functraceErr error")
    assert strip(formatted) == function("func f() error")


ROWS = b"package p\n\nfunc a() error%s{ return nil }\nfunc bb(a, b, c, d, e, f int) { panic(1) }\n"


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("blanks", range(40))
def test_restores_alignment_of_neighbours(blanks: int, layout: Layout) -> None:
    """The blanks are restored whether or not they were aligned as by gofmt."""
    for rows in (
        ROWS,
        ROWS.replace(b"\n", b"\r\n"),
        ROWS.replace(b"func bb", b"func b(int) {}\nfunc bb"),
    ):
        source = rows % (b" " * blanks)
        once = inject(source, Options(errors=True, layout=layout))
        assert inject(once) == once
        assert strip(once) == source


@pytest.mark.parametrize(
    "source",
    [
        "var f = func() error{ return nil }",
        "var f = func() error { return nil  }",
        "func f(a, b, c int) error {return nil}",
        "func f(a, b, c int) error { }",
        "func f(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t int) error {return nil}",
    ],
)
def test_restores_irregular_blanks_on_one_line(source: str) -> None:
    text = f"package p\n\n{source}\n".encode()
    for options in (ERRORS, PLAIN):
        assert strip(inject(text, options)) == text
