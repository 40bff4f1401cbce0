"""Notifications through apprise, webhooks and commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO
from urllib.parse import urlsplit

from functrace import extras
from functrace.errors import FunctraceError
from functrace.watch.config import NotifyKeys
from functrace.watch.http_request import send
from functrace.watch.notice import Notice

_ATTEMPTS = 3
_FIRST_WAIT_S = 1.0
_WEBHOOK_S = 10
_COMMAND_S = 30
_MAX_RESPONSE = 1_000_000
_MAX_ERROR = 300
_JSON = {"Content-Type": "application/json"}


class Notifier:
    """Sender of notices. A receiver that fails is one message for each notice.

    Attributes:
        failures: number of notices that a receiver did not get.
    """

    def __init__(
        self, warn: Callable[[str], None], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.failures = 0
        self._warn = warn
        self._sleep = sleep

    def notify(self, notice: Notice, receivers: NotifyKeys) -> None:
        """Send a notice to all receivers; never raises."""
        for name, deliver in _deliveries(notice, receivers):
            error = self._deliver(deliver)
            if error is not None:
                self.failures += 1
                self._warn(f"cannot notify {name}: {error}")

    def _deliver(self, deliver: Callable[[], None]) -> str | None:
        """Return why no attempt succeeded, or None."""
        error = None
        for number in range(_ATTEMPTS):
            if number:
                self._sleep(_FIRST_WAIT_S * 2 ** (number - 1))
            error = _attempt(deliver)
            if error is None:
                return None
        return error


def _attempt(deliver: Callable[[], None]) -> str | None:
    try:
        deliver()
    except FunctraceError as error:
        return " ".join(str(error).split())
    except Exception as error:  # noqa: BLE001 -- apprise's plugins raise their own; the watcher goes on
        return f"{type(error).__name__}: {error}"[:_MAX_ERROR]
    return None


def _deliveries(notice: Notice, receivers: NotifyKeys) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield for each receiver its name without secrets and how to reach it."""
    for url in receivers.apprise:
        yield _public(url), lambda url=url: _send_apprise(url, notice)  # type: ignore[misc]
    for url in receivers.webhook:
        yield _public(url), lambda url=url: _send_webhook(url, notice)  # type: ignore[misc]
    if receivers.command:
        yield receivers.command[0], lambda: _run(receivers.command, notice)


def _public(url: str) -> str:
    """Return what of a URL contains no secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or '…'}/…"


def _send_webhook(url: str, notice: Notice) -> None:
    body = json.dumps(notice.as_json()).encode()
    send(url, timeout_s=_WEBHOOK_S, max_bytes=_MAX_RESPONSE, body=body, headers=_JSON)


def _send_apprise(url: str, notice: Notice) -> None:
    extras.require("apprise", "watch", "notifying through apprise")
    import apprise

    sender = apprise.Apprise()
    if not sender.add(url):
        raise FunctraceError("apprise does not accept the address")
    text = apprise.NotifyFormat.TEXT
    if not sender.notify(body=notice.text, title=notice.title, body_format=text):
        raise FunctraceError("apprise could not deliver the message")


def _run(command: tuple[str, ...], notice: Notice) -> None:
    """Run a command with the notice on its standard input; end it and its children if it hangs."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise FunctraceError(error.strerror or str(error)) from None
        try:
            process.communicate(json.dumps(notice.as_json()).encode(), timeout=_COMMAND_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise FunctraceError(f"still running after {_COMMAND_S} s; it was killed") from None
        if process.returncode:
            raise FunctraceError(f"exit status {process.returncode}{_last_line(errors)}")


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(max(errors.seek(0, os.SEEK_END) - _MAX_ERROR, 0))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return f": {lines[-1]}" if lines else ""
