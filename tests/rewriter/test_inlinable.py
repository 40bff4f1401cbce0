"""Functions that a light build leaves to the compiler's inlining."""

from __future__ import annotations

import pytest

from rewriter.golang import Options, plan_inject
from rewriter.plan import Skipped

REASON = "left to the compiler's inlining"


def plan_with(source: str, mark: str = "^", **flags: bool) -> tuple[list[str], list[Skipped]]:
    """Instrument the source without ``mark``, the compiler's positions; return what happened."""
    parts = source.encode().split(mark.encode())
    offsets = [len(b"".join(parts[: i + 1])) for i in range(len(parts) - 1)]
    plan = plan_inject(
        b"package p\n\n" + b"".join(parts),
        Options(inlinable=frozenset(len("package p\n\n") + o for o in offsets), **flags),  # type: ignore[arg-type]
    )
    return [f.name for f in plan.functions], list(plan.skipped)


@pytest.mark.parametrize(
    "source",
    [
        "func ^f() {}\n",
        "func ^f() (error, int) { return nil, 0 }\n",
        "func ^f() *error { return nil }\n",
        "func ^f[T any](t T) T { return t }\n",
        "func ^(t *T) f() {}\n",
        "func /* a */ ^f() {}\n",
        "func  ^(T[K]) f() {}\n",
        "func\t/* a */ /* b */^(t T) f() {}\n",
        "var f = ^func() {}\n",
    ],
)
def test_leaves_out_function_at_position(source: str) -> None:
    instrumented, skipped = plan_with(source, closures=True)
    assert instrumented == []
    assert [s.reason for s in skipped] == [REASON]


@pytest.mark.parametrize(
    "source",
    [
        "func ^f() error { return nil }\n",
        "func ^f() (int, error) { return 0, nil }\n",
        "func ^(t T) f() (n int, err error) { return }\n",
        "var f = ^func() error { return nil }\n",
        "^func f() {}\n",
        "var f = func^() {}\n",
        "func f()^ {}\n",
    ],
)
@pytest.mark.parametrize("errors", [True, False])
def test_instruments_functions_with_errors_and_at_other_positions(
    source: str, errors: bool
) -> None:
    instrumented, skipped = plan_with(source, closures=True, errors=errors)
    assert len(instrumented) == 1
    assert skipped == []


def test_decides_about_closures_separately() -> None:
    source = "func ^f() func() {\n\treturn func() { go ^func() {}() }\n}\n"
    instrumented, skipped = plan_with(source, closures=True)
    assert instrumented == ["f.func1"]
    assert [s.function.name for s in skipped] == ["f", "f.func2"]
