"""Tests of the parser for go command lines."""

from __future__ import annotations

import pytest

from functrace.gobuild.go_command import parse, split_goflags


@pytest.mark.parametrize(
    ("line", "operands", "rest"),
    [
        ("build", "", ""),
        ("build ./... ./x", "./... ./x", ""),
        ("build -o out -tags a,b -race ./x", "./x", ""),
        ("build -o=out -v ./x", "./x", ""),
        ("build --tags a ./x", "./x", ""),
        ("run . -port 80 x", ".", "-port 80 x"),
        ("run a.go b.go c.txt d.go", "a.go b.go", "c.txt d.go"),
        ("run -exec sudo a.go -v", "a.go", "-v"),
        ("test", "", ""),
        ("test ./a ./b -run X -v", "./a ./b", ""),
        ("test -run X ./a -args -x y", "./a", "-args -x y"),
        ("test ./a -v x y", "./a", "x y"),
        ("test -v ./a -count 2 -mine z", "./a", "z"),
        ("test -mine z ./a", "", "z ./a"),
        ("test -test.run X ./a", "./a", ""),
        ("test -args ./a", "", "-args ./a"),
    ],
)
def test_operands_are_separated_from_flags_and_program_arguments(
    line: str, operands: str, rest: str
) -> None:
    verb, *arguments = line.split()
    found = parse(verb, arguments)
    assert (" ".join(found.operands), " ".join(found.rest)) == (operands, rest)
    words = [w for flag in found.flags for w in flag.words]
    assert sorted([*words, *found.operands, *found.rest]) == sorted(arguments)


def test_flag_values() -> None:
    found = parse("build", ["-C", "x", "-race=false", "-tags=a", "-tags", "b", "-v"])
    assert found.value("C") == "x"
    assert found.value("tags") == "b"
    assert found.value("o") is None
    assert found.is_set("v")
    assert not found.is_set("race")


def test_goflags_may_be_quoted() -> None:
    found = split_goflags("""-v '-ldflags=-s -w' "-gcflags=all=-N -l" -mod=mod""")
    assert [(f.name, f.value) for f in found] == [
        ("v", None),
        ("ldflags", "-s -w"),
        ("gcflags", "all=-N -l"),
        ("mod", "mod"),
    ]
