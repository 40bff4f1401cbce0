"""HTTP server with what the service needs of HTTP/1.1."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Handler = Callable[[dict[str, str]], Awaitable[Any]]


async def serve(routes: Mapping[str, Handler]) -> asyncio.Server:
    """Listen on a free port of the loopback interface."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await read_request(reader):
                writer.write(await answer(routes, request))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0)


async def read_request(reader: asyncio.StreamReader) -> str:
    """Return the target of the next request; empty at the end of the connection."""
    line = (await reader.readline()).decode("latin-1")
    while (await reader.readline()).strip():
        pass
    return line.split(" ")[1] if line else ""


async def answer(routes: Mapping[str, Handler], target: str) -> bytes:
    """Return the response to a request."""
    parts = urlsplit(target)
    try:
        found = await routes[parts.path](dict(parse_qsl(parts.query)))
        return respond("200 OK", found)
    except (LookupError, ValueError) as error:
        return respond("409 Conflict", str(error))
    except Exception as error:  # noqa: BLE001  a server answers whatever fails
        return respond("500 Internal Server Error", str(error))


def respond(status: str, body: Any) -> bytes:
    """Return a response with a body in JSON."""
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
