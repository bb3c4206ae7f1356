"""`/api/health`, `/metrics` and the start of the real app."""

import asyncio
import subprocess
import sys

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.ws_client import TIMEOUT_S, live, receive
from tests.live_server import ROOT, LiveServer, environment


def test_health_has_the_documented_form(server: LiveServer) -> None:
    health = httpx.get(f"{server.url}/api/health").json()
    assert list(health) == [
        *("status", "version", "uptime_s", "feeds"),
        *("runners_count", "healthy_runners", "sandbox_lacks"),
    ]
    assert health["status"] == "ok"
    assert health["runners_count"] == health["healthy_runners"] == 0
    feed = health["feeds"]["simulator"]
    assert list(feed) == ["state", "last_event_age_s", "events", "gaps", "skipped"]
    assert feed["state"] == "live"
    assert feed["last_event_age_s"] < 2
    assert feed["events"] > 0


async def test_metrics_count_what_happens(server: LiveServer) -> None:
    before = metrics(server)
    async with live(server.ws_url) as socket:
        for _ in range(50):
            await receive(socket)
        during = metrics(server)
        fed = "livetape_feed_events_total"  # as the feeds tell it, once a second
        async with asyncio.timeout(TIMEOUT_S):
            while metrics(server)[fed] <= before[fed]:
                await receive(socket)
    assert during["livetape_connections"] == before["livetape_connections"] + 1
    assert during["livetape_hub_events_total"] > before["livetape_hub_events_total"]
    assert during["livetape_hub_resume_bytes"] > 0
    assert during["livetape_channel_resume_bytes"] == during["livetape_hub_resume_bytes"]
    assert during["livetape_channel_events_total"] == during["livetape_hub_events_total"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DASHBOARD_FREQUENCY_MS", "5"), ("DASHBOARD_FEED", "crystal ball")],
)
def test_bad_setting_ends_the_start_with_one_line(variable: str, value: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "reflex", "run", "--env", "prod", "--backend-only"],
        cwd=ROOT,
        env=environment() | {variable: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    line = ended.stderr.strip().splitlines()[-1]
    assert variable in line
    assert value in line
    assert "allowed" in line
    assert "Traceback" not in ended.stderr


def metrics(server: LiveServer) -> dict[str, float]:
    """Add up the samples of each name."""
    text = httpx.get(f"{server.url}/metrics").text
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            totals[sample.name] = totals.get(sample.name, 0) + sample.value
    return totals
