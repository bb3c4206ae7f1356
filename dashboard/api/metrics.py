"""`GET /metrics`: counters and gauges for Prometheus, read from the services when asked."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard.access.places import Places
from dashboard.bootstrap import services
from dashboard.core.feed_state import FeedState
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.pace import Pace

STREAM_FIGURES: tuple[
    tuple[
        str,
        str,
        type[CounterMetricFamily | GaugeMetricFamily],
        Callable[[Fanout, Pace], float],
    ],
    ...,
] = (
    ("clients", "Clients.", GaugeMetricFamily, lambda f, _: f.clients),
    ("cohorts", "Groups with the same frames.", GaugeMetricFamily, lambda f, _: f.groups),
    ("lagging", "Clients that do not read now.", GaugeMetricFamily, lambda f, _: f.lagging),
    ("waiting", "Frames in the clients' outboxes.", GaugeMetricFamily, lambda f, _: f.waiting),
    ("deliveries", "Frames sent to a client.", CounterMetricFamily, lambda f, _: f.deliveries),
    ("writes", "Writes that they left in.", CounterMetricFamily, lambda f, _: f.writes),
    ("conflated", "Frames replaced unread.", CounterMetricFamily, lambda f, _: f.conflated),
    ("lost", "Frames forgotten unread.", CounterMetricFamily, lambda f, _: f.lost),
    (
        "frames_per_write",
        "Frames that one write joins, on average since the start.",
        GaugeMetricFamily,
        lambda f, _: f.deliveries / f.writes if f.writes else 0,
    ),
    (
        "flush_interval_seconds",
        "How long frames wait for each other at most now.",
        GaugeMetricFamily,
        lambda _, pace: pace.interval_s,
    ),
)
"""What `/metrics` tells of each stream: name, meaning, kind, and how it is read."""


StreamFigures = Callable[[], Mapping[str, tuple[Fanout, Pace]]]
"""Gives what each stream's fan-out has done and how often it writes, by the stream's name."""


class ServicesCollector(Collector):
    """Turn the state of hub, feeds and connections into metric families."""

    def __init__(self, places: Places, stream_places: Places, streams: StreamFigures) -> None:
        self._places = places
        self._stream_places = stream_places
        self._streams = streams

    def collect(self) -> Iterable[Metric]:
        """Read everything once."""
        yield from self._feeds()
        yield self._clock_skew()
        yield self._skips()
        yield from self._leases()
        yield from self._hub()
        yield gauge("connections", "Open streams and exports.", self._places.open)
        refused = self._places.refused
        yield counter("connections_refused", "Refused streams and exports.", refused)
        evicted = self._places.evicted
        what = "WebSockets of the page's port cut off for a message without an end."
        yield counter("connections_evicted", what, evicted)
        yield from self._of_stream_places()
        yield from self._of_streams()
        yield gauge("frequency_ms", "The frequency setting.", services().frequency_ms)

    def _of_stream_places(self) -> Iterable[Metric]:
        places = self._stream_places
        where = "the stream server and /ws/openalgo"
        yield gauge("stream_connections", f"Open connections to {where}.", places.open)
        yield counter("stream_refused", f"Refused connections to {where}.", places.refused)
        yield counter("stream_evicted", f"Clients of {where} that did not read.", places.evicted)

    def _of_streams(self) -> Iterable[Metric]:
        """Read what each stream's fan-out has done, by its name."""
        streams = self._streams()
        for name, documentation, kind, read in STREAM_FIGURES:
            family = kind(f"livetape_stream_{name}", documentation, labels=["stream"])
            for stream, figures in streams.items():
                family.add_metric([stream], read(*figures))
            yield family

    def _feeds(self) -> Iterable[Metric]:
        events = CounterMetricFamily("livetape_feed_events", "Events of a feed.", labels=["feed"])
        gaps = CounterMetricFamily("livetape_feed_gaps", "Sequence gaps.", labels=["feed"])
        skipped = CounterMetricFamily("livetape_feed_skipped", "Damaged input.", labels=["feed"])
        state = GaugeMetricFamily(
            "livetape_feed_state", "1 for the state a feed is in.", labels=["feed", "state"]
        )
        age = GaugeMetricFamily(
            "livetape_feed_last_event_age_seconds", "Age of the last event.", labels=["feed"]
        )
        for name, status in services().supervisor.status().items():
            events.add_metric([name], status.events)
            gaps.add_metric([name], status.gaps)
            skipped.add_metric([name], status.skipped)
            for each in FeedState:
                state.add_metric([name, each], each is status.state)
            if status.last_event_age_s is not None:
                age.add_metric([name], status.last_event_age_s)
        return events, gaps, skipped, state, age

    def _clock_skew(self) -> Metric:
        skew = CounterMetricFamily(
            "livetape_feed_clock_skew",
            "Times of a source that were impossible and replaced by the time received.",
            labels=["feed"],
        )
        for name, count in services().supervisor.clock_skew().items():
            skew.add_metric([name], count)
        return skew

    def _skips(self) -> Metric:
        causes = CounterMetricFamily(
            "livetape_feed_skipped_by_cause",
            "Damaged input of feeds that tell why.",
            labels=["feed", "cause"],
        )
        for feed in services().supervisor.feeds:
            for cause, count in feed.skipped_by_cause.items():
                causes.add_metric([feed.name, cause], count)
        return causes

    def _leases(self) -> Iterable[Metric]:
        shadowed = CounterMetricFamily(
            "livetape_feed_shadowed",
            "Events of a feed that were dropped: another one serves the instrument.",
            labels=["feed"],
        )
        for name, count in services().supervisor.shadowed().items():
            shadowed.add_metric([name], count)
        leases = GaugeMetricFamily("livetape_leases", "Leases that are held.", labels=["holder"])
        for name, count in services().leases.held.items():
            leases.add_metric([name], count)
        return shadowed, leases

    def _hub(self) -> Iterable[Metric]:
        hub = services().hub
        yield counter("hub_events", "Events published.", hub.published)
        rings = hub.rings
        events, weight = sum(map(len, rings.values())), sum(each.weight for each in rings.values())
        yield gauge("hub_resume_events", "Events that can be resumed from.", events)
        yield gauge("hub_resume_bytes", "Memory that they hold, estimated.", weight)
        in_channel = CounterMetricFamily(
            "livetape_channel_events", "Events published.", labels=["channel"]
        )
        kept = GaugeMetricFamily(
            "livetape_channel_resume_events", "Events to resume from.", labels=["channel"]
        )
        taken = GaugeMetricFamily(
            "livetape_channel_resume_bytes", "Memory that they hold.", labels=["channel"]
        )
        for channel, ring in rings.items():
            in_channel.add_metric([channel], ring.added)
            kept.add_metric([channel], len(ring))
            taken.add_metric([channel], ring.weight)
        yield from (in_channel, kept, taken)
        open_ = GaugeMetricFamily(
            "livetape_subscriptions", "Open subscriptions.", labels=["subscriber"]
        )
        waiting = GaugeMetricFamily(
            "livetape_subscription_waiting", "Events in buffers.", labels=["subscriber"]
        )
        offered = CounterMetricFamily(
            "livetape_subscription_offered", "Events offered.", labels=["subscriber"]
        )
        conflated = CounterMetricFamily(
            "livetape_subscription_conflated", "Replaced unread by newer.", labels=["subscriber"]
        )
        lost = CounterMetricFamily(
            "livetape_subscription_lost", "Forgotten unread.", labels=["subscriber"]
        )
        for name, totals in hub.totals().items():
            open_.add_metric([name], totals.open)
            waiting.add_metric([name], totals.waiting)
            offered.add_metric([name], totals.offered)
            conflated.add_metric([name], totals.conflated)
            lost.add_metric([name], totals.lost)
        failures = CounterMetricFamily(
            "livetape_failures", "Errors that were survived.", labels=["place"]
        )
        for place, count in hub.failures.by_place.items():
            failures.add_metric([place], count)
        yield from (open_, waiting, offered, conflated, lost, failures)


def create_registry(
    places: Places, stream_places: Places, streams: StreamFigures
) -> CollectorRegistry:
    """Make the registry behind `/metrics`: ours, and the process's own figures.

    `places` are those of `/ws`, `/sse` and exports, `stream_places` those of the stream server.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServicesCollector(places, stream_places, streams))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def gauge(name: str, documentation: str, value: float) -> Metric:
    """Make a gauge without labels."""
    return GaugeMetricFamily(f"livetape_{name}", documentation, value=value)


def counter(name: str, documentation: str, value: float) -> Metric:
    """Make a counter without labels."""
    return CounterMetricFamily(f"livetape_{name}", documentation, value=value)
