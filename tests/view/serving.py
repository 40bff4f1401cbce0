"""Runs ``functrace view`` and requests its answers."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True)
class Viewer:
    """A running viewer, as a browser finds it."""

    url: str

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def base(self) -> str:
        return urlsplit(self.url).path

    def request(self, target: str, method: str = "GET", **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, target, headers=headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return Reply(response.status, dict(response.getheaders()), content)

    def get(self, endpoint: str, **parameters: object) -> Any:
        """Return the answer of an endpoint that must succeed."""
        reply = self.ask(endpoint, **parameters)
        assert reply.status == 200, reply.content
        return reply.value

    def ask(self, endpoint: str, **parameters: object) -> Reply:
        given = {name.rstrip("_"): value for name, value in parameters.items()}
        return self.request(f"{self.base}api/{endpoint}?{urlencode(given)}")


@contextmanager
def viewing(*arguments: str | Path, cwd: Path) -> Iterator[Viewer]:
    """Run ``functrace view`` in a folder until the block ends."""
    words = [sys.executable, "-m", "functrace", "view", "--no-open", *map(str, arguments)]
    with subprocess.Popen(words, cwd=cwd, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Viewer(process.stdout.readline().strip())
        finally:
            process.terminate()
