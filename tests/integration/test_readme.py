"""The README's example, as it stands there."""

import re
import subprocess
import sys

from tests.live_server import ROOT, LiveServer


def test_python_example_prints_trades(server: LiveServer) -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    assert "localhost:3000" in code
    example = subprocess.Popen(
        [sys.executable, "-u", "-c", code.replace("localhost:3000", f"localhost:{server.port}")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert example.stdout is not None
        lines = [example.stdout.readline() for _ in range(5)]
    finally:
        example.kill()
        example.communicate()
    pattern = r"(BTC|ETH|SOL)/USD (buy|sell) [\d.]+ @ [\d.]+\n"
    assert all(re.fullmatch(pattern, line) for line in lines), lines
