"""Which live streams there are, and what a client of each gets that asks for nothing."""

from typing import NamedTuple

from dashboard.fanout.pace import SHARE_WAIT_S
from dashboard.protocols.live_filters import EVENTS_STREAMS, LIVE_STREAMS, STREAMS

PROMPT_WAIT_S = 0.008
"""With 100 clients and 10,000 events a second two thirds of the latency that 16 ms bring, at the
same cost; see `bench_engine`."""


class Offer(NamedTuple):
    """What a stream is: its name, and what a client `begins` with that asks for nothing.

    A request for a filter that names no streams means the `unnamed` ones. A prompt stream
    never waits for the frequency where that is a conflation interval, and joins its frames for
    a shorter time.
    """

    name: str
    begins: frozenset[str]
    unnamed: frozenset[str]
    prompt: bool = False

    @property
    def share_wait_s(self) -> float:
        """Give how long frames are joined at most where there is room, see `fanout.pace`."""
        return PROMPT_WAIT_S if self.prompt else SHARE_WAIT_S


LIVE = Offer("stream", frozenset(STREAMS), LIVE_STREAMS)
"""`/ws`: the market and, as soon as there are runners, what they tell."""
RUNNER_EVENTS = Offer("events", EVENTS_STREAMS, EVENTS_STREAMS, prompt=True)
"""`/ws/events`."""
