"""`GET /api/health` and `GET /metrics`: how the product is doing."""

import time

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from collections.abc import Iterator

from dashboard.bootstrap import Services
from dashboard.endpoints.connections import Connections
from dashboard.feeds.base import FeedState

HEALTHY = frozenset({FeedState.LIVE, FeedState.REPLAYED, FeedState.ENDED})
