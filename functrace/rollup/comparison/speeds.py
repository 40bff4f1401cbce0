"""Speeds of units: machines differ, and all functions of a process are slower on a slow one."""

from __future__ import annotations

import numpy as np

from functrace.rollup.comparison.unit_figures import MIN_CALLS, Floats, UnitFigures

_MIN_CHAINS = 10
_MAX_CHAINS = 200
_MIN_SHARE = 0.8
_MIN_SELF_NS = 100


def log_speeds(before: UnitFigures, after: UnitFigures) -> tuple[Floats, Floats]:
    """Return the logarithm of how long each unit takes for the same work, relative to all units.

    It is the median over chains of the self time of a call. Units with fewer than ten chains that
    most units have are taken to be as fast as the others: a change of one function could be the
    median of so few.
    """
    selves = np.concatenate([_self_times(before), _self_times(after)], axis=1)
    chosen = _common_chains(selves)
    units = selves.shape[1]
    if len(chosen) < _MIN_CHAINS:
        found = np.zeros(units)
    else:
        logs = np.log(selves[chosen])
        logs -= np.nanmedian(logs, axis=1, keepdims=True)
        has_enough = (~np.isnan(logs)).sum(axis=0) >= _MIN_CHAINS
        found = np.zeros(units)
        found[has_enough] = np.nanmedian(logs[:, has_enough], axis=0)
    first, second = np.split(found, [before.unit_count])
    return first, second


def _self_times(figures: UnitFigures) -> Floats:
    """Return the self time of a call by chain and unit; NaN with few calls or hardly any time."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (figures.self_ns / figures.calls).astype(np.float64)
    found[(figures.calls < MIN_CALLS) | ~(found >= _MIN_SELF_NS)] = np.nan
    return found


def _common_chains(selves: Floats) -> list[int]:
    """Return the chains that most units have, at most _MAX_CHAINS of them."""
    share = (~np.isnan(selves)).mean(axis=1)
    ranked = np.argsort(-share, kind="stable")[:_MAX_CHAINS]
    return [chain for chain in ranked.tolist() if share[chain] >= _MIN_SHARE]
