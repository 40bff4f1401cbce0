"""Profiles from a process's pprof endpoint, with their call graphs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from functrace.errors import FunctraceError
from functrace.watch.http_request import send
from functrace.watch.private_files import write_file

_DEFAULT_PATH = "/debug/pprof"
_DRAWING_S = 60
# No symbol is fetched from anywhere, and nothing is downloaded.
_ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""}


@dataclass(frozen=True)
class PprofSettings:
    """Limits on profiles.

    Attributes:
        cpu_seconds: length of the CPU profile.
        timeout_s: time for a profile, beyond the length of the CPU profile.
        max_bytes: largest profile.
    """

    cpu_seconds: int = 5
    timeout_s: float = 10
    max_bytes: int = 64_000_000


def save_profiles(url: str, folder: Path, settings: PprofSettings) -> Iterator[str]:
    """Save CPU, heap and goroutine profiles. Yield a sentence for each file that is missing.

    Args:
        url: of the process, or of its pprof pages if they are not at /debug/pprof.
        folder: receives ``pprof-NAME.pb.gz`` and ``pprof-NAME.svg``.
        settings: limits.
    """
    base = url.rstrip("/") + ("" if urlsplit(url).path.strip("/") else _DEFAULT_PATH)
    seconds = settings.cpu_seconds
    for name, page in (
        ("goroutine", "goroutine"),
        ("heap", "heap"),
        ("cpu", f"profile?seconds={seconds}"),
    ):
        timeout_s = settings.timeout_s + (seconds if name == "cpu" else 0)
        profile = folder / f"pprof-{name}.pb.gz"
        if not profile.exists():
            try:
                content = send(f"{base}/{page}", timeout_s=timeout_s, max_bytes=settings.max_bytes)
            except FunctraceError as error:
                yield f"{profile.name}: the pprof endpoint failed: {error}"
                continue
            write_file(profile, content)
        yield from _draw(profile, folder / f"pprof-{name}.svg")


def _draw(profile: Path, picture: Path) -> Iterator[str]:
    absent = [program for program in ("go", "dot") if shutil.which(program) is None]
    if absent:
        yield f"{picture.name}: drawing it requires {' and '.join(absent)} on PATH"
        return
    command = ["go", "tool", "pprof", "-symbolize=none", "-svg", "-output=/dev/stdout"]
    try:
        drawn = subprocess.run(
            [*command, str(profile)],
            env={**os.environ, **_ENVIRONMENT},
            capture_output=True,
            timeout=_DRAWING_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        text = getattr(error, "stderr", None) or b""
        lines = text.decode(errors="replace").strip().splitlines() or [str(error)]
        yield f"{picture.name}: go tool pprof failed: {lines[-1]}"
        return
    write_file(picture, drawn.stdout)
