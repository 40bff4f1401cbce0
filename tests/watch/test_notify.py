from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from functrace.watch import notify as notify_module
from functrace.watch.config import NotifyKeys
from functrace.watch.notice import Notice
from functrace.watch.notify import Notifier
from tests.support.http_server import serve
from tests.watch import firings

LOCATION = "/var/lib/functrace/shop-4711-20231114T221320.250Z-failure-rate"


def notice(**changes: Any) -> Notice:
    firing = firings.firing(Path("/rings/shop-4711-815.ftrace"), **changes)
    return Notice(firing, LOCATION, ("@shop/store",), {"team": "pay"})


def notifier() -> tuple[Notifier, list[str], list[float]]:
    warnings: list[str] = []
    waits: list[float] = []
    return Notifier(warnings.append, sleep=waits.append), warnings, waits


def test_text_names_service_trigger_chain_owners_and_location() -> None:
    found = notice()
    assert found.title == "shop: failure-rate"
    lines = found.text.splitlines()
    assert lines[0].startswith("store.(*Store).Get failed in 5.1% of its calls, limit 2% (shop, ")
    assert lines[1:] == [
        "chain: main.main → main.serve → example.com/shop/store.(*Store).Get",
        "team: pay",
        "owners: @shop/store",
        f"bundle: {LOCATION}",
    ]


def test_text_of_a_program_controls_no_terminal() -> None:
    found = notice(summary="failed: \x1b[31m\nbundle: /etc/passwd", chain=("a\x1b", "b"))
    assert "\x1b" not in found.text
    assert "\nbundle: /etc/passwd" not in found.text


def test_long_chain_is_shortened() -> None:
    text = notice(chain=tuple(f"f{number}" for number in range(1000))).text
    assert "f0 → f1 →" in text
    assert "… 970 more" in text
    assert "f999" in text


def test_webhook_receives_json() -> None:
    with serve() as server:
        sender, warnings, _ = notifier()
        sender.notify(notice(), NotifyKeys(webhook=(f"{server.url}/hook",)))
    ((method, path, body),) = server.requests
    assert (method, path, warnings) == ("POST", "/hook", [])
    found = json.loads(body)
    assert (found["service"], found["trigger"]) == ("shop", "failure-rate")
    assert found["chain"][-1] == "example.com/shop/store.(*Store).Get"
    assert (found["location"], found["owners"]) == (LOCATION, ["@shop/store"])
    assert found["at"] == "2023-11-14T22:13:20.250+00:00"


def test_failing_webhook_is_tried_again() -> None:
    with serve() as server:
        server.statuses = [503, 500]
        sender, warnings, waits = notifier()
        sender.notify(notice(), NotifyKeys(webhook=(server.url,)))
    assert (len(server.requests), waits, warnings) == (3, [1.0, 2.0], [])


def test_failure_is_said_once_for_a_notice_without_the_secret() -> None:
    with serve() as server:
        keys = NotifyKeys(webhook=(f"{server.url}/secret?key=secret",))
        sender, warnings, _ = notifier()
        server.statuses = [500] * 3
        sender.notify(notice(), keys)
        assert warnings == ["cannot notify http://127.0.0.1/…: status 500 Internal Server Error"]
        sender.notify(notice(), keys)
    assert (len(warnings), sender.failures) == (1, 1)


def test_redirect_is_not_followed() -> None:
    with serve() as server:
        server.statuses = [302] * 3
        sender, warnings, _ = notifier()
        sender.notify(notice(), NotifyKeys(webhook=(server.url,)))
    assert warnings == ["cannot notify http://127.0.0.1/…: status 302 Found"]


def test_other_receivers_are_notified_after_a_failure(tmp_path: Path) -> None:
    with serve() as server:
        keys = NotifyKeys(webhook=("http://127.0.0.1:1/", server.url), command=("/missing",))
        sender, warnings, _ = notifier()
        sender.notify(notice(), keys)
    assert len(server.requests) == 1
    assert warnings[1] == "cannot notify /missing: No such file or directory"
    assert not list(tmp_path.iterdir())


def test_command_reads_json(tmp_path: Path) -> None:
    out = tmp_path / "out $(touch bad)"
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    sender, warnings, _ = notifier()
    sender.notify(notice(), NotifyKeys(command=(sys.executable, "-c", code, str(out))))
    assert warnings == []
    assert json.loads(out.read_text())["location"] == LOCATION
    assert list(tmp_path.iterdir()) == [out]


def test_command_that_reads_nothing_and_fails() -> None:
    code = "import sys; sys.exit('no mail server')"
    sender, warnings, _ = notifier()
    sender.notify(notice(chain=("a" * 200_000,)), NotifyKeys(command=(sys.executable, "-c", code)))
    assert warnings == [f"cannot notify {sys.executable}: exit status 1: no mail server"]


def test_command_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify_module, "_COMMAND_S", 0.01)
    monkeypatch.setattr(notify_module, "_ATTEMPTS", 1)
    code = "import os, time; os.fork(); time.sleep(600)"
    sender, warnings, _ = notifier()
    sender.notify(notice(), NotifyKeys(command=(sys.executable, "-c", code)))
    assert warnings == [
        f"cannot notify {sys.executable}: still running after 0.01 s; it was killed"
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what apprise imports
def test_apprise() -> None:
    pytest.importorskip("apprise", reason="no apprise: it is in the dependency group test")
    with serve() as server:
        address = server.url.replace("http", "json")
        sender, warnings, _ = notifier()
        sender.notify(notice(), NotifyKeys(apprise=(address,)))
    assert warnings == []
    ((_, _, body),) = server.requests
    found = json.loads(body)
    assert found["title"] == "shop: failure-rate"
    assert f"bundle: {LOCATION}" in found["message"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what apprise imports
def test_address_that_apprise_does_not_know() -> None:
    pytest.importorskip("apprise", reason="no apprise: it is in the dependency group test")
    sender, warnings, _ = notifier()
    sender.notify(notice(), NotifyKeys(apprise=("nonsense://token@host",)))
    assert warnings == ["cannot notify nonsense://host/…: apprise does not accept the address"]
