"""What Python there is, and what its sources would find as the runtime."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from functrace.sources.diagnosis import Finding
from functrace.sources.python import runtime_install


def diagnose(folder: Path) -> Iterator[Finding]:
    """Yield what was found for the sources in ``folder``, which is absolute."""
    yield Finding(
        "Python",
        f"{platform.python_version()} at {sys.executable}, whose syntax the sources must have",
    )
    environments = [*runtime_install.site_packages(folder)]
    if environments and not runtime_install.is_installed(folder):
        advice = (
            f"`pip install {runtime_install.DISTRIBUTION}` there, for instrumented sources to run"
        )
        yield Finding("runtime", f"none in {environments[0]}", advice)
    elif environments:
        yield Finding("runtime", f"in {environments[0]}")
    for other in runtime_install.foreign(folder, ()):
        yield Finding("runtime", f"another one: {other}", "it would be imported in ours' place")
