"""Process that saves one bundle, so that the watcher neither waits for it nor keeps its memory.

It reads a job from standard input and writes the bundle's location to standard output.
"""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import asdict

from functrace.errors import FunctraceError
from functrace.watch.delivery import deliver
from functrace.watch.saving import LostRingError, run


def main() -> int:
    """Save the bundle of the job on standard input, and return the exit status."""
    job = pickle.load(sys.stdin.buffer)
    try:
        delivered = run(job, deliver)
        found: dict[str, object] = asdict(delivered) if delivered is not None else {}
    except FunctraceError as error:
        found = {"error": str(error), "is_final": isinstance(error, LostRingError)}
    except OSError as error:
        found = {"error": f"{error.filename or job.destination}: {error.strerror}"}
    sys.stdout.write(json.dumps(found))
    return 1 if "error" in found else 0


if __name__ == "__main__":
    sys.exit(main())
