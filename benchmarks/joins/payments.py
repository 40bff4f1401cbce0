"""Service that charges in a thread pool and notifies in a task.

Run by uvicorn, with the store's address and the file for arrivals in STORE and ARRIVALS.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

_STORE = os.environ["STORE"]
_WORKERS = 16
_arrivals: list[str] = []
_pool = ThreadPoolExecutor(_WORKERS)
_local = threading.local()


async def pay(request: Request) -> PlainTextResponse:
    """Charge in a worker thread and notify in a task, both on behalf of the request."""
    truth = request.query_params["truth"]
    _arrivals.append(f"/pay {truth} {request.headers.get('traceparent', '')}\n")
    notified = asyncio.create_task(_notify(request.app.state.client, truth))
    charged = _pool.submit(_charge, truth)
    await asyncio.wrap_future(charged)
    await notified
    return PlainTextResponse("paid")


async def _notify(client: httpx.AsyncClient, truth: str) -> None:
    answer = await client.post(f"{_STORE}/notify?truth={truth}")
    answer.raise_for_status()


def _charge(truth: str) -> None:
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    _local.session.post(f"{_STORE}/charge?truth={truth}").raise_for_status()


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(limits=limits, timeout=None) as client:
        app.state.client = client
        yield
    Path(os.environ["ARRIVALS"]).write_text("".join(_arrivals), encoding="utf-8")


app = Starlette(routes=[Route("/pay", pay, methods=["POST"])], lifespan=_lifespan)
