"""Traces as lazy tables for notebooks and scripts; docs/api.md describes them."""

from functrace.notebook.table import Calls, Chains, Functions, Processes, Requests, Table, Tracks
from functrace.notebook.traces import Traces, open_traces

__all__ = [
    "Calls",
    "Chains",
    "Functions",
    "Processes",
    "Requests",
    "Table",
    "Traces",
    "Tracks",
    "open_traces",
]
