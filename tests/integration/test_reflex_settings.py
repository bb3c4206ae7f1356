"""What Reflex sees of the environment."""

import os
import subprocess
import sys

from tests.live_server import ROOT

ASK = "from reflex.config import get_config; print(get_config().redis_url)"


def test_reflex_sees_no_redis() -> None:
    url = "redis://127.0.0.1:6379/0"
    names = ("DASHBOARD_REDIS_URL", "REDIS_URL", "REFLEX_REDIS_URL")
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env=os.environ | dict.fromkeys(names, url) | {"DASHBOARD_FEED": "redis"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert asked.stdout.strip().splitlines()[-1] == "None"
