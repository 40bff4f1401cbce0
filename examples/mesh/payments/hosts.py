"""Addresses of other services."""

import os

_ADDRESSES = dict(
    host.split("=") for host in os.environ.get("MESH_HOSTS", "").split(",") if "=" in host
)


def address(name):
    """Return host and port of a service."""
    return _ADDRESSES[name]
