"""Names of requests, of ordinary and of hostile targets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functrace.runtime.requests import names


@pytest.mark.parametrize(
    ("target", "shape"),
    [
        ("/", "/"),
        ("/pay", "/pay"),
        ("/pay?card=1#x", "/pay"),
        ("/users/17/orders/", "/users/{id}/orders/"),
        ("/users/6f1c1b1e-6f3a-4f7e-9d3c-2f0a1f5b7c9d", "/users/{id}"),
        ("/blobs/deadbeef1", "/blobs/{id}"),
        ("/blobs/deadbeef", "/blobs/deadbeef"),  # letters alone may be a word
        ("/a1b2c3d", "/a1b2c3d"),
        ("/" + "x" * 32, "/" + "x" * 32),
        ("/" + "x" * 33, "/{id}"),
        ("/a%20b", "/{id}"),
        ("/näh", "/{id}"),
        ("/a b\n", "/{id}"),
        ("/1/2/3/4/5/6/7/8", "/{id}" * 8),
        ("/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/…"),
        ("http://user:secret@host/pay", "/pay"),
        ("*", "*"),
        ("host:443", "/{id}"),
        ("", "/"),
    ],
)
def test_shape(target: str, shape: str) -> None:
    assert names.path_shape(target) == shape


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("payments", "payments"),
        ("payments:8080", "payments"),
        ("user:secret@payments:8080", "payments"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:80", "[::1]"),
        ("", "?"),
        ("a b", "?"),
    ],
)
def test_host(host: str, name: str) -> None:
    assert names.host_name(host) == name


@given(st.text(max_size=20), st.text(max_size=120), st.text(max_size=400))
def test_hostile(method: str, host: str, target: str) -> None:
    shape = names.path_shape("/" + target)
    name = names.request_name(names.method_name(method), names.host_name(host), shape)
    assert len(name.encode()) <= 200
    assert name.replace("…", "").isascii()
    assert name.isprintable()
    full = names.request_name("GET", "", names.full_target(target))
    assert len(full.encode()) <= 200
    assert full.isprintable()
