"""Hooks in the packages that requests enter and leave a program through.

``functrace go`` compiles copies of these packages in which some functions have another name, and
adds files that declare functions of the former names: these report the request and call the former.
A package that differs from what is expected is compiled without hooks.
"""

from functrace.gobuild.request_hooks.hooked import HOOKED, Hooked, hook
from functrace.gobuild.request_hooks.sources import read_sources

__all__ = ["HOOKED", "Hooked", "hook", "read_sources"]
