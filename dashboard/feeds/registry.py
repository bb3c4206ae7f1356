"""The feeds there are: each module declares its own, and is imported once it is chosen."""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, Protocol

from dashboard.config import Settings
from dashboard.feeds.base import Feed

MODULES = {
    "simulator": "dashboard.feeds.simulator",
    "replay": "dashboard.feeds.replay",
    "redis": "dashboard.feeds.redis_feed",
}
"""Where each is, by the name that `DASHBOARD_FEED` gives it."""


class Build(Protocol):
    """Builds a feed. `clock` is in ns since the Unix epoch, `monotonic` in ns and never set."""

    def __call__(
        self, settings: Settings, *, clock: Callable[[], int], monotonic: Callable[[], int]
    ) -> Feed:
        """Build it, with its instruments.

        Raises:
            LivetapeError: as `check` does.
        """
        ...


class Declaration(NamedTuple):
    """What a feed's module says of it: its settings, how it is checked and how it is built.

    `check` is called before anything is served, and may take its time; what it
    raises, a SettingError or a StaticDataError, ends the start with one line. What it
    reads it may keep for `build`.
    """

    settings: tuple[str, ...]
    check: Callable[[Settings], object]
    build: Build


def declaration_of(name: str) -> Declaration:
    """Give what the feed of this name says of itself.

    Raises:
        KeyError: when there is none.
    """
    return import_module(MODULES[name]).DECLARATION


def check_feeds(settings: Settings) -> None:
    """Check the chosen feeds.

    Raises:
        SettingError: when a setting of one is of no use.
        StaticDataError: when what an exchange stores about itself is missing or wrong.
    """
    for name in settings.feed:
        declaration_of(name).check(settings)


def build_feeds(
    settings: Settings, *, clock: Callable[[], int], monotonic: Callable[[], int]
) -> list[Feed]:
    """Build the chosen feeds, in their order."""
    return [
        declaration_of(name).build(settings, clock=clock, monotonic=monotonic)
        for name in settings.feed
    ]
