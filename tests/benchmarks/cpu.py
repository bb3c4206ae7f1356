"""CPU time of the servers that are measured."""

from pathlib import Path

import psutil

NS_PER_S = 1e9


def busy_s(process: psutil.Process) -> float:
    """Give the CPU time of a process so far, in seconds."""
    times = process.cpu_times()
    return times.user + times.system


def waited_s(process: psutil.Process) -> float:
    """Give how long the threads of a process have been ready to run and had no core; on Linux."""
    stats = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[1]) for each in stats) / NS_PER_S
