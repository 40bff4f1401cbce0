"""Pays orders over HTTP and prints its address.

MESH_HOSTS has the addresses of other services: store=127.0.0.1:50051,mailer=127.0.0.1:8080. SIGTERM
ends it.
"""

import signal
import sys

import pay
from werkzeug.serving import WSGIRequestHandler, make_server


def main():
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    WSGIRequestHandler.log_request = lambda *_: None
    server = make_server("127.0.0.1", 0, pay.app, threaded=True)
    print(f"127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
