"""Prometheus, from PATH or as Debian's package, which is unpacked and not installed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.pythons import ROOT
from tests.support.waiting import PATIENCE

_FOLDER = ROOT / "build" / "prometheus"


class MissingError(Exception):
    """Prometheus cannot be had here."""


def find() -> Path:
    """Return the program. Raises MissingError with the reason if there is none."""
    found = shutil.which("prometheus")
    if found:
        return Path(found)
    program = _FOLDER / "usr" / "bin" / "prometheus"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with open(_FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _unpack()
    return program


def _unpack() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingError("no prometheus on PATH, and no apt-get to download Debian's package")
    try:
        for command in (["apt-get", "download", "-q", "prometheus"], ["sh", "-c", _UNPACK]):
            subprocess.run(command, cwd=_FOLDER, check=True, capture_output=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or b""
        reason = output.decode(errors="replace").strip().splitlines() or [str(error)]
        raise MissingError(f"cannot download Debian's package prometheus: {reason[-1]}") from None


_UNPACK = "dpkg-deb --extract prometheus_*.deb . && rm prometheus_*.deb"


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the vector of an expression."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self._url}/api/v1/query?{query}") as response:
            found = json.load(response)
        assert found["status"] == "success"
        result: list[dict[str, Any]] = found["data"]["result"]
        return result

    def wait_for(self, expression: str) -> list[dict[str, Any]]:
        """Return the vector of an expression once it is not empty."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                found = self.query(expression)
            except OSError:  # it has not opened its port yet
                found = []
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"Prometheus has no {expression}")


@contextmanager
def scraping(target: str, folder: Path) -> Iterator[Prometheus]:
    """Run Prometheus, which scrapes an address such as ``127.0.0.1:9464`` once a second.

    Raises MissingError if there is no Prometheus.
    """
    program = find()
    settings = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "watch", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(settings))  # JSON is YAML
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    process = subprocess.Popen(
        [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
        ],
        env={**os.environ, "NO_PROXY": "*"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Prometheus(f"http://{address}")
    finally:
        process.terminate()
        process.wait(PATIENCE)
