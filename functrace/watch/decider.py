"""Decision which windows give a bundle."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from functrace.watch.config import Config, Service
from functrace.watch.cooldown import Cooldowns
from functrace.watch.faults import Cause, Fault, identify, is_related, window_values
from functrace.watch.figures import Figures, RingProcess
from functrace.watch.firing import Firing
from functrace.watch.triggers import KINDS, Finding, Trigger, TriggerSettings

BY_HAND = "by-hand"
"""The trigger of bundles that somebody asked for."""

_MAX_SAME_FAULT = 4
"""Times ``same-fault`` after which what fires is another fault, however much fired until then."""


@dataclass(frozen=True)
class Decision:
    """What follows from a window.

    Attributes:
        held: faults that began or changed; their bundles are not to be saved yet.
        settled: faults whose bundles are to be saved.
        notes: sentences about what was true and gives no bundle.
    """

    held: tuple[Fault, ...] = ()
    settled: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Process:
    """State of one process."""

    triggers: dict[str, tuple[TriggerSettings, Trigger]]
    latest: Figures
    reported: set[tuple[str, int | str | None]] = field(default_factory=set)
    """conditions that are true and have had their effect"""
    noted: set[tuple[str, int | str | None]] = field(default_factory=set)
    """conditions that are true and wait for the end of a cooldown"""
    fault: Fault | None = None
    first_at: float = -1e18
    last_at: float = -1e18
    chains: list[tuple[float, int]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    """conditions that gave no bundle, by trigger"""


class Decider:
    """Evaluates the triggers of all processes.

    Args:
        config: the configuration.
        past: firings of watchers before this one.
    """

    def __init__(self, config: Config, past: Iterable[Firing] = ()) -> None:
        firings = [firing for firing in past if firing.trigger != BY_HAND]
        self._config = config
        self._cooldowns = Cooldowns(firings)
        self._past: dict[tuple[str, int, str], list[Firing]] = {}
        for firing in firings:
            self._past.setdefault(_key(firing.process), []).append(firing)
        self._processes: dict[tuple[str, int, str], _Process] = {}

    def reconfigure(self, config: Config) -> None:
        """Use another configuration; triggers whose settings are unchanged keep their past."""
        self._config = config
        for state in self._processes.values():
            service = config.service(state.latest.process.name)
            state.triggers = _triggers(service, state.triggers)

    def decide(self, figures: Figures) -> Decision:
        """Take in the next window of a process."""
        state = self._state(figures)
        found = [
            (name, finding)
            for name, (_, trigger) in state.triggers.items()
            for finding in trigger.observe(figures)
        ]
        keys = {(name, finding.subject) for name, finding in found}
        state.reported &= keys
        state.noted &= keys
        before = len(state.fault.causes) if state.fault else 0
        notes = [
            note
            for name, finding in sorted(found, key=lambda each: list(KINDS).index(each[0]))
            if (name, finding.subject) not in state.reported
            for note in self._take(state, name, finding)
        ]
        fault = state.fault
        if fault is None:
            return self._end(figures, Decision(notes=tuple(notes)))
        if figures.end - fault.began >= self._config.settle_s or figures.ended is not None:
            state.fault = None
            return self._end(figures, Decision(settled=(fault,), notes=tuple(notes)))
        held = (fault,) if len(fault.causes) > before else ()
        return self._end(figures, Decision(held=held, notes=tuple(notes)))

    def _end(self, figures: Figures, decision: Decision) -> Decision:
        if figures.ended is not None:
            self._processes.pop(_key(figures.process), None)
        return decision

    def flush(self) -> tuple[Fault, ...]:
        """Return the faults that are still held."""
        faults = tuple(state.fault for state in self._processes.values() if state.fault)
        for state in self._processes.values():
            state.fault = None
        return faults

    def processes(self) -> list[Figures]:
        """Return the last window of each process that runs."""
        return [state.latest for state in self._processes.values()]

    def group_of(self, process: RingProcess) -> str | None:
        """Return the group that the configuration puts a process in."""
        return self._config.service(process.name).group

    def by_hand(self, process: RingProcess, at: float) -> Firing:
        """Return the firing for a bundle that somebody asked for."""
        state = self._processes.get(_key(process))
        values = window_values(state.latest) if state is not None else {}
        return Firing(BY_HAND, BY_HAND, process, at, "somebody asked for this bundle", values)

    def standings(self, now: float) -> Iterator[Mapping[str, object]]:
        """Yield, for each trigger of each process, its value, its threshold and its cooldown."""
        for state in self._processes.values():
            process = state.latest.process
            service = self._config.service(process.name)
            for name, (settings, trigger) in state.triggers.items():
                gauge = trigger.gauge
                end = self._cooldowns.end_of(process.name, name, settings.cooldown_s, now)
                yield {
                    "process": process.name,
                    "pid": process.pid,
                    "group": service.group,
                    "trigger": name,
                    "unit": gauge.unit,
                    "value": gauge.value,
                    "threshold": gauge.threshold,
                    "close_at": gauge.close_at,
                    "close_value": gauge.close_value,
                    "note": gauge.note,
                    "cooldown_until": end,
                    "without_bundle": state.refused.get(name, 0),
                }

    def _state(self, figures: Figures) -> _Process:
        key = _key(figures.process)
        state = self._processes.get(key)
        if state is None:
            service = self._config.service(figures.process.name)
            state = self._processes[key] = _Process(_triggers(service, {}), figures)
            for firing in self._past.get(key, ()):
                state.first_at = state.last_at = max(state.last_at, firing.at)
        state.latest = figures
        return state

    def _take(self, state: _Process, name: str, finding: Finding) -> Iterator[str]:
        """Let a condition have its effect. Yield a note if it gives no bundle."""
        figures, now, key = state.latest, state.latest.end, (name, finding.subject)
        process = figures.process
        if self._has_fired(process, name, finding):
            state.reported.add(key)
            return
        cooldown_s = state.triggers[name][0].cooldown_s
        end = self._cooldowns.end_of(process.name, name, cooldown_s, now)
        if state.fault is not None:
            self._blame(state, state.fault, Cause(name, finding, figures, end is not None), now)
        elif self._is_same_fault(state, finding, cooldown_s, now):
            yield from self._join(state, key, finding, now)
        elif end is not None:
            if key not in state.noted:
                state.noted.add(key)
                yield self._refuse(
                    state, name, finding, f"no bundle before {_clock(end)}, cooldown"
                )
        elif not self._cooldowns.reserve(self._config.bundles_per_hour, now):
            state.reported.add(key)
            limit = self._config.bundles_per_hour
            yield self._refuse(state, name, finding, f"no bundle, limit of {limit} an hour")
        else:
            state.fault = Fault(identify(process, now), now)
            self._blame(state, state.fault, Cause(name, finding, figures, False), now)

    def _blame(self, state: _Process, fault: Fault, cause: Cause, now: float) -> None:
        fault.causes.append(cause)
        state.reported.add((cause.trigger, cause.finding.subject))
        if not cause.is_cooling:
            self._cooldowns.start(cause.figures.process.name, cause.trigger, now)
        state.last_at = now
        state.first_at = fault.began
        if cause.finding.chain is not None:
            state.chains = [*state.chains[-99:], (now, cause.finding.chain)]

    def _join(
        self, state: _Process, key: tuple[str, int | str | None], finding: Finding, now: float
    ) -> Iterator[str]:
        state.reported.add(key)
        state.last_at = now
        yield self._refuse(state, key[0], finding, "no bundle, same fault as the last one")

    def _refuse(self, state: _Process, name: str, finding: Finding, why: str) -> str:
        state.refused[name] = state.refused.get(name, 0) + 1
        process = state.latest.process
        return f"{process.name} ({process.pid}): {name}: {finding.summary} ({why})"

    def _is_same_fault(
        self, state: _Process, finding: Finding, cooldown_s: float, now: float
    ) -> bool:
        span = self._config.same_fault_s
        if now - state.last_at < span and now - state.first_at < _MAX_SAME_FAULT * span:
            return True
        recent = [chain for at, chain in state.chains if now - at < cooldown_s]
        return is_related(state.latest, finding.chain, recent)

    def _has_fired(self, process: RingProcess, name: str, finding: Finding) -> bool:
        """Return whether a watcher before this one saved the bundle of a condition."""
        past = [each for each in self._past.get(_key(process), ()) if each.trigger == name]
        if name == "died":
            return bool(past)
        return any(finding.began is not None and finding.began <= each.at for each in past)


def _triggers(
    service: Service, existing: Mapping[str, tuple[TriggerSettings, Trigger]]
) -> dict[str, tuple[TriggerSettings, Trigger]]:
    """Return the triggers of a process; those in ``existing`` with the same settings stay."""
    return {
        name: existing[name]
        if name in existing and existing[name][0] == settings
        else (settings, KINDS[name].make(settings))
        for name, settings in service.triggers.items()
        if settings.enabled
    }


def _key(process: RingProcess) -> tuple[str, int, str]:
    return str(process.ring), process.pid, process.start


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
