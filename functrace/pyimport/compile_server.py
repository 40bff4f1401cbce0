"""Compile server: a process that instruments, compiles and caches modules on request.

Run as a script with ``python -I -S`` and a socket as standard input. It ends when the socket is
closed or after some idle seconds.
"""

from __future__ import annotations

import marshal
import os
import select
import sys
from pathlib import Path

_IDLE_S = 10.0


def main() -> None:
    """Detach from the parent process and serve requests."""
    if os.fork():
        os._exit(0)
    # Appended, so that no other module there shadows the standard library.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    _serve()


def _serve() -> None:
    from functrace.cache.trimming import trim
    from functrace.pyimport import compilation, config

    folder = ""
    while select.select([0], [], [], _IDLE_S)[0]:
        size = int.from_bytes(_read(8), "little")
        request = marshal.loads(_read(size))
        answer = marshal.dumps(compilation.handle(request))
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
