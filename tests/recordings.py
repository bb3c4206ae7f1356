"""Where the recordings of real venue traffic lie: beside the project, or in LIVETAPE_DATA."""

import os
from pathlib import Path

import pytest

from tests.live_server import ROOT

DATA = Path(os.environ.get("LIVETAPE_DATA") or ROOT.parent / "shared" / "data")
COINBASE = DATA / "coinbase-2021-04-17.wslog.gz"
BINANCE = DATA / "binance-futures-2021-07-22.wslog.gz"
MINUTES = DATA / "btc-perp-1m-2022-01.csv.gz"

needs_recordings = pytest.mark.skipif(
    not (COINBASE.is_file() and BINANCE.is_file()),
    reason=f"no recordings of real traffic in {DATA}; LIVETAPE_DATA names another folder",
)
needs_minutes = pytest.mark.skipif(
    not MINUTES.is_file(),
    reason=f"no month of minutes in {DATA}; LIVETAPE_DATA names another folder",
)
