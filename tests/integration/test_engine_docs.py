"""The guides of the trading engine: what they show is what there is."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.core.errors import RequestError
from dashboard.protocols import live
from dashboard.protocols.live_filters import EVENTS_STREAMS, FilterRequest, parse_query
from dashboard.protocols.runner_events import EVENT_TYPES
from tests.live_server import ROOT, LiveServer, environment
from tests.unit.fakes import published
from tests.unit.runner_events import one_of_each

API, STRATEGIES = ROOT / "docs" / "engine-api.md", ROOT / "docs" / "strategies.md"
CURL = "curl -sS --fail-with-body "
STUBS = """
const shown = new Set();
const show = (name) => (value) => {
  if (shown.has(name)) return;
  shown.add(name);
  console.log(JSON.stringify([name, value]));
  if (shown.size === 3) process.exit(0);
};
const updateChart = show("chart");
const updateFSMVisualization = show("state");
const updatePnLDisplay = show("pnl");
"""
IN_AND_OUT = """
function detect_opportunity() return {signal = "always"} end
function filter_commitment() return {action = "enter_long", quantity = 1} end
function manage_position(market_data, context)
  context.held = (context.held or 0) + 1
  if context.held % 5 == 0 then return {action = "exit"} end
end
"""

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def blocks(guide: Path, language: str) -> list[str]:
    """Give the blocks of a language in a guide."""
    return re.findall(rf"```{language}\n(.*?)```", guide.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def running() -> Iterator[LiveServer]:
    with LiveServer(page=False, simulator_seed=7) as running:
        yield running


@pytest.fixture
def product(running: LiveServer) -> Iterator[LiveServer]:
    """Give the product, which keeps no runner of a test."""
    yield running
    url = f"http://localhost:{running.port}/api/runners"
    for each in httpx.get(url, timeout=60).json()["runners"]:
        httpx.delete(f"{url}/{each['runner_id']}", timeout=60)


def run(command: str, product: LiveServer, *, folder: Path | None = None) -> str:
    """Run what a guide shows in a shell; give what it prints."""
    assert "localhost:3000" in command
    command = command.replace("localhost:3000", f"localhost:{product.port}")
    done = subprocess.run(
        ["sh", "-ec", command.replace("curl ", CURL)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@needs_curl
def test_every_call_of_the_api_guide_works(product: LiveServer) -> None:
    for command in blocks(API, "sh"):
        run(command, product)


@needs_curl
def test_the_first_strategy_works(product: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "above_mean.lua").write_text(blocks(STRATEGIES, "lua")[0])
    [steps] = blocks(STRATEGIES, "sh")
    shown = run(steps, product, folder=tmp_path)
    assert '"strategy_name":"above_mean"' in shown
    assert '"parameters":{"period":5.0}' in shown


def test_every_strategy_of_the_guide_is_valid_or_a_part(product: LiveServer) -> None:
    whole, *parts = blocks(STRATEGIES, "lua")
    functions = "".join(
        f"function {name}() end\n"
        for name in ("detect_opportunity", "filter_commitment", "manage_position")
    )
    for code in (whole, *(part + functions for part in parts)):
        url = f"http://localhost:{product.port}/api/strategies/tried/validate"
        found = httpx.post(url, json={"code": code}, timeout=60).json()
        assert found["valid"], found


def test_the_javascript_of_the_document_reads_the_events(product: LiveServer) -> None:
    url = f"http://localhost:{product.port}/api"
    saved = httpx.post(f"{url}/strategies", json={"name": "in_and_out", "code": IN_AND_OUT})
    assert saved.status_code == 201, saved.text
    runner = {"runner_id": "js", "symbol": "BTCUSDT", "strategy_name": "in_and_out"}
    assert httpx.post(f"{url}/runners", json=runner).status_code == 201
    [code] = blocks(API, "javascript")
    code = STUBS + code.replace("localhost:3000", f"127.0.0.1:{product.port}")
    done = subprocess.run(
        ["node", "-e", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = dict(map(json.loads, done.stdout.splitlines()))
    assert seen["chart"]["symbol"] == "BTCUSDT"
    assert {"from", "to", "reason"} <= seen["state"].keys()
    assert isinstance(seen["pnl"], int | float)


def test_the_events_of_the_guide_have_the_fields_of_ours() -> None:
    encode = live.encoder("e")
    ours = {
        name: json.loads(encode(published(event)))[name]
        for name, event in zip(EVENT_TYPES, one_of_each(), strict=True)
    }
    text = "\n".join(blocks(API, "json"))
    shown = [json.loads(line) for line in text.splitlines() if line.startswith('{"')]
    events = {name: each[name] for each in shown for name in each if name in ours}
    assert len(events) == 3
    for name, event in events.items():
        assert event.keys() == ours[name].keys()
        for field in event:
            if isinstance(event[field], dict):
                assert event[field].keys() == ours[name][field].keys()
    described = API.read_text()
    for name, event in ours.items():
        [row] = re.findall(rf"^\| `{name}` \|(.*)\|$", described, re.MULTILINE)
        common = {"runner_id", "symbol", "exchange", "ts", "id", "seq", "paper"}
        assert all(f"`{field}`" in row or f"{field}" in row for field in event.keys() - common)


def test_the_filters_of_the_guide_are_taken() -> None:
    [address] = re.findall(r"^/ws/events\?(\S+)$", API.read_text(), re.MULTILINE)
    assert parse_query(address.encode(), unnamed=EVENTS_STREAMS).asked is not None
    [request] = [each for each in blocks(API, "json") if '"subscribe"' in each]
    asked = live.parse_request(request)
    assert isinstance(asked, FilterRequest)
    assert asked.streams == {"market", "events"}
    with pytest.raises(RequestError):
        live.parse_request(request.replace("TickReceived", "Tick"))
