"""functrace run, whose program sends its calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.otlp.receiver import Receiver

COMMAND = [sys.executable, "-m", "functrace", "run"]
PROGRAM = """
import sys

class Shop:
    def price(self, item):
        return 2 * item

if __name__ == "__main__":
    print(Shop().price(int(sys.argv[1])))
"""


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "shop.py").write_text(PROGRAM)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **variables}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("asked", [["--otlp"], []])
def test_sent(
    tmp_path: Path, receiver: Receiver, variables: dict[str, str], asked: list[str]
) -> None:
    del variables["FUNCTRACE_PYTHON"]
    if asked:
        del variables["FUNCTRACE"]
    done = run(tmp_path, *asked, "-q", "shop.py", "21", **variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")
    assert [span.name for span in receiver.received.spans] == ["__main__.Shop.price"]
    (request,) = receiver.received.taken
    resource = request.resource_spans[0].resource
    message = {each.key: each.value.string_value for each in resource.attributes}
    assert message["service.name"] == "shop"


def test_the_fallback_of_the_recorder_is_reported(
    tmp_path: Path, receiver: Receiver, variables: dict[str, str]
) -> None:
    del variables["FUNCTRACE_PYTHON"]
    line = "functrace run: the fallback in Python records calls, slower than the recorder in C: "
    for pure, is_reported in (("1", True), ("0", False)):
        done = run(tmp_path, "--otlp", "shop.py", "21", FUNCTRACE_PURE=pure, **variables)
        assert done.stdout == "42\n"
        assert (line in done.stderr) == is_reported
    receiver.wait_for(2)


def test_in_an_environment_without_opentelemetry(
    tmp_path: Path, receiver: Receiver, variables: dict[str, str]
) -> None:
    """The sender is functrace's own."""
    del variables["FUNCTRACE_PYTHON"]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    done = run(tmp_path, "--otlp", "-q", "--python", python, "shop.py", "21", **variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")
    assert [span.name for span in receiver.received.spans] == ["__main__.Shop.price"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--record"], "--otlp and --record cannot be combined"),
        (["-o", "x"], "-o does not apply to --otlp, which sends calls to a collector"),
        (["--overwrite"], "--overwrite requires --record"),
    ],
)
def test_wrong_usage(tmp_path: Path, options: list[str], message: str) -> None:
    done = run(tmp_path, "--otlp", *options, "shop.py")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"functrace: {message}\n")
