"""Tests of the environment variables, and of text output."""

from __future__ import annotations

import pytest

from functrace.runtime import environment
from tests.python_runtime.conftest import Runner

_PROGRAM = """
    import os, sys, time

    @trace
    def leaf(): pass

    @trace
    def middle():
        leaf()

    @trace
    def slow():
        leaf()
        time.sleep(0.3 * ("FUNCTRACE_MIN_DURATION" in os.environ))
        leaf()

    @trace
    def main():
        print("begins")
        middle()
        slow()

    main()
    main()
"""


@pytest.mark.parametrize(
    ("variables", "calls"),
    [
        ({}, ">main >middle >leaf <leaf <middle >slow >leaf <leaf >leaf <leaf <slow <main"),
        ({"FUNCTRACE_DEPTH": "2"}, ">main >middle <middle >slow <slow <main"),
        ({"FUNCTRACE_MIN_DURATION": "250ms"}, ">main >slow <slow <main"),
        ({"FUNCTRACE_INCLUDE": "m*, slow"}, ">main >middle <middle >slow <slow <main"),
        (
            {"FUNCTRACE_INCLUDE": "__main__.*", "FUNCTRACE_EXCLUDE": "mid?le,*.leaf"},
            ">main >slow <slow <main",
        ),
    ],
)
def test_filtered_calls(run: Runner, variables: dict[str, str], calls: str) -> None:
    (track,) = run(_PROGRAM, **variables).trace.tracks
    assert track.calls == f"{calls} {calls}"


def test_minimum_duration_in_a_task(run: Runner) -> None:
    trace = run(
        """
        import asyncio

        @trace
        async def short():
            await asyncio.sleep(0)

        @trace
        async def long():
            await short()
            await asyncio.sleep(0.3)
            await short()

        asyncio.run(long())
        """,
        FUNCTRACE_MIN_DURATION="250ms",
    ).trace
    (track,) = trace.tracks
    assert track.calls.replace("wait run ", "") == ">long <long"
    assert "wait run" in track.calls


def test_text_output(run: Runner) -> None:
    lines = (
        "->__main__.main begins \t->__main__.middle \t\t->__main__.leaf \t\t<-__main__.leaf"
        " \t<-__main__.middle \t->__main__.slow \t\t->__main__.leaf \t\t<-__main__.leaf"
        " \t\t->__main__.leaf \t\t<-__main__.leaf \t<-__main__.slow <-__main__.main"
    ).split(" ")
    said = [line if line == "begins" else f"t[01]:\t{line}" for line in lines]
    result = run(_PROGRAM, FUNCTRACE="text")
    assert result.stdout.splitlines() == said + said
    assert result.traces == []
    to_stderr = run(_PROGRAM, FUNCTRACE="text", FUNCTRACE_OUT="stderr", FUNCTRACE_DEPTH="1")
    assert to_stderr.stderr == "t[01]:\t->__main__.main\nt[01]:\t<-__main__.main\n" * 2
    for _ in range(2):
        run(_PROGRAM, FUNCTRACE="text", FUNCTRACE_OUT="calls.txt", FUNCTRACE_INCLUDE="*.slow")
    text = (to_stderr.folder / "calls.txt").read_text()
    assert text == "t[01]:\t->__main__.slow\nt[01]:\t<-__main__.slow\n" * 4


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("FUNCTRACE", "txet", "is none of text, record, ring, otlp and off"),
        ("FUNCTRACE_FULL", "grow", "is neither stop nor overwrite"),
        ("FUNCTRACE_PROPAGATE", "all", "is none of observe, forward, span and off"),
        ("FUNCTRACE_REQUEST_URLS", "none", "is neither shape nor full"),
        ("FUNCTRACE_SIGNAL", "KILL", "is neither USR1 nor USR2"),
        ("FUNCTRACE_DEPTH", "0", "is not a number of levels"),
        ("FUNCTRACE_MAX_SIZE", "1.5G", "is not a size such as 500M or 2G"),
        ("FUNCTRACE_MIN_DURATION", "5", "is not a time such as 5us or 2ms"),
        ("FUNCTRACE_INCLUDE", "!Get", "is not a list of function names such as Get or store.*"),
        ("FUNCTRACE_EXCLUDE", "a/...", "is not a list of function names such as Get or store.*"),
    ],
)
def test_invalid_settings(run: Runner, variable: str, value: str, reason: str) -> None:
    result = run(_PROGRAM, **{variable: value})
    assert result.stderr == f"functrace: {variable}={value} {reason}; tracing is off\n"
    assert result.stdout == "begins\nbegins\n"
    assert result.traces == []


def test_size_below_the_minimum(run: Runner) -> None:
    result = run(_PROGRAM, FUNCTRACE_MAX_SIZE="100K")
    assert result.stderr == (
        "functrace: FUNCTRACE_MAX_SIZE is too small for a trace: set it to 1M or more;"
        " tracing is off\n"
    )


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("0", 0), ("50us", 50_000), ("1.5ms", 1_500_000), ("1m30s", 90 * 10**9), ("2µs", 2000)],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert environment.read_settings({"FUNCTRACE_MIN_DURATION": text}).min_duration == nanoseconds


@pytest.mark.parametrize("text", ["5", "-1s", "s", "1 s", "1x", "1ms2", "."])
def test_invalid_durations(text: str) -> None:
    with pytest.raises(ValueError, match="MIN_DURATION"):
        environment.read_settings({"FUNCTRACE_MIN_DURATION": text})


@pytest.mark.parametrize(
    ("text", "size"), [("77", 77), ("2K", 2048), ("500M", 500 << 20), ("2G", 2 << 30)]
)
def test_sizes(text: str, size: int) -> None:
    assert environment.read_settings({"FUNCTRACE_MAX_SIZE": text}).max_size == size


@pytest.mark.parametrize("text", ["0", "-1", "M", "1.5G", "1T", "9999999999G", "2GG", "²"])
def test_invalid_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="MAX_SIZE"):
        environment.read_settings({"FUNCTRACE_MAX_SIZE": text})
