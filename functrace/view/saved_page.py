"""A page in one file: the viewer with the answers that it would request, for sending to others."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from functrace.view import static_files
from functrace.view.answers import encode

_STYLE = '<link rel="stylesheet" href="app.css">'
_SCRIPT = '<script src="app.js"></script>'
_HEAD = "<head>"


def page(saved: dict[str, Any]) -> bytes:
    """Return the page as HTML. Its policy permits its own script and style and no request."""
    html = static_files.read("index.html").decode()
    style = static_files.read("app.css").decode()
    script = static_files.read("app.js").decode().replace("</script", r"<\/script")
    script = script.replace("<!--", r"<\!--")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    # In a string of JSON, < may be written as an escape: no text ends the element that holds it.
    data = encode(saved).decode().replace("<", r"\u003c")
    scripts = (
        f'<script id="saved" type="application/json">{data}</script>\n<script>{script}</script>'
    )
    for old, new in (
        (_HEAD, f'{_HEAD}\n<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        (_STYLE, f"<style>{style}</style>"),
        (_SCRIPT, scripts),
    ):
        before, separator, after = html.partition(old)
        assert separator, old
        html = before + new + after
    return html.encode()


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
