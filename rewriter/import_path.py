"""Go import paths without their major version suffix.

Source: https://go.dev/ref/mod#major-version-suffixes. ``v0`` and ``v1`` are not suffixes: a
package at such a path has that name, as in Kubernetes. gopkg.in puts the version after a dot,
which Go symbols spell ``%2e`` in the last element of a path.
"""

from __future__ import annotations

import re

_END = r"(?=\.[^/]*$|$)"  # end of the path; a function name may follow
_SUFFIX = re.compile(rf"/v(?:[2-9]|[1-9]\d+){_END}")
_GOPKG = re.compile(rf"(gopkg\.in/(?:[^/]+/)?[^/.%]+)(?:%2e|\.)v\d+{_END}")


def strip_major_version(name: str) -> str:
    """Return an import path, or a function's full name, without the major version."""
    found = _GOPKG.match(name)
    return found[1] + name[found.end() :] if found else _SUFFIX.sub("", name, count=1)
