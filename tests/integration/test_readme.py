"""The README's example, as it stands there."""

import re
import subprocess
import sys

from tests.live_server import ROOT, LiveServer, free_port


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


def test_openalgo_example_prints_quotes() -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    port = free_port()
    assert "127.0.0.1:8765" in code
    with LiveServer(page=False, stream_port=port) as server:
        code = code.replace(".data/api-key", str(server.data_dir / "api-key"))
        code = code.replace("127.0.0.1:8765", f"127.0.0.1:{port}").replace("sleep(10)", "sleep(2)")
        shown = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
    assert shown.returncode == 0, shown.stderr
    assert "'symbol': 'RELIANCE'" in shown.stdout
    assert "'symbol': 'BTC/USD'" in shown.stdout
