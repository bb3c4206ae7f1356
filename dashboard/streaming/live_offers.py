"""Which live streams there are, and what a client of each gets that asks for nothing."""

from typing import NamedTuple

from dashboard.protocols.live_filters import EVENTS_STREAMS, LIVE_STREAMS, STREAMS


class Offer(NamedTuple):
    """What a stream is: its name, and what a client `begins` with that asks for nothing.

    A request for a filter that names no streams means the `unnamed` ones. A prompt stream
    never waits for the frequency where that is a conflation interval.
    """

    name: str
    begins: frozenset[str]
    unnamed: frozenset[str]
    prompt: bool = False


LIVE = Offer("stream", frozenset(STREAMS), LIVE_STREAMS)
"""`/ws`: the market and, as soon as there are runners, what they tell."""
RUNNER_EVENTS = Offer("events", EVENTS_STREAMS, EVENTS_STREAMS, prompt=True)
"""`/ws/events`."""
