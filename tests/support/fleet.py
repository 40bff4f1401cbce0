"""Many processes on uneven machines, and changes between their two releases.

Each instance has a speed, a load, a traffic mix and rare errors of its own. The changes are known,
so that whatever else a comparison reports is noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

_ROUTES = 6

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Function:
    """A chain of a service, with what it does on a machine of medium speed."""

    parent: int
    name: str
    started: bool = False
    calls: float = 1.0
    """per call of its caller"""
    is_mixed: bool = False
    """whether each instance calls it more or less often, as its users like"""
    self_ns: float = 1000.0
    spread: float = 0.5
    """standard deviation of the logarithm of its durations"""
    failing: float = 0.0
    """share of its calls that fail by themselves"""


@dataclass(frozen=True)
class Plan:
    """What is generated.

    Attributes:
        processes: number of processes of all services, one half of each release.
        chains: number of chains of each service, by name.
        windows: number of minutes in which each process runs.
        seed: of all that is random.
        noise: 1 for machines as uneven as described, 0 for even ones.
        canary: share of the load that instances of the second release get.
    """

    processes: int
    chains: dict[str, int] = field(
        default_factory=lambda: {"shop": 60, "payments": 40, "catalog": 50}
    )
    windows: int = 1
    seed: int = 1
    noise: float = 1.0
    canary: float = 1.0


@dataclass(frozen=True)
class Changes:
    """Chains of the service shop that the second release changes, outermost function first."""

    slower: tuple[str, ...]
    called_more: tuple[str, ...]
    fails_more: tuple[str, ...]


def fleets(plan: Plan, *, changed: bool = True) -> tuple[list[Fleet], Changes]:
    """Return the instances of each service, and what changed in the service shop.

    Args:
        plan: what to generate.
        changed: whether the second release changes anything.
    """
    found = []
    changes = None
    count = plan.processes // len(plan.chains)
    for number, (service, chain_count) in enumerate(plan.chains.items()):
        random = np.random.default_rng([plan.seed, number])
        functions = _functions(random, service, chain_count)
        planted = _planted(functions) if service == "shop" else {}
        if planted:
            changes = Changes(**{kind: _steps(functions, at) for kind, at in planted.items()})
        after = _with_changes(functions, planted if changed else {})
        found.append(Fleet(plan, random, service, (functions, after), count))
    assert changes is not None
    return found, changes


def _functions(random: np.random.Generator, service: str, count: int) -> list[Function]:
    """Return a tree of chains below the handler of requests."""
    found = [
        Function(-1, "main.main", calls=1, self_ns=1e6),
        Function(0, "http.(*conn).serve", started=True, calls=50, self_ns=20_000),
        Function(1, f"{service}.(*Server).ServeHTTP", calls=20, self_ns=5_000),
    ]
    found += [
        Function(2, f"{service}.handle{route}", calls=1 / _ROUTES, is_mixed=True)
        for route in range(_ROUTES)
    ]
    while len(found) < count:
        parent = int(random.integers(3, len(found)))
        package = ("cart", "store", "cache", "price", "db", "auth")[int(random.integers(6))]
        found.append(
            Function(
                parent,
                f"{package}.F{len(found)}",
                started=bool(random.random() < 0.03),
                calls=float(random.choice([1, 1, 1, 2, 3, 0.5, 0.1, 0.02])),
                is_mixed=bool(random.random() < 0.2),
                self_ns=float(10 ** random.uniform(2, 5.5)),
                spread=float(random.uniform(0.2, 0.9)),
                failing=float(random.choice([0, 0, 0, 1e-4, 1e-3])),
            )
        )
    return found


def _planted(functions: Sequence[Function]) -> dict[str, int]:
    """Return the chain of each change: three that are not below each other."""
    parents = {function.parent for function in functions}
    leaves = [at for at in range(3, len(functions)) if at not in parents]
    often = [at for at in leaves if _frequency(functions, at) >= 0.05]
    slower = max(often, key=lambda at: functions[at].self_ns)
    once = [at for at in often if at != slower and functions[at].calls == 1]
    fine = [at for at in once if not functions[at].failing and functions[at].self_ns < 3e4]
    return {"slower": slower, "called_more": fine[0], "fails_more": fine[-1]}


def _frequency(functions: Sequence[Function], at: int) -> float:
    """Return the number of calls per request."""
    calls = 1.0
    while at > 2:
        calls *= functions[at].calls
        at = functions[at].parent
    return calls


def _steps(functions: Sequence[Function], at: int) -> tuple[str, ...]:
    names = []
    while at >= 0:
        names.append(functions[at].name)
        at = functions[at].parent
    return tuple(reversed(names))


def _with_changes(functions: Sequence[Function], planted: dict[str, int]) -> list[Function]:
    changed = list(functions)
    for kind, at in planted.items():
        old = changed[at]
        new = {
            "slower": {"self_ns": old.self_ns * 1.5},
            "called_more": {"calls": old.calls * 3},
            "fails_more": {"failing": 0.02},
        }
        changed[at] = replace(old, **new[kind])
    return changed


@dataclass
class Figures:
    """Figures of a chain in each row: an instance and a window."""

    calls: Ints
    failed: Ints
    self_ns: Ints
    total_ns: Ints


class Fleet:
    """The instances of a service, and the figures of its chains."""

    def __init__(
        self,
        plan: Plan,
        random: np.random.Generator,
        service: str,
        releases: tuple[Sequence[Function], Sequence[Function]],
        count: int,
    ) -> None:
        self.random = random
        self.functions = releases[0]
        self.service = service
        self.instance = np.repeat(np.arange(count), plan.windows)
        self.window = np.tile(np.arange(plan.windows), count)
        self.is_new = self.instance % 2
        self._releases = releases
        noise = plan.noise
        speeds = np.exp(random.normal(0, 0.15 * noise, count))
        loads = np.exp(random.normal(0, 0.4 * noise, count))
        errors = np.exp(random.normal(0, 0.5 * noise, count))
        self._speed = speeds[self.instance] * np.exp(random.normal(0, 0.02, len(self.instance)))
        self._load = loads[self.instance] * np.where(self.is_new, plan.canary, 1.0)
        self._errors = errors[self.instance]
        self._noise = noise
        self.count = count
        self.figures = self._all_figures()
        self.typical_ns = self._typical_durations()

    def _value(self, at: int, name: str) -> Floats:
        """Return an attribute of a function in the release of each row."""
        pair = [float(getattr(release[at], name)) for release in self._releases]
        return np.where(self.is_new, pair[1], pair[0])

    def _all_figures(self) -> list[Figures]:
        calls = []
        for at, function in enumerate(self.functions):
            calls.append(self._calls(at, function, calls))
        found = [self._own(at, each) for at, each in enumerate(calls)]
        for at in reversed(range(len(found))):
            parent = self.functions[at].parent
            if parent >= 0 and not self.functions[at].started:
                above = found[parent]
                above.total_ns += found[at].total_ns
                if parent > 2:  # the handler answers with an error and does not fail
                    above.failed = np.minimum(above.failed + found[at].failed, above.calls)
        return found

    def _typical_durations(self) -> list[Floats]:
        """Return the durations of calls in which nothing rare happens, in each row."""
        found = [self._value(at, "self_ns") * self._speed for at in range(len(self.functions))]
        for at in reversed(range(len(found))):
            function, calls = self.functions[at], self.figures[at].calls
            if function.parent >= 0 and not function.started and function.calls >= 0.5:
                above = np.maximum(self.figures[function.parent].calls, 1)
                found[function.parent] += found[at] * calls / above
        return found

    def _calls(self, at: int, function: Function, calls: list[Ints]) -> Ints:
        if function.parent < 0:
            return np.ones(len(self.instance), np.int64)
        rate = self._value(at, "calls")
        if function.is_mixed:
            rate = (
                rate * np.exp(self.random.normal(0, 0.3 * self._noise, self.count))[self.instance]
            )
        if at == 1:
            rate = rate * self._load
        expected = calls[function.parent] * rate
        is_whole = not function.is_mixed and function.calls == int(function.calls) and at != 1
        return expected.astype(np.int64) if is_whole else self.random.poisson(expected)

    def _own(self, at: int, calls: Ints) -> Figures:
        jitter = np.exp(self.random.normal(0, 0.03, len(calls)))
        own = (self._value(at, "self_ns") * self._speed * jitter * calls).astype(np.int64)
        share = np.minimum(self._value(at, "failing") * self._errors, 1.0)
        return Figures(calls, self.random.binomial(calls, share), own, own.copy())
