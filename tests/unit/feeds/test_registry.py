import subprocess
import sys

import pytest

from dashboard.config import FEEDS, Settings
from dashboard.feeds.registry import MODULES, declaration_of

CHOOSE = """
import sys, time
from dashboard.config import load_settings
from dashboard import bootstrap
from dashboard.feeds.registry import build_feeds, check_feeds
before = {name for name in sys.modules if name.startswith("dashboard.feeds.")}
settings = load_settings()
check_feeds(settings)
(feed,) = build_feeds(settings, clock=time.time_ns, monotonic=time.monotonic_ns)
assert feed.name == "simulator"
after = {name for name in sys.modules if name.startswith("dashboard.feeds.")}
print(*sorted(before & set(sys.argv[1:])), "then", *sorted(after & set(sys.argv[1:])))
"""


def test_every_feed_that_can_be_chosen_is_declared_with_its_settings() -> None:
    assert set(MODULES) == FEEDS
    for name in FEEDS:
        assert set(declaration_of(name).settings) <= Settings.model_fields.keys()


def test_a_feed_is_imported_once_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_FEED", "simulator")
    command = [sys.executable, "-c", CHOOSE, *MODULES.values()]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == "then dashboard.feeds.simulator\n"
