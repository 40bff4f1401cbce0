"""Property tests with sources made of difficult pieces, and edits in between."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rewriter.edit import apply
from rewriter.errors import SourceError
from rewriter.golang import (
    Layout,
    Options,
    functions,
    grammar,
    grammar_gaps,
    plan_inject,
    plan_strip,
)

HEADS = st.sampled_from(
    [
        "func %s() int",
        "func %s(a, b int) (n int)",
        "func (t *T) %s(f func() int) int",
        "func (T) %s() (n int)",
        "func %s[K comparable, V any](m map[K]V) int",
        "func %s() (n int, f func() func())",
        "func %s(functrace ...string) int",
        "func %s() error",
        "func (*T) %s(f func() error) (int, error)",
        "func %s() (n int, _ error)",
        "func %s(error int) (error)",
        "func %s[T any]() (\n\tmap[string]error,\n\terror, // why\n)",
    ]
)
STATEMENTS = st.sampled_from(
    [
        "x := 1; _ = x",
        '_ = "func fake() {"',
        "_ = `\nfunc fake() {\n}\n`",
        "_ = '{'",
        "// } not the end",
        "/* func { */",
        "go func() { println() }()",
        "defer func() {\n\t\trecover()\n\t}()",
        "for _, f := range []func(){func() {}, nil} {\n\t\tf()\n\t}",
        '_ = map[string]func() int{"a": func() int { return 1 }}',
        "if f := func() bool { return true }; f() {\n\t\tprintln()\n\t}",
        "_ = struct{ f func() }{}",
        "_ = func() (int, error) { return 1, nil }",
        "_ = functraceErr",
        "type error int",
        "loop:\n\tfor {\n\t\tbreak loop\n\t}",
        "",
    ]
)
IMPORTS = st.sampled_from(
    [
        "",
        'import "fmt"\n\n',
        'import (\n\t"fmt"\n\t"os"\n)\n\n',
        'import (\n\t"fmt"\n\n\tfunctrace "os"\n)\n\n',
        '// #include <stdio.h>\nimport "C"\n\n',
    ]
)


@st.composite
def function(draw: st.DrawFn, name: str) -> str:
    head = draw(HEADS) % name
    if draw(st.booleans()):
        body = draw(st.sampled_from(["return 1", "println(); return 1", "panic(1)"]))
        return f"{head} {{ {body} }}\n"
    lines = draw(st.lists(STATEMENTS, max_size=4))
    return head + " {\n" + "".join(f"\t{line}\n" for line in lines) + "\tpanic(1)\n}\n"


@st.composite
def source(draw: st.DrawFn) -> bytes:
    count = draw(st.integers(0, 5))
    gap = draw(st.sampled_from(["\n", "", "\n// A comment.\n"]))
    body = gap.join(draw(function(f"f{i}")) for i in range(count))
    return f"package p\n\n{draw(IMPORTS)}type T struct{{}}\n\n{body}".encode()


options = st.builds(
    Options,
    runtime_import=st.just("example.com/m/functrace"),
    layout=st.sampled_from(Layout),
    closures=st.booleans(),
    errors=st.booleans(),
)


def inject(text: bytes, asked: Options) -> bytes:
    return apply(text, plan_inject(text, asked).edits)


def strip(text: bytes, asked: Options) -> bytes:
    return apply(text, plan_strip(text, asked).edits)


@settings(deadline=None)
@given(source(), options)
def test_strip_undoes_inject_and_second_run_changes_nothing(text: bytes, asked: Options) -> None:
    once = inject(text, asked)
    assert inject(once, asked) == once
    assert strip(once, asked) == text


@settings(deadline=None)
@given(source(), options)
def test_strip_needs_no_options_of_inject(text: bytes, asked: Options) -> None:
    assert strip(inject(text, asked), Options()) == text


@settings(deadline=None)
@given(source(), options, st.data())
def test_strip_keeps_edits_by_hand(text: bytes, asked: Options, data: st.DataObject) -> None:
    """An edit gives the same stripped file whether it was made before or after inject."""
    old, new = data.draw(
        st.sampled_from(
            [
                (b"\tpanic(1)\n", b"\tprintln(2)\n\tpanic(1)\n"),
                (b"type T struct{}\n", b"type T struct{}\n\nfunc added() {\n\tprintln()\n}\n"),
                (b'"fmt"\n', b'"fmt"\n\t"io"\n'),
                (b"panic(1) }", b"panic(2) }"),
            ]
        )
    )
    if b'import "fmt"' in text and old == b'"fmt"\n':
        old, new = b'import "fmt"\n', b'import "fmt"\nimport "io"\n'
    injected = inject(text, asked)
    # The edit does not apply to a one-line body that inject has broken into lines.
    assume(injected.count(old) == text.count(old))
    edited = text.replace(old, new, 1)
    once = injected.replace(old, new, 1)
    assert strip(once, asked) == edited
    assert strip(inject(once, asked), asked) == edited


@settings(deadline=None)
@given(source())
def test_skeleton_has_the_same_functions(text: bytes) -> None:
    def bodies(copy: bytes) -> list[int]:
        root = grammar.parse(copy).root_node
        assert not root.has_error
        return [f.open for f in functions.find(text, root, closures=True)]

    assert bodies(grammar_gaps.make_skeleton(text)) == bodies(text)


TOKENS = st.sampled_from(
    [
        *"(){}[]*.,;fT1\n",
        '"s"',
        "`r`",
        "//",
        "/*",
        "*/",
        "<-",
        ":=",
        "x.Trace()()",
        "x.Exit(x.Enter(), &functraceErr)",
        "functraceErr",
        "error",
        "func",
        "chan",
        "map",
        "struct",
        "interface",
        "defer",
        "new",
        "make",
        "package",
        "import",
    ]
)


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(st.binary(max_size=60), st.lists(TOKENS).map(lambda ts: " ".join(ts).encode())),
    st.sampled_from([b"", b"package p\n\nfunc f() {\n", b"package p\n"]),
)
def test_rewrites_or_rejects_any_bytes(noise: bytes, before: bytes) -> None:
    text = before + noise
    for is_known_valid in (False, True):
        asked = Options(closures=True, is_known_valid=is_known_valid, errors=True)
        try:
            once = inject(text, asked)
        except SourceError:
            continue
        assert strip(once, asked) == text
