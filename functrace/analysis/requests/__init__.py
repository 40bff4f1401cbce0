"""Requests between processes: joins, chains across processes, services."""

from functrace.analysis.requests.joined import Joined, has_requests, joined
from functrace.analysis.requests.joining import METHOD_NAMES, Method

__all__ = ["METHOD_NAMES", "Joined", "Method", "has_requests", "joined"]
