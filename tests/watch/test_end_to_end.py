"""A watcher and a traced program: one fault gives exactly one bundle, which names its chain."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functrace.watch import control_client
from functrace.watch.state_folder import state_path
from tests.support.waiting import PATIENCE, read_until, wait_until

# Both chains lead to check; after a line on its input, check fails in one of them.
_SHOP = """
import select, sys, time

class LockedError(Exception): pass

def check(item, broken):
    if broken or item % 50 == 7:
        raise LockedError("item is locked")

def get(item, broken):
    check(item, broken)

def attempt(call, *args):
    try:
        call(*args)
    except LockedError:
        pass

def order(item, broken):
    get(item, broken)

def invoice(item):
    get(item, False)

def main():
    item, broken = 0, False
    while True:
        item += 1
        attempt(order, item, broken and item % 2 == 0)
        attempt(invoice, item)
        time.sleep(0.002)
        if item % 50 == 0 and select.select([sys.stdin], [], [], 0)[0]:
            if not sys.stdin.readline():
                return
            broken = True

main()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start functrace with arguments and environment variables; kill it at the end."""
    started: list[subprocess.Popen[str]] = []
    (tmp_path / "shop.py").write_text(_SHOP)

    def start(*words: str, **variables: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "FUNCTRACE_RING_DIR": str(tmp_path / "rings"), **variables}
        process = subprocess.Popen(
            [sys.executable, "-m", "functrace", *words],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        with process:  # closes its pipes
            process.wait(PATIENCE)


def _failure_rate(state: Path) -> dict[str, Any]:
    """Return the standing of the trigger on failure rates; empty without a program."""
    status = control_client.request(state, "/v1/status")
    found = [each for each in status["triggers"] if each["trigger"] == "failure-rate"]
    return found[0] if found else {}


def _bundles(out: Path) -> list[Path]:
    return [path for path in out.iterdir() if path.is_dir() and not path.name.startswith(".")]


def test_a_rising_failure_rate_gives_one_bundle(start: Start, tmp_path: Path) -> None:
    out, rings = tmp_path / "out", tmp_path / "rings"
    watcher = start("watch", "--out", str(out))
    read_until(watcher.stderr, "writing bundles to")
    shop = start("run", "shop.py", FUNCTRACE="ring")
    read_until(watcher.stderr, "following shop")
    state = state_path(str(out), rings)
    wait_until(lambda: _failure_rate(state).get("threshold") is not None)

    assert shop.stdin is not None
    shop.stdin.write("break\n")
    shop.stdin.flush()
    read_until(watcher.stderr, "saved ")
    shop.stdin.close()
    assert shop.wait(PATIENCE) == 0
    read_until(watcher.stderr, "has ended: clean")
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(PATIENCE) == 0

    (bundle,) = _bundles(out)
    why = json.loads((bundle / "why.json").read_text())
    assert why["trigger"] == "failure-rate"
    assert why["process"]["pid"] == shop.pid
    assert why["chain"][-3:] == ["__main__.order", "__main__.get", "__main__.check"]
    assert why["function"] == "__main__.check"
    assert "item is locked" in why["summary"]
    assert why["values"]["failed_share"] > why["values"]["past_failed_share"]
    assert len(list(bundle.glob("*.ftrace"))) == 1
    assert "check" in (bundle / "triage.txt").read_text()


def test_a_killed_program_and_a_dump_by_hand(start: Start, tmp_path: Path) -> None:
    out = tmp_path / "out"
    watcher = start("watch", "--out", str(out), "shop")
    read_until(watcher.stderr, "writing bundles to")
    second = start("watch", "--out", str(out))
    assert second.wait(PATIENCE) == 1
    assert second.stderr is not None
    assert "is running already" in second.stderr.read()

    shop = start("run", "shop.py", FUNCTRACE="ring")
    read_until(watcher.stderr, "following shop")
    assert start("dump", "shop").wait(PATIENCE) == 0
    assert start("watch", "--status").wait(PATIENCE) == 0
    shop.kill()
    read_until(watcher.stderr, "died")
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(PATIENCE) == 0
    triggers = [json.loads((path / "why.json").read_text())["trigger"] for path in _bundles(out)]
    assert sorted(triggers) == ["by-hand", "died"]
