"""speedscope from npm, served on loopback."""

from __future__ import annotations

import http.server
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

_VERSION = "1.25.0"


def download(work: Path) -> Path:
    """Download speedscope; return the folder with its page.

    Raises:
        OSError: npm is not on PATH.
        subprocess.CalledProcessError: npm cannot download it.
    """
    command = ["npm", "pack", "--silent", f"speedscope@{_VERSION}"]
    packed = subprocess.run(command, cwd=work, check=True, capture_output=True, text=True)
    with tarfile.open(work / packed.stdout.split()[-1]) as archive:
        archive.extractall(work, filter="data")
    return work / "package" / "dist" / "release"


@contextmanager
def serve(page: Path, profile: str) -> Iterator[str]:
    """Serve the folder with the page while the block runs; yield the URL that opens a profile."""
    handler = partial(_Quiet, directory=page)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield f"{address}/#profileURL={address}/{profile}&title={Path(profile).stem}"
        finally:
            server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Do not log requests."""
