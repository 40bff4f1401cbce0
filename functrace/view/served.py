"""Sources of the answers of a server: traces, or a store."""

from __future__ import annotations

from typing import Any, Protocol

from functrace.errors import FunctraceError
from functrace.view import api, store_api
from functrace.view.preparation import prepare
from functrace.view.query import Query
from functrace.view.sessions import Sessions
from functrace.view.stored_session import StoredSession


class Served(Protocol):
    """Source of the answers of a server."""

    def prepare(self) -> None:
        """Compute what the first pages need."""

    def answer(self, name: str, query: Query) -> Any:
        """Return the answer of an endpoint.

        Raises:
            FunctraceError: there is no such endpoint, or it has no answer.
        """


class ServedTraces:
    """Traces, with those that still grow."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def prepare(self) -> None:
        """Analyse the traces."""
        prepare(self._sessions.current)

    def answer(self, name: str, query: Query) -> Any:
        """Return the answer of an endpoint."""
        endpoint = api.ENDPOINTS.get(name)
        if endpoint is None:
            raise FunctraceError("there is no such answer")
        # Only the page's poll renews a live session: all that it shows is of one moment.
        is_poll = endpoint is api.live.answer
        return endpoint(self._sessions.newest() if is_poll else self._sessions.current, query)


class ServedStore:
    """A selection of a store."""

    def __init__(self, session: StoredSession) -> None:
        self._session = session

    def prepare(self) -> None:
        """Read the store."""
        self._session.figures  # noqa: B018  # the first access reads it

    def answer(self, name: str, query: Query) -> Any:
        """Return the answer of an endpoint."""
        endpoint = store_api.ENDPOINTS.get(name)
        if endpoint is None and name in api.ENDPOINTS:
            raise FunctraceError("a store has no single calls, tracks or sources")
        if endpoint is None:
            raise FunctraceError("there is no such answer")
        return endpoint(self._session, query)
