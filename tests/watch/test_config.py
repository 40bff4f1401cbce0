"""The configuration file: defaults, layers, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.errors import UsageError
from functrace.watch import config
from functrace.watch.triggers import KINDS
from functrace.watch.triggers.cpu import CpuSettings
from functrace.watch.triggers.failure_rate import FailureRateSettings


def _load(folder: Path, text: str) -> config.Config:
    path = folder / "watch.toml"
    path.write_text(text)
    return config.load(path)


def _mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        _load(folder, text)
    return [str(each).removeprefix(f"{folder}/") for each in caught.value.args]


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert _load(tmp_path, "") == config.default_config()
    assert config.default_config().service("shop").triggers.keys() == KINDS.keys()


def test_a_service_changes_what_the_file_sets_for_all(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        """
        destination = "/var/bundles"
        bundles-per-hour = 3
        [triggers.cpu]
        min = 2
        windows = 7
        [triggers.failure-rate]
        min = "1.5%"
        cooldown = "1h"
        [notify]
        webhook = ["http://127.0.0.1:1/all"]
        command = ["mail"]
        [[service]]
        name = "shop-*"
        owners = ["pay"]
        labels = { team = "pay" }
        [service.triggers.cpu]
        min = 0.25
        [service.notify]
        webhook = ["http://127.0.0.1:1/pay"]
        """,
    )
    assert (found.destination, found.bundles_per_hour) == ("/var/bundles", 3)
    shop, other = found.service("shop-eu"), found.service("shop")
    assert shop.triggers["cpu"] == CpuSettings(min=0.25, windows=7)
    assert other.triggers["cpu"] == CpuSettings(min=2, windows=7)
    rate = FailureRateSettings(min=0.015, cooldown_s=3600)
    assert shop.triggers["failure-rate"] == other.triggers["failure-rate"] == rate
    assert (shop.owners, shop.labels) == (("pay",), {"team": "pay"})
    assert shop.notify is not None
    assert shop.notify.webhook == ("http://127.0.0.1:1/pay",)
    assert shop.notify.command == ("mail",)


def test_all_mistakes_are_listed_with_their_lines(tmp_path: Path) -> None:
    text = """destinatoin = "x"
bundles-per-hour = 0
[triggers.cpu]
min = "2"
widnows = 3
[triggers.failure-rat]
[[service]]
owners = "pay"
pprof = "ftp://x"
[service.triggers]
hang = { open = "30", calls = true }
"""
    durations = '"500ms", "30s", "5m" or "1h"'
    assert _mistakes(tmp_path, text) == [
        "watch.toml:1: destinatoin: unknown key; did you mean destination?",
        "watch.toml:2: bundles-per-hour: must be a whole number of at least 1",
        "watch.toml:4: triggers.cpu.min: must be a number of at least 0",
        "watch.toml:5: triggers.cpu.widnows: unknown key; did you mean windows?",
        "watch.toml:6: triggers.failure-rat: unknown trigger; did you mean failure-rate?",
        "watch.toml:7: service: name is missing",
        'watch.toml:8: service.owners: must be a list of strings such as ["shop"]',
        'watch.toml:9: service.pprof: must be an address such as "http://127.0.0.1:6060"',
        "watch.toml:11: service.triggers.hang.calls: must be a whole number of at least 1",
        "watch.toml:11: service.triggers.hang.open: must be a duration such as " + durations,
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb =\n", "watch.toml:2: Invalid value"),
        ("a = 1\na = 2\n", "watch.toml:2: Cannot overwrite a value"),
        ("triggers = 1\n", "watch.toml:1: triggers: must be a table"),
        ("triggers.cpu = 1\n", "watch.toml:1: triggers.cpu: must be a table"),
        ("\nservice = 1\n", "watch.toml:2: service: must be an array of tables: [[service]]"),
        ("service = [1]\n", "watch.toml:1: service: must be a table"),
        ("[notify]\nwebhook = [1]", "watch.toml:2: notify.webhook: must be a list of strings"),
        ("bundles = []\n", "watch.toml:1: bundles: must be a table"),
        (
            "[triggers.memory]\nabove = '101%'",
            "watch.toml:2: triggers.memory.above: must be at most",
        ),
        ("[triggers.hang]\nfunctions = ['a b!']", "watch.toml:2: triggers.hang.functions: "),
    ],
)
def test_each_kind_of_mistake(tmp_path: Path, text: str, message: str) -> None:
    (found,) = _mistakes(tmp_path, text)
    assert found.startswith(message)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(UsageError, match=r"none\.toml: No such file"):
        config.load(missing)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not a TOML file in UTF-8"):
        config.load(tmp_path / "binary.toml")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(UsageError, match=r"deep\.toml"):
        config.load(tmp_path / "deep.toml")
