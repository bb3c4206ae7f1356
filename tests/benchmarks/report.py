"""Benchmark results: a table on the terminal and a JSON file under `.data/benchmarks`."""

import json
import platform
from datetime import UTC, datetime

from tests.live_server import ROOT


class Table:
    """Rows of one benchmark; each is printed as soon as it is there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[dict[str, object]] = []
        self._widths: list[int] = []

    def add(self, row: dict[str, object]) -> None:
        """Print and keep one row; all rows of a table have the same columns."""
        if not self.rows:
            self._widths = [max(len(key), len(str(value)) + 2) for key, value in row.items()]
            print(f"\n{self.name}")
            self._print(list(row))
        self.rows.append(row)
        self._print(list(row.values()))

    def save(self) -> None:
        """Write the rows, with the time and the machine they were measured on."""
        folder = ROOT / ".data" / "benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        result = {
            "benchmark": self.name,
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "rows": self.rows,
        }
        (folder / f"{self.name}.json").write_text(json.dumps(result, indent=2) + "\n")

    def _print(self, cells: list[object]) -> None:
        padded = (str(cell).rjust(width) for cell, width in zip(cells, self._widths, strict=True))
        print("  ".join(padded), flush=True)
