"""What clients may change of the feeds: their one frequency, and how a replay plays."""

import math
from collections.abc import Callable, Sequence

from dashboard.commands.requests import ControlReplay, SetFrequency
from dashboard.config import FREQUENCY_MAX_MS, FREQUENCY_MIN_MS, SPEED_MAX, SPEED_MIN
from dashboard.core.errors import CommandError
from dashboard.core.model import Control
from dashboard.feeds.base import Feed, Publish, SeekableFeed

ACTIONS = ("pause", "resume", "speed", "seek")


class Frequency:
    """The one frequency of all clients: the interval of paced feeds, and told to everyone.

    `clock` gives ns since the Unix epoch.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        *,
        publish: Publish,
        clock: Callable[[], int],
    ) -> None:
        self._feeds = feeds
        self._publish = publish
        self._clock = clock

    async def set(self, asked: SetFrequency) -> int:
        """Set it, clamped to 10..1000 ms; give what it is now.

        Raises:
            CommandError: when it is no number.
        """
        if not math.isfinite(asked.frequency_ms):
            raise CommandError(problem="the frequency is no finite number")
        frequency_ms = round(min(max(asked.frequency_ms, FREQUENCY_MIN_MS), FREQUENCY_MAX_MS))
        for feed in self._feeds:
            if feed.paced:
                feed.set_interval(frequency_ms)
        self._publish(Control(frequency_ms=frequency_ms, ts_event=self._clock()))
        return frequency_ms


class Replays:
    """The feeds that can be paused, sped up and sent to a place; `told` hears which one was."""

    def __init__(self, feeds: Sequence[Feed], *, told: Callable[[str], None]) -> None:
        self._replays = {feed.name: feed.playback for feed in feeds if feed.playback is not None}
        self._told = told

    async def control(self, asked: ControlReplay) -> None:
        """Do what is asked of a replay.

        Raises:
            CommandError: when there is no such replay, or it cannot do that.
        """
        replay = self._replays.get(asked.feed)
        if replay is None:
            raise CommandError(problem="no feed of this name is a replay")
        _control(replay, asked.action, asked.value)
        self._told(asked.feed)


def _control(replay: SeekableFeed, action: str, value: float) -> None:
    if action == "pause":
        replay.pause()
    elif action == "resume":
        replay.resume()
    elif action not in ACTIONS:
        raise CommandError(problem=f"not one of {', '.join(ACTIONS)}")
    elif not math.isfinite(value):
        raise CommandError(problem="the value is no finite number")
    elif action == "seek":
        replay.seek(min(max(value, 0.0), replay.duration_s))
    elif value and not SPEED_MIN <= value <= SPEED_MAX:
        raise CommandError(problem=f"a speed is 0, or {SPEED_MIN:g} to {SPEED_MAX:g}")
    else:
        replay.set_speed(value)
