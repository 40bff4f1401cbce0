from __future__ import annotations

import dataclasses
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from functrace.errors import FunctraceError, UsageError
from functrace.watch.metrics import Metrics
from functrace.watch.metrics_server import MetricsServer, parse_loopback
from tests.support import prometheus
from tests.support.pythons import ROOT
from tests.watch.made_up import CHECK, DIRECT, GET, LOOP, SHOP, Calls, figures

SECOND = 1_000_000_000
LABELS = 'pid="4711",ring="/rings/shop-4711-815.ftrace",service="shop"'

pytest.importorskip(
    "prometheus_client", reason="no prometheus-client: in the dependency group test"
)


@pytest.fixture
def metrics() -> Metrics:
    found = Metrics(["store.*"])
    found.observe(
        figures(1, Calls(GET, 5, 2, ns=SECOND // 10), Calls(DIRECT, 3, ns=SECOND), Calls(LOOP, 1))
    )
    found.observe(figures(2, Calls(GET, 5), Calls(CHECK, 2, 1, ns=3 * SECOND), is_incomplete=True))
    return found


@pytest.fixture
def server(metrics: Metrics) -> Iterator[MetricsServer]:
    found = MetricsServer("127.0.0.1:0", metrics)
    yield found
    found.close()


def scrape(server: MetricsServer, host: str = "") -> dict[str, float]:
    """Return the value of each series in OpenMetrics."""
    headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
    if host:
        headers["Host"] = host
    asked = urllib.request.Request(server.url, headers=headers)
    with urllib.request.urlopen(asked) as response:
        lines = response.read().decode().splitlines()
    assert lines[-1] == "# EOF"
    pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {series: float(value) for series, value in pairs}


def test_figures_of_processes(server: MetricsServer) -> None:
    found = scrape(server)
    assert found["functrace_watched_processes"] == 1
    assert found[f"functrace_process_cpu_cores{{{LABELS}}}"] == 0.1
    assert found[f"functrace_process_rss_bytes{{{LABELS}}}"] == 1e8
    assert found[f"functrace_process_live_tracks{{{LABELS}}}"] == 20
    assert found[f"functrace_process_calls_total{{{LABELS}}}"] == 16
    assert found[f"functrace_process_failed_calls_total{{{LABELS}}}"] == 3
    assert found[f"functrace_process_incomplete_windows_total{{{LABELS}}}"] == 1


def series(name: str, function: str) -> str:
    return f'functrace_function_{name}{{function="{function}",{LABELS}}}'


def test_figures_of_chosen_functions_are_summed_over_chains(server: MetricsServer) -> None:
    found = scrape(server)
    assert found[series("calls_total", "store.Get")] == 13
    assert found[series("failed_calls_total", "store.Get")] == 2
    assert found[series("calls_total", "store.check")] == 2
    assert series("calls_total", "main.loop") not in found
    assert found[series("duration_seconds_count", "store.Get")] == 13
    buckets = {
        name.split('le="')[1].split('"')[0]: value
        for name, value in found.items()
        if name.startswith("functrace_function_duration_seconds_bucket")
        and 'function="store.Get"' in name
    }
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets["+Inf"] == 13
    # 5 of 1 µs and 5 of 0.1 s in the first bucket of their clock, 3 of 1 s.
    assert buckets["0.262144"] == 10
    assert buckets["1.048576"] == 10  # a tick lasts 0.1 s: these calls took less than 1.1 s
    assert buckets["4.194304"] == 13


def test_counts_of_the_watcher(metrics: Metrics, server: MetricsServer) -> None:
    metrics.count_firing("shop", "hang")
    metrics.count_firing("shop", "hang")
    metrics.count_bundle("shop", saved=True)
    metrics.count_bundle("shop", saved=False)
    metrics.set_failed_notices(3)
    found = scrape(server)
    assert found['functrace_firings_total{service="shop",trigger="hang"}'] == 2
    assert found['functrace_bundles_total{result="saved",service="shop"}'] == 1
    assert found['functrace_bundles_total{result="failed",service="shop"}'] == 1
    assert found["functrace_failed_notices_total"] == 3


def test_processes_of_two_containers_have_two_series(
    server: MetricsServer, metrics: Metrics
) -> None:
    other = dataclasses.replace(SHOP, ring=Path("/other/shop-4711-815.ftrace"))
    metrics.observe(figures(3, process=other))
    found = [name for name in scrape(server) if name.startswith("functrace_process_threads")]
    assert len(found) == 2


def test_ended_process_is_forgotten_later() -> None:
    now = [0.0]
    metrics = Metrics([], clock=lambda: now[0])
    metrics.observe(figures(1, Calls(GET, 5), ended="killed"))
    samples = {sample.name for family in metrics.collect() for sample in family.samples}
    assert "functrace_process_threads" not in samples
    assert "functrace_process_calls_total" in samples
    now[0] = 301.0
    samples = {sample.name for family in metrics.collect() for sample in family.samples}
    assert "functrace_process_calls_total" not in samples


def test_web_page_cannot_read_metrics(server: MetricsServer) -> None:
    assert scrape(server, "localhost:1")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        scrape(server, "attacker.example")


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:9464", "example.com:1", "127.0.0.1", ":9464", "127.0.0.1:x", "[::1", "::1:1"],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is not a loopback address such as"):
        parse_loopback(address)


def test_port_in_use_is_an_error(metrics: Metrics) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(FunctraceError, match="Address already in use"):
            MetricsServer(address, metrics)


def test_prometheus_scrapes_it(server: MetricsServer, tmp_path: Path) -> None:
    target = server.url.removeprefix("http://").removesuffix("/metrics")
    try:
        with prometheus.scraping(target, tmp_path) as found:
            (calls,) = found.wait_for('functrace_function_calls_total{function="store.Get"}')
            assert calls["metric"]["service"] == "shop"
            assert calls["value"][1] == "13"
            expression = (
                "histogram_quantile(0.99, sum by (le, function)"
                ' (functrace_function_duration_seconds_bucket{function="store.check"}))'
            )
            (p99,) = found.query(expression)
            assert 1.048576 < float(p99["value"][1]) <= 4.194304
    except prometheus.MissingError as error:
        pytest.skip(str(error))


def test_every_metric_is_documented(metrics: Metrics) -> None:
    page = (ROOT / "docs" / "bundles.md").read_text().split("## Figures for Prometheus")[1]
    for family in metrics.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        short = name.removeprefix("functrace_process").removeprefix("functrace_function")
        assert f"`{name}`" in page or f"`{short}`" in page, name
