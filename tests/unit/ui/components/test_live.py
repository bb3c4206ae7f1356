import subprocess
import sys

from tests.live_server import ROOT

COUNT_FRAMES = """
import inspect
looked_at, look_at = [], inspect.getframeinfo
inspect.getframeinfo = lambda frame, *rest: looked_at.append(frame) or look_at(frame, *rest)
import dashboard.dashboard
print(len(looked_at))
"""


def test_a_start_looks_at_few_frames_to_share_the_javascript() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNT_FRAMES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = len(list((ROOT / "dashboard/ui/components/live").glob("*.js*")))
    assert files <= int(done.stdout) <= 10 * files
