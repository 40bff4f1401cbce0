"""The two services, with the load on them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from load import request
from memory_limit import MemoryLimit

_FOLDER = Path(__file__).parent
_FUNCTRACE = [sys.executable, "-m", "functrace"]
_LIMIT_BYTES = 400 << 20
_FOREVER_S = 1_000_000


def build_shop(folder: Path) -> list[str]:
    """Build the Go service and return its command."""
    shop = folder / "shop"
    build = [*_FUNCTRACE, "go", "-q", "--light", "--exclude", "faults.*", "build", "-o", str(shop)]
    subprocess.run([*build, "."], cwd=_FOLDER / "shop", check=True)
    return [str(shop)]


def run_billing(_folder: Path) -> list[str]:
    """Return the command of the Python service."""
    program = str(_FOLDER / "billing" / "billing.py")
    return [*_FUNCTRACE, "run", "-q", "--exclude", "service.faults.*", program]


COMMANDS = {"shop": build_shop, "billing": run_billing}


class Service:
    """A service that runs with a ring, below a memory limit, and under load."""

    def __init__(self, name: str, folder: Path, rings: Path) -> None:
        self.name = name
        self._command = COMMANDS[name](folder)
        self._environment = {**os.environ, "FUNCTRACE": "ring", "FUNCTRACE_RING_DIR": str(rings)}
        self._log = folder / f"{name}.log"
        self._limit = MemoryLimit(name, _LIMIT_BYTES)
        self.start()

    @property
    def limit_kind(self) -> str:
        """How its memory is limited."""
        return self._limit.kind

    def start(self) -> None:
        """Start the service and the load."""
        with self._log.open("a") as log:
            self._process = self._limit.start(
                self._command, env=self._environment, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout
        self._address = self._process.stdout.readline().strip()
        if not self._address:
            raise RuntimeError(f"{self.name} did not start: {self._log.read_text()}")
        self._load = subprocess.Popen(
            [sys.executable, str(_FOLDER / "load.py"), self._address, str(_FOREVER_S)]
        )

    def set_fault(self, name: str, share: float) -> None:
        """Let a share of the calls that a fault can affect go wrong."""
        request(self._address, "/fault?" + urlencode({"name": name, "share": share}))

    def has_ended(self) -> bool:
        """Return whether the service has died."""
        return self._process.poll() is not None

    def restart(self) -> None:
        """Start the service again after it has died."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """End the load and the service."""
        for process, number in ((self._load, signal.SIGKILL), (self._process, signal.SIGTERM)):
            process.send_signal(number)
            process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def remove(self) -> None:
        """Stop the service for good."""
        self.stop()
        self._limit.remove()
