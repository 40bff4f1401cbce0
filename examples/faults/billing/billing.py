"""Bills customers over HTTP and prints its address.

``/fault?name=leak&share=0.5`` breaks half of the calls that the fault can affect; service/faults.py
lists the faults. SIGTERM ends it.
"""

import asyncio
import signal

from service.api import Api
from service.http_server import serve
from service.pool import Pool
from service.store import Store


async def main():
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    pool = Pool()
    pool.start()
    server = await serve(Api(Store(), pool).routes())
    print("{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
