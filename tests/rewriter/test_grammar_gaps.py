"""Sources that the grammar cannot parse, in which functions are found by tokens."""

from __future__ import annotations

import pytest

from rewriter.golang import functions, grammar, grammar_gaps
from rewriter.golang.parse import parse

# «» mark the body of a literal, so that a test knows its functions; any other func is a type.
EXPRESSIONS = [
    "[]func(){f, func() «»}",
    "[...]func() int{func() int «return 1»}",
    'map[string]func(){"a": func() «»}',
    "map[string][]func() func(){}",
    "[2][]*func(){nil}",
    "make(chan func() int)",
    "[]chan<- func(){nil}",
    "[]<-chan func(){nil}",
    "x * func() int «return 1»()",
    "xs[0] * func() int «return 1»()",
    "xs[0][1] * func() int «return 1»()",
    "f() * func() int «return 1»()",
    "T{1}.x * func() int «return 1»()",
    "[]*func(){} ",
    "-func() int «return 1»()",
    "<-func() chan int «return nil»()",
    "x == 1 && func() bool «return true»()",
    "func() func() «return func() «»»()",
    "func() «func() «func() «»()»()»",
    "func(a func(b func()) func()) «»",
    "func() (n int, f func() func()) «return 1, nil»",
    "func() struct{ f func() } «return struct{ f func() }{}»",
    "func() interface{ M() func() } «return nil»",
    "func() map[string]func() int «return nil»",
    "func() <-chan func() «return nil»",
    "func() chan<- func() «return nil»",
    "func() []struct{ a, b func() } «return nil»",
    "func() pkg.T[func() int] «return x»",
    "func() *pkg.T «return nil»",
    "func() (func()) «return nil»",
    "(func())(nil)",
    "(func() int)(f)",
    "x.(func() int)",
    "struct{ f func() }{}",
    "[]struct{ f, g func() int }{{nil, nil}}",
    "g[func() int](func() int «return 1»)",
    "new(func() int «return 1»)",
    '"func() {" + `func() {`',
    "/* func() { */ func() «» // func() {",
    "T{f: func() «», g: func() «»}",
    "f(func() «», func() «»)",
]
STATEMENTS = [
    "go func() «»()",
    "defer func() «»()",
    "c <- func() «»",
    "f = func() «»",
    "loop: func() «»()",
    "return func() «»",
    "if f := func() bool «return true»; f() {}",
    "for range func(yield func() bool) «» {}",
    "switch func() int «return 1»() { case func() int «return 2»(): }",
    "switch x.(type) { case func(), func() int: default: func() «»() }",
    "select { case <-func() chan int «return nil»(): }",
    "type t func() func() int",
    "type t = func() struct{}",
    "type t struct{ f func(); g func() int }",
    "type t interface{ m() func() }",
    "var f, g func() int",
    "var f func() = func() «»",
    "const c = 1",
]


def bodies(copy: bytes) -> list[int]:
    root = grammar.parse(copy).root_node
    assert not root.has_error
    return [f.open for f in functions.find(copy, root, closures=True)]


@pytest.mark.parametrize("marked", [*(f"_ = {e}" for e in EXPRESSIONS), *STATEMENTS])
def test_distinguishes_literals_from_types(marked: str) -> None:
    text = f"package p\n\nfunc outer() «\n\t{marked}\n»\n"
    source = text.replace("«", "{").replace("»", "}").encode()
    plain = text.replace("«", "\0").replace("»", "}").encode()
    assert bodies(grammar_gaps.make_skeleton(source)) == [
        i for i, byte in enumerate(plain) if byte == 0
    ]


@pytest.mark.parametrize(
    "head",
    [
        "func f()",
        "func (t T) f()",
        "func (*T) f(a, b int) (n int, err error)",
        "func f[T any, F func() int](x T, g F) map[string]func() T",
        "func f[T interface{ ~func() }]()",
        "func (b Box[T]) f[U any](g func(T) U) Box[U]",
        "func (Box[_]) f[U interface{ M() }]() struct{ a []U }",
        "func f(\n\ta int,\n)",
        "func f() interface{}",
        "func f() [2]struct{}",
        "func f() <-chan chan<- int",
        "func f() pkg.T[int, []string]",
        "func f() (func())",
    ],
)
def test_skeleton_keeps_heads_of_declarations(head: str) -> None:
    source = f"package p\n\n{head} {{\n}}\n".encode()
    assert bodies(grammar_gaps.make_skeleton(source)) == [len(source) - 4]
    without = f"package p\n\n{head}\n\nvar x = 1\n".encode()
    assert bodies(grammar_gaps.make_skeleton(without)) == [-1]


def test_skeleton_keeps_lines_imports_and_trace_calls() -> None:
    source = b"""package p

import "fmt" // why

func f() *int {
	defer functrace.Trace()()
	fmt.Println("func g() {")
	return new(1)
}
"""
    skeleton = grammar_gaps.make_skeleton(source)
    assert len(skeleton) == len(source)
    assert skeleton.count(b"\n") == source.count(b"\n")
    words = b" ".join(skeleton.replace(b";", b" ").split())
    assert words == b'package p import "fmt" func f() *int { defer functrace.Trace()() }'


@pytest.mark.parametrize(
    "body",
    ["_ = new(1)", "_ = new(f(1))", "_ = new(func() int { return 1 }())", "make := f; make(1)"],
)
def test_relaxed_copy_parses_unsupported_syntax(body: str) -> None:
    source = f"package p\n\nfunc f() {{\n\t{body}\n}}\n".encode()
    relaxed = grammar_gaps.relax(source)
    assert len(relaxed) == len(source)
    assert not grammar.parse(relaxed).root_node.has_error


def test_relaxed_copy_keeps_other_errors() -> None:
    relaxed = grammar_gaps.relax(b"package p\n\nfunc f() {\n\tx := := new(1)\n}\n")
    assert grammar.parse(relaxed).root_node.has_error


def test_accepts_literals_at_top_level() -> None:
    source = b"package p\n\nvar a = f(new(1), func() {})\n\nfunc g() {}\n"
    found = functions.find(source, parse(source), closures=True)
    assert [f.function.name for f in found] == ["init.func1", "g"]
