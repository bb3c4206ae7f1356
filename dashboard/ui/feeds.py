"""How a feed stands, as a page is told it. Pure."""

from typing import Any

import msgspec

from dashboard.core.reports import FeedReport, Playback, Stretch
from dashboard.ui.batch import NS_PER_MS
from dashboard.ui.columns import StretchRow


def told_feed(name: str, report: FeedReport) -> dict[str, Any]:
    """Write a feed's report as an entry of a batch's `f`; times are ms since the Unix epoch."""
    last_ns = report.last_event_ns
    return {
        "name": name,
        **msgspec.structs.asdict(report.status),
        "last_event_ms": None if last_ns is None else last_ns // NS_PER_MS,
        "silences": [each // NS_PER_MS for each in report.silences],
        **_playback(report.playback),
    }


def _playback(playback: Playback | None) -> dict[str, Any]:
    if playback is None:
        return {}
    told = msgspec.structs.asdict(playback)
    told["began_ms"] = told.pop("began_ns") // NS_PER_MS
    told["stretches"] = [_stretch(each) for each in playback.stretches]
    return told


def _stretch(stretch: Stretch) -> StretchRow:
    played, recorded = stretch.played_ns // NS_PER_MS, stretch.recorded_ns // NS_PER_MS
    return StretchRow(played, recorded, stretch.pace, int(stretch.jumped))
