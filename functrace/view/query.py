"""Parameters of a request to the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from functrace.errors import UsageError

_MAX_PARAMETERS = 64
MAX_NS = 1 << 60


@dataclass(frozen=True)
class Query:
    """Parameters by name, parsed and checked on access."""

    values: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Query:
        """Parse the query of an address; the last value of a name counts.

        Raises:
            UsageError: there are too many parameters.
        """
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
        except ValueError:
            raise UsageError(f"more than {_MAX_PARAMETERS} parameters") from None
        return cls(dict(pairs))

    def text(self, name: str) -> str:
        """Return a parameter; empty if it is missing."""
        return self.values.get(name, "")

    def required(self, name: str) -> str:
        """Return a parameter that must be there.

        Raises:
            UsageError: it is missing.
        """
        value = self.text(name)
        if not value:
            raise UsageError(f"the parameter {name} is missing")
        return value

    def required_number(self, name: str) -> int:
        """Return a whole number that must be there.

        Raises:
            UsageError: it is missing or not a number.
        """
        return _number(name, self.required(name))

    def flag(self, name: str) -> bool:
        """Return whether a parameter is set."""
        return self.text(name) not in ("", "0")

    def choice(self, name: str, *values: str) -> str:
        """Return a parameter that is one of ``values``; the first one if it is missing.

        Raises:
            UsageError: it is something else.
        """
        value = self.text(name) or values[0]
        if value not in values:
            raise UsageError(f"the parameter {name} must be {' or '.join(values)}")
        return value

    def number(self, name: str, default: int, *, low: int = 0, high: int = MAX_NS) -> int:
        """Return a whole number; one beyond a bound is replaced by the bound.

        Raises:
            UsageError: it is not a number.
        """
        found = self.optional_number(name)
        return default if found is None else min(max(found, low), high)

    def optional_number(self, name: str) -> int | None:
        """Return a whole number, None if it is missing.

        Raises:
            UsageError: it is not a number.
        """
        value = self.text(name)
        if not value:
            return None
        return _number(name, value)

    def numbers(self, name: str) -> list[int] | None:
        """Return whole numbers that commas separate, None if there are none.

        Raises:
            UsageError: one is not a number.
        """
        value = self.text(name)
        return [_number(name, each) for each in value.split(",")] if value else None


def _number(name: str, text: str) -> int:
    try:
        number = float(text)  # JavaScript writes large numbers as 1e+21
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 20 else round(number)
    except (ValueError, OverflowError):
        raise UsageError(f"the parameter {name} must be a number") from None
