"""The trading engine's API against its own description, by schemathesis."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live_server import LiveServer

PATHS = r"^/(runners|symbols|strategies|health)"
MAX_EXAMPLES = 15


@pytest.fixture(scope="module")
def product() -> Iterator[LiveServer]:
    with LiveServer(page=False, api_writes_per_s=100_000, api_reads_per_s=100_000) as running:
        yield running


def test_answers_are_as_they_are_described(product: LiveServer, tmp_path: Path) -> None:
    """Send what is described and what is not; no answer may be of a form that is not described."""
    url = f"http://127.0.0.1:{product.port}/api"
    asked = {"runner_id": "one", "symbol": "BTC/USD", "strategy_name": "ema_crossover"}
    assert httpx.post(f"{url}/runners", json=asked).is_success
    ended = subprocess.run(
        [
            *(sys.executable, "-c", "import schemathesis.cli; schemathesis.cli.schemathesis()"),
            *("run", f"{url}/openapi.json", "--url", url, "--include-path-regex", PATHS),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(MAX_EXAMPLES)),
            *("--generation-deterministic", "--continue-on-failure"),
            # a body may be as described and name an instrument or code that there is not
            *("--exclude-checks", "positive_data_acceptance"),
            *("--no-color", "--warnings", "off"),
            *("--request-timeout", "30", "--suppress-health-check", "all"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
