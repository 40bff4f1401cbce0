"""Client of the compile server, which it starts if necessary."""

from __future__ import annotations

import marshal
from _thread import allocate_lock, get_ident

from functrace.runtime.descriptors import identify, move_up
from functrace.runtime.system import os

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    import _socket
    from typing import Any

    from functrace.pyimport.flags import Flags

_SERVER = os.path.join(os.path.dirname(__file__), "compile_server.py")
_TIMEOUT = 120.0
_STANDARD_ERROR = 2


class Compiler:
    """Client of the compile server; requests and replies are marshalled tuples.

    Between requests it holds only a file descriptor, which it verifies before each use: a program
    may close every descriptor and open other files under the same numbers.
    """

    def __init__(self, python: str, config: str, flags: Flags) -> None:
        self._python = python
        self._config = config
        self._options = flags.options
        self.reset()

    def reset(self) -> None:
        """Drop the connection, as a forked child must."""
        self._lock = allocate_lock()
        self._owner = 0
        self._fd = -1
        self._identity: tuple[int, int] | None = None

    def request(self, *request: Any) -> Any:
        """Return the server's reply, or None if the server cannot be used."""
        if self._owner == get_ident() or not self._lock.acquire(timeout=_TIMEOUT):
            return None  # a signal handler imports during another request
        self._owner = get_ident()
        try:
            return self._send(marshal.dumps((self._config, *request)))
        except (OSError, EOFError, ValueError, MemoryError):
            return None
        finally:
            self._owner = 0
            self._lock.release()

    def _send(self, request: bytes) -> Any:
        if self._is_open():
            try:
                return self._exchange(request)
            except (OSError, EOFError):
                pass  # the server ended because it was idle
        self._start()
        return self._exchange(request)

    def _is_open(self) -> bool:
        return self._fd >= 0 and identify(self._fd) == self._identity

    def _start(self) -> None:
        import _socket

        ours, theirs = _socket.socketpair()
        try:
            actions = [
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ]
            words = [self._python, "-I", "-S", *self._options, _SERVER]
            # Its own process group, so that the terminal's Ctrl-C does not reach it.
            pid = os.posix_spawn(self._python, words, os.environ, file_actions=actions, setpgroup=0)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._fd = ours.detach()
        if self._fd <= _STANDARD_ERROR:
            self._fd = move_up(self._fd)
        self._identity = identify(self._fd)
        try:
            os.waitpid(pid, 0)  # it forks at once, so that the program gets no extra child
        except ChildProcessError:
            pass

    def _exchange(self, request: bytes) -> Any:
        import _socket

        no_signal = getattr(_socket, "MSG_NOSIGNAL", 0)  # SIGPIPE may have its default action
        socket = _socket.socket(fileno=self._fd)
        is_done = False
        try:
            socket.settimeout(_TIMEOUT)
            socket.sendall(len(request).to_bytes(8, "little"), no_signal)
            socket.sendall(request, no_signal)
            size = int.from_bytes(_receive(socket, 8), "little")
            reply = marshal.loads(_receive(socket, size))
            is_done = True
            return reply
        finally:
            socket.detach()
            if not is_done:  # also after a signal: a late reply would answer the next request
                fd, self._fd = self._fd, -1
                os.close(fd)


def _receive(socket: _socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        piece = socket.recv(min(size - len(content), 1 << 20))
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)
