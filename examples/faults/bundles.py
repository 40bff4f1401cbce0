"""Bundles in a folder."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bundle:
    """What a bundle contains, as far as the scenario checks it."""

    folder: Path
    service: str
    trigger: str
    summary: str
    triage: str


def list_bundles(out: Path) -> dict[str, Bundle]:
    """Return the bundles in a folder by name."""
    return {why.parent.name: _read(why.parent) for why in sorted(out.glob("[!.]*/why.json"))}


def wait_for_bundle(out: Path, known: set[str], service: str, seconds: float) -> bool:
    """Wait until a service has a bundle that is not known yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = list_bundles(out)
        if any(found[name].service == service for name in found.keys() - known):
            return True
        time.sleep(0.2)
    return False


def _read(folder: Path) -> Bundle:
    why = json.loads((folder / "why.json").read_text())
    triage = (folder / "triage.txt").read_text()
    return Bundle(folder, why["process"]["name"], why["trigger"], why["summary"], triage)
