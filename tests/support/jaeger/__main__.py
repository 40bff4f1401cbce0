"""Builds Jaeger."""

from __future__ import annotations

import sys

from tests.support import toolchains
from tests.support.jaeger import build
from tests.support.missing import MissingError

found = toolchains.usual()
if found is None:
    sys.exit("no Go toolchain: run make test, or put go on PATH")
try:
    sys.stdout.write(f"{build(found)}\n")
except MissingError as error:
    sys.exit(str(error))
