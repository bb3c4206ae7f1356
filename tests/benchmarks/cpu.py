"""CPU time of the servers that are measured."""

import psutil


def busy_s(process: psutil.Process) -> float:
    """Give the CPU time of a process so far, in seconds."""
    times = process.cpu_times()
    return times.user + times.system
