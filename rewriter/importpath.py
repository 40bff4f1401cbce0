"""Go import paths without the suffix of a major version, as people read and write them.

Source: https://go.dev/ref/mod#major-version-suffixes. ``v0`` and ``v1`` are no such suffixes: a
package at such a path has that name, as Kubernetes' have. gopkg.in puts the version behind a dot,
which symbols of Go spell ``%2e`` in the last element of a path.
"""

from __future__ import annotations

import re

_END = r"(?=\.[^/]*$|$)"  # of the path: what may follow is the function
_SUFFIX = re.compile(rf"/v(?:[2-9]|[1-9]\d+){_END}")
_GOPKG = re.compile(rf"(gopkg\.in/(?:[^/]+/)?[^/.%]+)(?:%2e|\.)v\d+{_END}")


def without_version(name: str) -> str:
    """Return an import path, or a function's full name, without the major version."""
    found = _GOPKG.match(name)
    return found[1] + name[found.end() :] if found else _SUFFIX.sub("", name, count=1)
