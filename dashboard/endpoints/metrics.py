"""`GET /metrics`: counters and gauges for Prometheus, read from the services when asked."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard.bootstrap import services
from dashboard.endpoints.connections import Connections
from dashboard.feeds.base import ExplainingFeed, FeedState


class ServicesCollector(Collector):
    """Turn the state of hub, feeds and connections into metric families."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterable[Metric]:
        """Read everything once."""
        yield from self._feeds()
        yield self._skips()
        yield from self._hub()
        yield gauge("connections", "Open connections to /ws and /sse.", self._connections.open)
        refused = self._connections.refused
        yield counter("connections_refused", "Refused connections to /ws and /sse.", refused)
        yield gauge("frequency_ms", "The frequency setting.", services().frequency_ms)

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

    def _skips(self) -> Metric:
        causes = CounterMetricFamily(
            "livetape_feed_skipped_by_cause",
            "Damaged input of feeds that tell why.",
            labels=["feed", "cause"],
        )
        for feed in services().supervisor.feeds:
            if isinstance(feed, ExplainingFeed):
                for cause, count in feed.skipped_by_cause.items():
                    causes.add_metric([feed.name, cause], count)
        return causes

    def _hub(self) -> Iterable[Metric]:
        hub = services().hub
        yield counter("hub_events", "Events published.", hub.published)
        yield gauge("hub_resume_events", "Events that can be resumed from.", hub.ring_length)
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
        yield from (open_, waiting, offered, conflated, lost)


def create_registry(connections: Connections) -> CollectorRegistry:
    """Make the registry behind `/metrics`: ours, and the process's own figures."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServicesCollector(connections))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def gauge(name: str, documentation: str, value: float) -> Metric:
    """Make a gauge without labels."""
    return GaugeMetricFamily(f"livetape_{name}", documentation, value=value)


def counter(name: str, documentation: str, value: float) -> Metric:
    """Make a counter without labels."""
    return CounterMetricFamily(f"livetape_{name}", documentation, value=value)
