"""Access rules of the viewer's server: which requests are answered at all.

Other users of the machine can connect to its loopback interface, and so can any page in the user's
browser. A request is answered only if it names the server as this server was named to the user
(Host, against DNS rebinding), comes from no other page (Origin) and contains the token.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

_TOKEN_BYTES = 16
_DEFAULT_PORT = 80
_NAMES = ("127.0.0.1", "localhost", "[::1]")


def create_token() -> str:
    """Return 128 random bits as text for a URL."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


@dataclass(frozen=True)
class Access:
    """Access rules for one token and port."""

    port: int
    token: str = field(default_factory=create_token, repr=False)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def path_of(self, target: str, hosts: Sequence[str], origins: Sequence[str]) -> str | None:
        """Return the path below the token, without the query; None if access is refused.

        Args:
            target: the target of the request.
            hosts: the values of its Host headers.
            origins: the values of its Origin headers.
        """
        names = [f"{name}:{self.port}" for name in _NAMES]
        if self.port == _DEFAULT_PORT:
            names += _NAMES  # browsers leave it out
        if len(hosts) != 1 or hosts[0].lower() not in names:
            return None
        if any(origin.lower() not in [f"http://{name}" for name in names] for origin in origins):
            return None
        first, separator, path = target.partition("?")[0].removeprefix("/").partition("/")
        if not separator or not self._is_token(first) or target[:1] != "/":
            return None
        return path

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode("utf-8", "replace"), self.token.encode())
