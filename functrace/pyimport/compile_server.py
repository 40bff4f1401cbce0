"""A process that instruments and compiles what others ask for, and keeps it in the cache.

Run as a script with ``python -I -S``, a socket for its standard input. It ends when nobody
is at the other end, or has nothing to ask for a while.
"""

from __future__ import annotations

import marshal
import os
import select
import sys
from pathlib import Path

_IDLE = 10.0  # seconds


def main() -> None:
    """Let go of who started us, and serve."""
    if os.fork():
        os._exit(0)
    # Behind the standard library: what else is there must not shadow it.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    _serve()


def _serve() -> None:
    from functrace.cache.trimming import trim
    from functrace.pyimport import compilation, config

    folder = ""
    while select.select([0], [], [], _IDLE)[0]:
        size = int.from_bytes(_read(8), "little")
        request = marshal.loads(_read(size))
        answer = marshal.dumps(compilation.reply(request))
        _write(len(answer).to_bytes(8, "little") + answer)
        folder = folder or config.parse(request[0]).cache
    trim(folder)


def _read(size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        piece = os.read(0, min(size - len(content), 1 << 20))
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)


def _write(content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(0, view) :]


if __name__ == "__main__":
    main()
