"""Number of traces into which Envoy's spans of one request fall, alone and beside functrace.

Runs examples/mesh, whose services are behind sidecars that send their spans to Zipkin.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))
from tests.support import envoy, zipkin  # noqa: E402  by that path
from tests.support.missing import MissingError  # noqa: E402

_ROUNDS = 10
_CHECKOUTS = 4 * _ROUNDS
_ENVOY_SPANS = (4 * 6 - 1) * _ROUNDS  # two a service, one for the mailer that order 404 misses
_MODES = {"off": "sidecars alone", "forward": "functrace, forward", "span": "functrace, span"}


def mesh() -> None:
    """Print the traces a checkout for each mode."""
    print(f"traces that Zipkin has of {_CHECKOUTS} checkouts through three sidecars")
    try:
        program = envoy.find()
        for mode, title in _MODES.items():
            traces = _count_traces(program, mode)
            print(f"  {title:20} {traces:4}, {traces / _CHECKOUTS:.2f} a checkout")
    except MissingError as error:
        print(f"  skipped, {error}")


def _count_traces(program: Path, mode: str) -> int:
    run = [sys.executable, str(_ROOT / "examples" / "mesh" / "run.py"), "--envoy", str(program)]
    with tempfile.TemporaryDirectory() as folder, zipkin.running(Path(folder)) as server:
        run += ["--tracer", "zipkin", "--spans", server.address, "--propagate", mode]
        run += ["--rounds", str(_ROUNDS), "--out", f"{folder}/mesh"]
        subprocess.run(run, check=True, capture_output=True)
        return len(zipkin.wait_for_spans(server, _ENVOY_SPANS))


if __name__ == "__main__":
    mesh()
