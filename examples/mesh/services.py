"""The three services: built with functrace or run by it, without an edit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent
_FUNCTRACE = [sys.executable, "-m", "functrace"]
_PATIENCE_S = 60


def build(folder: Path) -> dict[str, list[str]]:
    """Build the Go services, and return the commands of all."""
    commands = {name: _go(folder, name) for name in ("gateway", "store")}
    program = str(_FOLDER / "payments" / "payments.py")
    commands["payments"] = [*_FUNCTRACE, "run", "-q", program]
    return commands


def _go(folder: Path, name: str) -> list[str]:
    program = folder / name
    command = [*_FUNCTRACE, "go", "-q", "build", "-o", str(program), f"./{name}"]
    subprocess.run(command, cwd=_FOLDER, check=True)
    return [str(program)]


class Service:
    """A running service.

    Args:
        name: its name.
        command: what runs it.
        folder: folder of its log; its trace goes into the folder traces there.
        hosts: addresses of the services that it calls.
        propagate: value of FUNCTRACE_PROPAGATE.
    """

    def __init__(
        self, name: str, command: list[str], folder: Path, hosts: dict[str, str], propagate: str
    ) -> None:
        environment = {
            **os.environ,
            "FUNCTRACE": "record",
            "FUNCTRACE_OUT": str(folder / "traces" / f"{name}.ftrace"),
            "FUNCTRACE_SERVICE": name,
            "FUNCTRACE_PROPAGATE": propagate,
            "MESH_HOSTS": ",".join(f"{host}={address}" for host, address in hosts.items()),
        }
        log = folder / f"{name}.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=out, text=True
            )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError(f"{name} did not start: {log.read_text()}")

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(_PATIENCE_S)
        if self._process.stdout:
            self._process.stdout.close()
