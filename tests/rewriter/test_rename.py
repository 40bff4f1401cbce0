"""Renames of functions and methods."""

from __future__ import annotations

import pytest

from rewriter.golang import rename_function

SOURCE = b"""package p

func run(run int) { run++ }

func (t *Tree[T]) walk() { t.walk() }

func (t tree) walk() { t.walk() } // on one line

func outside()
"""


@pytest.mark.parametrize(
    ("name", "receiver", "old", "new"),
    [
        ("run", "", b"func run(run", b"func other(run"),
        ("walk", "*Tree[T]", b"Tree[T]) walk()", b"Tree[T]) other()"),
        ("walk", "tree", b"(t tree) walk() {", b"(t tree) other() {"),
    ],
)
def test_only_the_declaration_is_renamed(name: str, receiver: str, old: bytes, new: bytes) -> None:
    assert rename_function(SOURCE, name, "other", receiver) == SOURCE.replace(old, new)


@pytest.mark.parametrize(
    ("name", "receiver"), [("walk", ""), ("run", "tree"), ("walk", "*tree"), ("outside", "")]
)
def test_what_is_not_declared_with_a_body_is_not_renamed(name: str, receiver: str) -> None:
    assert rename_function(SOURCE, name, "other", receiver) is None


def test_a_function_that_is_declared_twice_is_not_renamed() -> None:
    assert rename_function(SOURCE + b"func run() {}\n", "run", "other") is None
