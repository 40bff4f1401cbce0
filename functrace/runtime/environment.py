"""Settings of the runtime, read from FUNCTRACE_* environment variables (docs/variables.md)."""

from __future__ import annotations

# Every traced program loads this module at its start. It imports re only if a value has to be
# parsed, and neither dataclasses nor typing.
import sys

from functrace.runtime import BUILTINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

globals()["__builtins__"] = BUILTINS

_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_MAX_DIGITS = 18  # digits per number
_RING_BUDGET = 0.03
_RING_SIZE_BYTES = 64 << 20  # also the bytes that may be unsent with otlp


class Settings:
    """Settings in force; class attributes are the defaults.

    Attributes:
        mode: text, record, ring, otlp or off.
        out: the output; empty for the default.
        max_size: the size limit of a file, in bytes.
        overwrite: whether a full trace overwrites its oldest calls.
        depth: the maximum number of levels that are traced.
        min_duration: in nanoseconds; shorter calls are omitted from a trace.
        signal: USR1 or USR2, which stops and starts tracing; empty for none.
        budget: the share of the CPU time that recording may take; 0 for no limit.
        propagate: off, observe, forward or span: what is done with requests.
        keeps_urls: whether names of requests contain paths and queries as they are.
        ring_folder: the folder of rings; empty for the default.
        ring_keep, ring_keep_size: the number and bytes of kept rings of ended processes.
        include, exclude: predicates over full names; None if not set.
    """

    mode: str = "off"
    out: str = ""
    max_size: int = 1 << 30
    overwrite: bool = False
    depth: int = sys.maxsize
    min_duration: int = 0
    signal: str = ""
    budget: float = 0.0
    propagate: str = "observe"
    keeps_urls: bool = False
    ring_folder: str = ""
    ring_keep: int = 16
    ring_keep_size: int = 1 << 30
    include: Callable[[str], bool] | None = None
    exclude: Callable[[str], bool] | None = None

    def should_trace(self, name: str) -> bool:
        """Return whether calls of the function with that full name are traced."""
        if self.include is not None and not self.include(name):
            return False
        return self.exclude is None or not self.exclude(name)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of an environment.

    Raises:
        ValueError: a variable is invalid; the message contains its name and the valid values.
    """

    def value_of(name: str) -> str:
        return environment.get("FUNCTRACE_" + name, "")

    settings = Settings()
    mode = environment.get("FUNCTRACE", "")
    settings.mode = _parse_choice("FUNCTRACE", mode, "off", "record", "text", "ring", "otlp")
    settings.out = value_of("OUT")
    default = _RING_SIZE_BYTES if settings.mode in ("ring", "otlp") else Settings.max_size
    settings.max_size = _parse_size("FUNCTRACE_MAX_SIZE", value_of("MAX_SIZE"), default)
    settings.overwrite = (
        _parse_choice("FUNCTRACE_FULL", value_of("FULL"), "stop", "overwrite") == "overwrite"
    )
    settings.depth = _parse_depth(value_of("DEPTH"))
    settings.min_duration = _parse_duration(value_of("MIN_DURATION"))
    settings.signal = _parse_choice("FUNCTRACE_SIGNAL", value_of("SIGNAL"), "", "USR1", "USR2")
    settings.budget = _parse_budget(value_of("BUDGET"), settings)
    settings.propagate = _parse_choice(
        "FUNCTRACE_PROPAGATE", value_of("PROPAGATE"), "observe", "forward", "span", "off"
    )
    urls = _parse_choice("FUNCTRACE_REQUEST_URLS", value_of("REQUEST_URLS"), "shape", "full")
    settings.keeps_urls = urls == "full"
    settings.ring_folder = value_of("RING_DIR")
    settings.ring_keep = _parse_count("FUNCTRACE_RING_KEEP", value_of("RING_KEEP"))
    settings.ring_keep_size = _parse_size(
        "FUNCTRACE_RING_KEEP_SIZE", value_of("RING_KEEP_SIZE"), Settings.ring_keep_size
    )
    settings.include = _parse_globs("FUNCTRACE_INCLUDE", value_of("INCLUDE"))
    settings.exclude = _parse_globs("FUNCTRACE_EXCLUDE", value_of("EXCLUDE"))
    return settings


_EXPECTED = {
    "FUNCTRACE": "none of text, record, ring, otlp and off",
    "FUNCTRACE_FULL": "neither stop nor overwrite",
    "FUNCTRACE_PROPAGATE": "none of observe, forward, span and off",
    "FUNCTRACE_REQUEST_URLS": "neither shape nor full",
    "FUNCTRACE_SIGNAL": "neither USR1 nor USR2",
}


def _parse_choice(variable: str, text: str, default: str, *others: str) -> str:
    if text and text not in (default, *others):
        raise ValueError(f"{variable}={text} is {_EXPECTED[variable]}")
    return text or default


def _parse_size(variable: str, text: str, default: int) -> int:
    if not text:
        return default
    number, unit = (text[:-1], text[-1]) if text[-1] in "KMG" else (text, "")
    size = int(number) << 10 * (" KMG".index(unit) if unit else 0) if _is_number(number) else 0
    if not 0 < size < 1 << 63:
        raise ValueError(f"{variable}={text} is not a size such as 500M or 2G")
    return size


def _parse_budget(text: str, settings: Settings) -> float:
    """Return the share; the budget counts what is in the trace, and not shorter calls."""
    if not text:
        return _RING_BUDGET if settings.mode == "ring" and not settings.min_duration else 0.0
    if text == "off":
        return 0.0
    number, unit = text[:-1], text[-1]
    is_percentage = unit == "%" and _is_number(number.replace(".", "", 1))
    share = round(float(number) / 100, 6) if is_percentage else 0.0
    if not 0 < share <= 1:
        raise ValueError(f"FUNCTRACE_BUDGET={text} is neither off nor a share such as 3% or 0.5%")
    if settings.min_duration:
        reason = "cannot be combined with FUNCTRACE_MIN_DURATION; set one of them"
        raise ValueError(f"FUNCTRACE_BUDGET={text} {reason}")
    return share


def _parse_depth(text: str) -> int:
    if not text:
        return Settings.depth
    if not _is_number(text) or int(text) < 1:
        raise ValueError(f"FUNCTRACE_DEPTH={text} is not a number of levels")
    return int(text)


def _parse_count(variable: str, text: str) -> int:
    if not text:
        return Settings.ring_keep
    if not _is_number(text):
        raise ValueError(f"{variable}={text} is not a number of rings")
    return int(text)


def _is_number(text: str) -> bool:
    """Return whether all characters are ASCII digits, and few enough to convert quickly."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def _parse_duration(text: str) -> int:
    if not text:
        return 0
    import re

    number, unit = r"(\d+\.?\d*|\.\d+)", r"(ns|us|µs|μs|ms|s|m|h)"
    if not re.fullmatch(rf"\+?(?:0|(?:{number}{unit})+)", text, re.ASCII):
        raise ValueError(f"FUNCTRACE_MIN_DURATION={text} is not a time such as 5us or 2ms")
    parts = re.findall(number + unit, text, re.ASCII)
    return int(sum(float(number) * _NANOSECONDS[unit] for number, unit in parts))


def _parse_globs(variable: str, text: str) -> Callable[[str], bool] | None:
    if not text.replace(",", " ").strip():
        return None
    from functrace.runtime.globs import Globs

    try:
        return Globs(text).match
    except ValueError:
        expected = "not a list of function names such as Get or store.*"
        raise ValueError(f"{variable}={text} is {expected}") from None
