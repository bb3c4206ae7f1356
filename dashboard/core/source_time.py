"""How far the time that a source gives is believed. Times are nanoseconds since the Unix epoch."""

EARLIEST_NS = 0
LATEST_NS = 7_258_118_400 * 1_000_000_000
"""The beginning of the year 2200: what comes later does not fit into columns of nanoseconds."""
MAX_AHEAD_NS = 5 * 1_000_000_000
"""How far a source may be ahead of our wall clock."""
