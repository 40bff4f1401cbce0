"""A firing as JSON and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functrace.watch import firing
from functrace.watch.figures import RingProcess
from functrace.watch.firing import Firing

PROCESS = RingProcess("shop", 4711, "815", Path("/rings/shop-4711-815.ftrace"), "go")


def test_a_firing_survives_a_file() -> None:
    fired = Firing(
        trigger="failure-rate",
        kind="chains",
        process=PROCESS,
        at=1_700_000_000.25,
        summary="store.Get: 12 of 40 calls failed",
        values={"failed_share": 0.3, "texts": ["locked"]},
        chain=("main.main", "store.Get"),
        function="store.Get",
        file="store.go",
        also_true=("new-error: locked",),
    )
    assert firing.from_json(json.loads(json.dumps(firing.to_json(fired)))) == fired


@pytest.mark.parametrize("found", [None, [], {}, {"process": {}}, {"process": {"ring": "/"}}])
def test_other_json_is_refused(found: object) -> None:
    with pytest.raises(ValueError, match="not a firing"):
        firing.from_json(found)
