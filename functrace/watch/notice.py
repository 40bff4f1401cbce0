"""Notice of a bundle: its content as JSON and as text."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from functrace.runtime.escaping import escape
from functrace.watch.firing import Firing

_ARROW = " → "
_MAX_CALLS = 30


@dataclass(frozen=True)
class Notice:
    """What a notification is about.

    Attributes:
        firing: why the bundle was saved.
        location: path or URL of the bundle.
        owners: who is asked to look at it.
        labels: of the service.
    """

    firing: Firing
    location: str
    owners: tuple[str, ...]
    labels: Mapping[str, str]

    @property
    def title(self) -> str:
        """Return one line with service and trigger."""
        return escape(f"{self.firing.process.name}: {self.firing.trigger}")

    @property
    def text(self) -> str:
        """Return lines with the figures, the guilty chain, the owners and the location."""
        firing = self.firing
        process = firing.process
        lines = [f"{firing.summary} ({process.name}, process {process.pid} on {_host()})"]
        chain = firing.chain
        if len(chain) > _MAX_CALLS:
            omitted = f"… {len(chain) - _MAX_CALLS} more"
            chain = (*chain[: _MAX_CALLS // 2], omitted, *chain[-_MAX_CALLS // 2 :])
        if chain:
            lines.append(f"chain: {_ARROW.join(chain)}")
        lines += [f"also: {sentence}" for sentence in firing.also_true]
        if self.labels:
            lines.append(", ".join(f"{name}: {value}" for name, value in self.labels.items()))
        if self.owners:
            lines.append(f"owners: {' '.join(self.owners)}")
        lines.append(f"bundle: {self.location}")
        return "\n".join(map(escape, lines))

    def as_json(self) -> dict[str, Any]:
        """Return the content for programs."""
        firing = self.firing
        at = datetime.fromtimestamp(firing.at, timezone.utc)
        return {
            "title": self.title,
            "text": self.text,
            "service": firing.process.name,
            "pid": firing.process.pid,
            "host": _host(),
            "trigger": firing.trigger,
            "kind": firing.kind,
            "at": at.isoformat(timespec="milliseconds"),
            "summary": firing.summary,
            "values": dict(firing.values),
            "chain": list(firing.chain),
            "function": firing.function,
            "owners": list(self.owners),
            "labels": dict(self.labels),
            "location": self.location,
        }


def _host() -> str:
    return socket.gethostname()
