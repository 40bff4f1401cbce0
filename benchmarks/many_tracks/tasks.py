"""Requests of three calls on tasks that take turns: TASKS REQUESTS [traced].

It prints nanoseconds of CPU time.
"""

import asyncio
import sys
import time


def leaf(n):
    """Return n + 1."""
    return n + 1


def request(n):
    """Make two calls."""
    return leaf(n) + leaf(n + 1)


async def worker(requests):
    """Make requests, and let the other tasks run after each."""
    for n in range(requests):
        request(n)
        await asyncio.sleep(0)


async def main(tasks, requests):
    """Divide the requests among the tasks."""
    began = time.process_time_ns()
    await asyncio.gather(*(worker(requests // tasks) for _ in range(tasks)))
    print(time.process_time_ns() - began)


if len(sys.argv) > 3:
    from functrace import trace

    leaf, request = trace(leaf), trace(request)
asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
