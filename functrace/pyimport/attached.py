"""Start and stop of tracing in a program that runs already, as code that the program executes.

The program was not instrumented: the code objects of its functions are registered instead.
"""

from __future__ import annotations

import gc
import os

from functrace import _get_control
from functrace.pyimport.module_filter import is_installed, is_own
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.registry import register_code

TYPE_CHECKING = False  # importing typing would take time that the program waits for
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType

_FUNCTION = type(lambda: None)
_CODE = type((lambda: None).__code__)
_IS_FUNCTION = 0x1  # CO_OPTIMIZED, which the code of modules and classes lacks


def switch(variables: Mapping[str, str], *, is_on: bool) -> str:
    """Start or stop tracing; return why that failed, or an empty string.

    Args:
        variables: the FUNCTRACE_* variables of the command; they precede the program's.
        is_on: whether to start.
    """
    control = _get_control()
    try:
        if not is_on:
            control.stop()
        elif control.is_recording:
            control.start()
        else:
            for code, name in _functions():
                register_code(code, name)
            control.begin_ring({**os.environ, **variables})
    except (RuntimeError, ValueError, OSError) as error:
        return str(error).removeprefix("functrace: ")
    return ""


def _functions() -> Iterator[tuple[CodeType, str]]:
    """Yield the code and the full name of each function of the user's own modules.

    Nothing of the program runs for it: its functions are those that the garbage collector knows.
    """
    seen: set[int] = set()
    for found in gc.get_objects():
        if type(found) is not _FUNCTION:
            continue
        code = found.__code__
        if id(code) in seen or not _is_selected(exact_str(code.co_filename)):
            continue
        # dict.get: the globals may be of a class of the program, whose method would run.
        module = dict.get(found.__globals__, "__name__")
        for inner in _with_inner_functions(code, seen):
            name = exact_str(inner.co_qualname)
            yield inner, f"{module if type(module) is str else '?'}.{name}"


def _with_inner_functions(code: CodeType, seen: set[int]) -> Iterator[CodeType]:
    """Yield a function's code, and that of the functions that it defines, unless seen before."""
    seen.add(id(code))
    if code.co_flags & _IS_FUNCTION and not exact_str(code.co_name).startswith("<"):
        yield code
    for constant in code.co_consts:
        if type(constant) is _CODE and id(constant) not in seen:
            yield from _with_inner_functions(constant, seen)


def _is_selected(file: str) -> bool:
    """Return whether the file is one that ``functrace run`` instruments without options."""
    return file[:1] != "<" and not is_own(file) and not is_installed(file)
