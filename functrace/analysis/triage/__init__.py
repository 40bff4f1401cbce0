"""The first look at traces: what failed, never ended, was slow or repeated, and what is missing."""

from functrace.analysis.triage.failing import FailingChain
from functrace.analysis.triage.never_ended import NeverEnded
from functrace.analysis.triage.overview import Loss, Triage, triage
from functrace.analysis.triage.recursion import GrowingRecursion
from functrace.analysis.triage.repeated import RepeatedChain
from functrace.analysis.triage.slow import SlowChain
from functrace.analysis.triage.swallowed import SwallowedFailure

__all__ = [
    "FailingChain",
    "GrowingRecursion",
    "Loss",
    "NeverEnded",
    "RepeatedChain",
    "SlowChain",
    "SwallowedFailure",
    "Triage",
    "triage",
]
