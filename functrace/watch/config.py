"""Configuration file of the watcher; docs/watch.md describes its keys."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from functrace.errors import UsageError
from functrace.watch.config_keys import (
    count,
    duration_s,
    globs,
    http_url,
    key,
    mapping,
    size_bytes,
    text,
    texts,
    window_ns,
)
from functrace.watch.toml_lines import Path as KeyPath
from functrace.watch.toml_lines import find_lines
from functrace.watch.triggers import KINDS, TriggerSettings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SYNTAX_ERROR = re.compile(r"(.*) \(at line (\d+), column \d+\)")


@dataclass(frozen=True)
class BundleKeys:
    """Table ``bundles``: the folder of bundles."""

    max_size_bytes: int = key(
        "max-size", size_bytes, "10GB", "the oldest bundles are removed beyond this size"
    )
    max_age_s: float = key("max-age", duration_s, "720h", "bundles older than this are removed")
    pprof_s: float = key("pprof-time", duration_s, "5s", "length of a CPU profile")


@dataclass(frozen=True)
class NotifyKeys:
    """Table ``notify``: recipients of a message about each bundle. A service may have its own."""

    apprise: tuple[str, ...] = key("apprise", texts, [], "addresses for apprise, an extra")
    webhook: tuple[str, ...] = key("webhook", texts, [], "addresses that receive a POST with JSON")
    command: tuple[str, ...] = key(
        "command", texts, [], "program and arguments; it reads JSON on standard input"
    )
    codeowners: str | None = key(
        "codeowners", text, None, "a CODEOWNERS file: the owners of the guilty function's file"
    )


@dataclass(frozen=True)
class MetricsKeys:
    """Table ``metrics``: the OpenMetrics endpoint."""

    listen: str | None = key("listen", text, None, "loopback address, such as 127.0.0.1:9464")
    functions: tuple[str, ...] = key(
        "functions", globs, [], "functions with figures of their own; [globs](globs.md)"
    )


@dataclass(frozen=True)
class RollupKeys:
    """Table ``rollup``: the store of chain tables by window."""

    store: str | None = key(
        "store", text, None, "folder or URL of the store; `--rollup` has precedence"
    )
    width_ns: int = key(
        "window", window_ns, "1m", "length of a window, of which an hour has a whole number"
    )


@dataclass(frozen=True)
class Service:
    """Table ``[[service]]``: programs with settings of their own; the first that matches counts."""

    name: str = key("name", text, "*", "program name, or a pattern such as `shop-*`")
    labels: Mapping[str, str] = key("labels", mapping, {}, "labels in why.json and messages")
    owners: tuple[str, ...] = key("owners", texts, [], "owners in why.json and messages")
    group: str | None = key("group", text, None, "group that `functrace dump GROUP` names")
    pprof: str | None = key(
        "pprof",
        http_url,
        None,
        "address of the pprof endpoint; bundles contain its profiles",
    )
    triggers: Mapping[str, TriggerSettings] = field(default_factory=dict)
    notify: NotifyKeys | None = None


@dataclass(frozen=True)
class Config:
    """Configuration of a watcher."""

    destination: str | None = key(
        "destination", text, None, "folder or URL of the bundles; `--out` has precedence"
    )
    bundles_per_hour: int = key(
        "bundles-per-hour", count, 20, "limit over all triggers and programs"
    )
    settle_s: float = key(
        "settle", duration_s, "2s", "time after a firing in which others of the same fault join it"
    )
    same_fault_s: float = key(
        "same-fault",
        duration_s,
        "30s",
        "time after a firing in which whatever fires in the same process is the same fault",
    )
    triggers: Mapping[str, TriggerSettings] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    bundles: BundleKeys = field(default_factory=BundleKeys)
    notify: NotifyKeys = field(default_factory=NotifyKeys)
    metrics: MetricsKeys = field(default_factory=MetricsKeys)
    rollup: RollupKeys = field(default_factory=RollupKeys)

    def service(self, program: str) -> Service:
        """Return the settings of a program."""
        matching = (each for each in self.services if fnmatchcase(program, each.name))
        return next(matching, Service(program, triggers=self.triggers, notify=self.notify))


TABLES: dict[str, type] = {
    "bundles": BundleKeys,
    "notify": NotifyKeys,
    "metrics": MetricsKeys,
    "rollup": RollupKeys,
}


def default_config() -> Config:
    """Return the configuration without a file."""
    return Config(triggers={name: kind.settings() for name, kind in KINDS.items()})


def load(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        UsageError: it cannot be read or is invalid; all mistakes are listed with their lines.
    """
    try:
        content = path.read_text(encoding="utf-8")
        table = tomllib.loads(content)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        match = _SYNTAX_ERROR.fullmatch(str(error))
        where = f"{path}:{match[2]}: {match[1]}" if match else f"{path}: {error}"
        raise UsageError(where) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: not a TOML file in UTF-8") from None
    reader = _Reader(path, find_lines(content))
    config = reader.read(table)
    if reader.mistakes:
        raise UsageError(*(message for _, message in sorted(reader.mistakes)))
    return config


class _Reader:
    """Reads tables and collects what is wrong in them."""

    def __init__(self, path: Path, lines: Mapping[KeyPath, int]) -> None:
        self.mistakes: list[tuple[int, str]] = []
        self._path = path
        self._lines = lines

    def read(self, table: dict[str, Any]) -> Config:
        inner = [*TABLES, "triggers", "service"]
        given = self._given(Config, table, (), inner)
        base = {name: kind.settings() for name, kind in KINDS.items()}
        triggers = self._triggers(table.get("triggers", {}), ("triggers",), base)
        for name, keys in TABLES.items():
            values = self._given(keys, table.get(name, {}), (name,), [])
            given[name] = keys(**values)
        services = self._services(table.get("service", []), triggers, given["notify"])
        return Config(**given, triggers=triggers, services=tuple(services))

    def _services(
        self, tables: Any, base: Mapping[str, TriggerSettings], notify: NotifyKeys
    ) -> Iterator[Service]:
        if not isinstance(tables, list):
            self._report(("service",), "service: must be an array of tables: [[service]]")
            return
        for index, table in enumerate(tables):
            path: KeyPath = ("service", index)
            given = self._given(Service, table, path, ["triggers", "notify"])
            if not isinstance(table, dict):
                continue
            if "name" not in table:
                self._report(path, "service: name is missing")
            triggers = self._triggers(table.get("triggers", {}), (*path, "triggers"), base)
            own = self._given(NotifyKeys, table.get("notify", {}), (*path, "notify"), [])
            yield Service(**given, triggers=triggers, notify=replace(notify, **own))

    def _triggers(
        self, table: Any, path: KeyPath, base: Mapping[str, TriggerSettings]
    ) -> Mapping[str, TriggerSettings]:
        """Return the settings in ``base`` with the changes that a table makes."""
        if not isinstance(table, dict):
            self._report(path, f"{_shown(path)}: must be a table")
            return base
        found = dict(base)
        for name, own in table.items():
            if name not in KINDS:
                self._report_unknown((*path, name), "trigger", KINDS)
                continue
            given = self._given(KINDS[name].settings, own, (*path, name), [])
            found[name] = replace(found[name], **given)
        return found

    def _given(self, keys: type, table: Any, path: KeyPath, inner: list[str]) -> dict[str, Any]:
        """Return the values of a table that are valid, by field; ``inner`` are tables in it."""
        if not isinstance(table, dict):
            self._report(path, f"{_shown(path)}: must be a table")
            return {}
        known = {each.metadata["key"]: each for each in fields(keys) if each.metadata}
        given = {}
        for name, value in table.items():
            if name in known:
                try:
                    given[known[name].name] = known[name].metadata["read"](value)
                except ValueError as error:
                    self._report((*path, name), f"{_shown((*path, name))}: {error}")
            elif name not in inner:
                self._report_unknown((*path, name), "key", [*known, *inner])
        return given

    def _report_unknown(self, path: KeyPath, what: str, known: Any) -> None:
        name = str(path[-1])
        alike = get_close_matches(name, list(known), n=1)
        hint = f"; did you mean {alike[0]}?" if alike else f"; known are {', '.join(known)}"
        self._report(path, f"{_shown(path)}: unknown {what}{hint}")

    def _report(self, path: KeyPath, message: str) -> None:
        line = self._lines.get(path, 1)
        self.mistakes.append((line, f"{self._path}:{line}: {message}"))


def _shown(path: KeyPath) -> str:
    """Return the keys of a path as the file spells them."""
    return ".".join(str(part) for part in path if isinstance(part, str))
